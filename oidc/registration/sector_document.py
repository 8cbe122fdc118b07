"""The document at a `sector_identifier_uri`: every address of the client must stand in it (Registration §5)."""

import orjson

from core.outbound import Outbound, OutboundRefused
from oidc.errors import OAuthError
from oidc.registration.check import SectorDocument

MAX_ENTRIES = 1_000


async def check_sector_document(outbound: Outbound, document: SectorDocument | None) -> None:
    """Fetches it by the guarded client; None needs nothing. Raises OAuthError invalid_client_metadata that says what
    is wrong. A stranger's server answers as slowly as it likes: no database connection waits for it."""
    if document is None:
        return
    try:
        answer = await outbound.get_json(document.uri, accept=("application/json",))
    except OutboundRefused as refused:
        raise _refused(f"cannot be read: {refused}") from None
    try:
        listed = orjson.loads(answer.body)
    except ValueError:
        raise _refused("is not JSON") from None
    if not isinstance(listed, list) or len(listed) > MAX_ENTRIES or any(not isinstance(one, str) for one in listed):
        raise _refused("must be a JSON array of addresses")
    if not set(document.addresses) <= set(listed):
        raise _refused("does not list every redirect address of the client, or its jwks_uri")


def _refused(why: str) -> OAuthError:
    return OAuthError("invalid_client_metadata", f"The document at sector_identifier_uri {why}.")

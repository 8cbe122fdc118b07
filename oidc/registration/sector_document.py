"""The document at a `sector_identifier_uri`: every redirect address must stand in it (Registration §5)."""

from collections.abc import Sequence

import orjson

from core.outbound import Outbound, OutboundRefused
from oidc.errors import OAuthError

MAX_ENTRIES = 1_000


async def check_sector_document(outbound: Outbound, uri: str, addresses: Sequence[str]) -> None:
    """Fetches it by the guarded client. Raises OAuthError invalid_client_metadata that says what is wrong."""
    try:
        answer = await outbound.get_json(uri, accept=("application/json",))
    except OutboundRefused as refused:
        raise _refused(f"cannot be read: {refused}") from None
    try:
        listed = orjson.loads(answer.body)
    except ValueError:
        raise _refused("is not JSON") from None
    if not isinstance(listed, list) or len(listed) > MAX_ENTRIES or any(not isinstance(one, str) for one in listed):
        raise _refused("must be a JSON array of addresses")
    if not set(addresses) <= set(listed):
        raise _refused("does not list every redirect address of the client")


def _refused(why: str) -> OAuthError:
    return OAuthError("invalid_client_metadata", f"The document at sector_identifier_uri {why}.")

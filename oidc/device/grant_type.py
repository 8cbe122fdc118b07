"""The grant urn:ietf:params:oauth:grant-type:device_code (RFC 8628 §3.4): collecting what the person answered."""

from typing import Any

from oidc.collect import CollectQueries, collect
from oidc.device.tables import DeviceRequestRow
from oidc.edge import required
from oidc.token.context import TokenRequest, TokenRooms

_QUERIES = CollectQueries(DeviceRequestRow)


async def device_code(asked: TokenRequest, rooms: TokenRooms) -> dict[str, Any]:
    """Raises OAuthError."""
    secret = required(asked.parameters, "device_code")
    return await collect(asked, rooms, _QUERIES, secret=secret, what="device_code")

"""The grant urn:openid:params:grant-type:ciba (CIBA §10.1): collecting what the person answered."""

from typing import Any

from oidc.ciba.tables import CibaRequestRow
from oidc.collect import CollectQueries, collect
from oidc.edge import required
from oidc.token.context import TokenRequest, TokenRooms

_QUERIES = CollectQueries(CibaRequestRow)


async def ciba(asked: TokenRequest, rooms: TokenRooms) -> dict[str, Any]:
    """Poll and ping alike: a client that is pinged may ask before as well. Raises OAuthError."""
    auth_req_id = required(asked.parameters, "auth_req_id")
    return await collect(asked, rooms, _QUERIES, secret=auth_req_id, what="auth_req_id")

"""The client_credentials grant (RFC 6749 §4.4): an agency's back end acts for itself, at the lookup API."""

import uuid
from time import monotonic
from typing import Any

from core.database import Database
from oidc import scopes, standing_grants
from oidc.audiences import lookup_audience
from oidc.errors import OAuthError
from oidc.token.access_tokens import AccessTokenAsk, issue_access_token, token_response
from oidc.token.context import TokenRequest, TokenRooms

MEMORY_SECONDS = 0.9


class StandingGrants:
    """The live standing grants, remembered for less than a second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[float, uuid.UUID]] = {}

    async def of(self, client_id: str) -> uuid.UUID | None:
        """None when it was revoked. Raises Unavailable."""
        known = self._known.get(client_id)
        asked_at = monotonic()
        if known is not None and asked_at - known[0] < MEMORY_SECONDS:
            return known[1]
        self._known.pop(client_id, None)
        gid = await standing_grants.find(self._database.shared, client_id)
        if gid is not None:
            self._known[client_id] = (asked_at, gid)
        return gid

    def forget(self, payload: str) -> None:
        """A notification: the id of a grant that was ended or renewed."""
        self._known = {client: known for client, known in self._known.items() if str(known[1]) != payload}


async def client_credentials(asked: TokenRequest, rooms: TokenRooms, standing: StandingGrants) -> dict[str, Any]:
    """A token for the lookup API. Raises OAuthError."""
    if asked.client.public:
        raise OAuthError("unauthorized_client", "A client without authentication cannot act for itself.")
    wanted = scopes.parse(asked.parameters.get("scope", scopes.LOOKUP))
    if set(wanted) != {scopes.LOOKUP} or scopes.LOOKUP not in asked.client.scopes:
        raise OAuthError("invalid_scope", "With client_credentials the scope is lookup, for clients that hold it.")
    audience = lookup_audience(rooms.issuer)
    if asked.parameters.get("resource", audience) != audience:
        raise OAuthError("invalid_target", "resource must be the lookup API.")
    gid = await standing.of(asked.client.client_id)
    if gid is None:
        raise OAuthError("unauthorized_client", "The client's right to act for itself was revoked.")
    token = await issue_access_token(
        AccessTokenAsk(
            client_id=asked.client.client_id,
            subject=asked.client.client_id,
            audience=audience,
            scopes=wanted,
            gid=gid,
            jkt=asked.jkt,
            x5t=asked.x5t,
            alg=asked.client.access_token_alg,
        ),
        rooms.keys,
        issuer=rooms.issuer,
        now=asked.now,
    )
    return token_response(token, jkt=asked.jkt, scopes=wanted)

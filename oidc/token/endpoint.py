"""POST /token: authenticate, prove the key, claim the single uses, hand over to the grant type."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from core.cache import Cache
from core.clock import Clock
from oidc.client_authentication import ClientAuthentication
from oidc.clients import Client
from oidc.edge import json_response, read_parameters, required
from oidc.errors import OAuthError
from oidc.proof import read_proof, replay_mark
from oidc.replay import claim_all
from oidc.token.authorization_code import authorization_code
from oidc.token.client_credentials import StandingGrants, client_credentials
from oidc.token.context import TokenRequest, TokenRooms
from oidc.token.refresh_token import refresh_token

GrantType = Callable[[TokenRequest, TokenRooms], Awaitable[dict[str, Any]]]
GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials")


class TokenEndpoint:
    """The endpoint; one per process."""

    def __init__(
        self,
        rooms: TokenRooms,
        *,
        authentication: ClientAuthentication,
        cache: Cache,
        clock: Clock,
        further: Mapping[str, GrantType],
    ) -> None:
        """further: grant types of other packages, by name."""
        self._rooms = rooms
        self._authentication = authentication
        self._cache = cache
        self._clock = clock
        self.standing = StandingGrants(rooms.database)
        self._grant_types: Mapping[str, GrantType] = {
            "authorization_code": authorization_code,
            "refresh_token": refresh_token,
            "client_credentials": lambda asked, rooms: client_credentials(asked, rooms, self.standing),
            **further,
        }

    async def answer(self, request: Request) -> Response:
        """Raises OAuthError, Unavailable."""
        parameters = await read_parameters(request)
        now = self._clock.now()
        authenticated = await self._authentication.authenticate(request, parameters, now=now)
        client = authenticated.client
        proof = read_proof(request, issuer=self._rooms.issuer, now=now)
        marks = authenticated.marks if proof is None else (*authenticated.marks, replay_mark(proof))
        await claim_all(self._cache, marks)
        grant_type = self._grant_type(required(parameters, "grant_type"), client)
        if proof is None and client.dpop_bound:
            raise OAuthError("invalid_dpop_proof", "This client's tokens are bound to a key: send a DPoP proof.")
        asked = TokenRequest(client, parameters, None if proof is None else proof.jkt, None, now)
        return json_response(await grant_type(asked, self._rooms))

    def _grant_type(self, name: str, client: Client) -> GrantType:
        if name not in self._grant_types:
            raise OAuthError("unsupported_grant_type", f"grant_type must be one of {', '.join(GRANT_TYPES)}.")
        if name not in client.grant_types:
            raise OAuthError("unauthorized_client", "The client is not registered for this grant_type.")
        return self._grant_types[name]

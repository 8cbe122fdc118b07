"""POST /revoke: token revocation (RFC 7009). Any token of a grant ends the whole grant."""

import uuid

from starlette.requests import Request
from starlette.responses import Response

from core.cache import Cache
from core.clock import Clock
from core.database import Database, RawTx
from core.jose import JoseRefused, verify_signature
from core.token import TOKEN_TYPE
from oidc import grants, standing_grants
from oidc.client_authentication import ClientAuthentication
from oidc.clients import Client
from oidc.edge import read_parameters, required
from oidc.id_token_hint import signing_key_of
from oidc.replay import claim_all
from oidc.signing_keys import SigningKeys
from oidc.token import refresh_tokens


class RevocationEndpoint:
    """The endpoint; one per process."""

    def __init__(
        self,
        *,
        authentication: ClientAuthentication,
        keys: SigningKeys,
        database: Database,
        cache: Cache,
        clock: Clock,
    ) -> None:
        self._authentication = authentication
        self._keys = keys
        self._database = database
        self._cache = cache
        self._clock = clock

    async def answer(self, request: Request) -> Response:
        """200 also for a token that is unknown or another client's (§2.2). Raises OAuthError, Unavailable."""
        parameters = await read_parameters(request)
        asker = await self._authentication.authenticate(request, parameters, now=self._clock.now())
        await claim_all(self._cache, asker.marks)
        token = required(parameters, "token")
        async with self._database.raw() as tx:
            await self._end(tx, token, asker.client)
        return Response(None, 200, {"Cache-Control": "no-store"})

    async def _end(self, tx: RawTx, token: str, client: Client) -> None:
        """token_type_hint is not needed: the two kinds of token cannot be taken for each other."""
        now = self._clock.now()
        held = await refresh_tokens.find(tx, token, client.client_id)
        if held is not None:
            await grants.revoke(tx, held.grant.person_id, held.grant.gid, reason="client", now=now)
            return
        gid = self._gid(token, client)
        if gid is None:
            return
        grant = await grants.find(tx, gid)
        if grant is not None:
            await grants.revoke(tx, grant.person_id, gid, reason="client", now=now)
        else:
            # A back end's own token: all it has out end, and it may get new ones.
            await standing_grants.renew(tx, client.client_id, gid, now)

    def _gid(self, token: str, client: Client) -> uuid.UUID | None:
        """The grant of an access token of this client; an expired one may still be ended."""
        try:
            claims = verify_signature(token, signing_key_of(token, self._keys), typ={TOKEN_TYPE}).claims
            return uuid.UUID(str(claims["gid"])) if claims.get("client_id") == client.client_id else None
        except (JoseRefused, KeyError, ValueError):
            return None

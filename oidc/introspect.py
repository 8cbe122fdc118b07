"""POST /introspect: token introspection (RFC 7662) for resource servers, each for its own audience only."""

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from core.cache import Cache
from core.clock import Clock
from core.database import Database
from core.jose import JoseRefused, VerifiedJwt, verify_jwt
from core.token import TOKEN_ALGORITHMS, TOKEN_TYPE
from oidc import grants
from oidc.client_authentication import ClientAuthentication
from oidc.clients import Client
from oidc.edge import json_response, read_parameters, required
from oidc.grant_status import GrantStatuses
from oidc.replay import claim_all
from oidc.signing_keys import SigningKeys
from privacy.pseudonyms.api import Pseudonyms

_INACTIVE = {"active": False}


class IntrospectionEndpoint:
    """The endpoint; one per process."""

    def __init__(
        self,
        *,
        issuer: str,
        authentication: ClientAuthentication,
        keys: SigningKeys,
        statuses: GrantStatuses,
        pseudonyms: Pseudonyms,
        database: Database,
        cache: Cache,
        clock: Clock,
    ) -> None:
        self._issuer = issuer
        self._authentication = authentication
        self._keys = keys
        self._statuses = statuses
        self._pseudonyms = pseudonyms
        self._database = database
        self._cache = cache
        self._clock = clock

    async def answer(self, request: Request) -> Response:
        """What the token says, or `active: false` and nothing more. Raises OAuthError, Unavailable."""
        parameters = await read_parameters(request)
        asker = await self._authentication.authenticate(request, parameters, now=self._clock.now(), public=False)
        await claim_all(self._cache, asker.marks)
        token = required(parameters, "token")
        return json_response(await self._told(token, asker.client))

    async def _told(self, token: str, asker: Client) -> dict[str, Any]:
        verified = self._verified(token, asker)
        if verified is None:
            return _INACTIVE
        claims = verified.claims
        gid = uuid.UUID(str(claims["gid"]))
        if not await self._statuses.is_live(gid):
            return _INACTIVE
        told: dict[str, Any] = {"active": True, "token_type": "DPoP" if "cnf" in claims else "Bearer"}
        told |= {name: claims[name] for name in ("iss", "aud", "client_id", "scope", "jti", "iat", "exp")}
        if "cnf" in claims:
            told["cnf"] = claims["cnf"]
        told["sub"] = await self._subject(gid, str(claims["sub"]), asker)
        return told

    def _verified(self, token: str, asker: Client) -> VerifiedJwt | None:
        """The token, when it is one for this resource server; None hides every reason."""
        if not asker.audiences:
            return None
        try:
            return verify_jwt(
                token,
                self._keys.verification_keys(),
                algs=TOKEN_ALGORITHMS,
                typ={TOKEN_TYPE},
                issuer=self._issuer,
                audience=asker.audiences,
                now=self._clock.now(),
                leeway_seconds=0,  # we issued it: one clock
                require=("exp", "iat", "jti", "gid", "client_id", "sub"),
            )
        except JoseRefused:
            return None

    async def _subject(self, gid: uuid.UUID, subject: str, asker: Client) -> str:
        """The person by the name of the asker's own sector, so that two parties cannot compare notes."""
        async with self._database.raw_read() as tx:
            grant = await grants.find(tx, gid)
        return subject if grant is None else self._pseudonyms.subject(asker.sector, grant.person_id)

"""POST /introspect: token introspection (RFC 7662) for resource servers, each for its own audience only."""

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from core.cache import Cache
from core.checked_signatures import CheckedSignatures
from core.clock import Clock
from core.database import Database
from core.jose import JoseRefused, VerifiedJwt, verify_jwt
from core.request_headers import headers_of
from core.token import TOKEN_ALGORITHMS, TOKEN_TYPE
from oidc import grants
from oidc.audiences import lookup_audience
from oidc.client_authentication import ClientAuthentication
from oidc.clients import Client
from oidc.edge import read_parameters, required
from oidc.grant_status import GrantStatuses
from oidc.introspection_form import IntrospectionForms
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
        forms: IntrospectionForms,
    ) -> None:
        self._issuer = issuer
        self._authentication = authentication
        self._keys = keys
        self._statuses = statuses
        self._pseudonyms = pseudonyms
        self._database = database
        self._cache = cache
        self._clock = clock
        self._checked = CheckedSignatures()  # a resource server asks of one token again and again
        self._forms = forms

    async def answer(self, request: Request) -> Response:
        """What the token says, or `active: false` and nothing more. Raises OAuthError, Unavailable."""
        parameters = await read_parameters(request)
        now = self._clock.now()
        authenticated = await self._authentication.authenticate(request, parameters, now=now, public=False)
        await claim_all(self._cache, authenticated.marks)
        asker = authenticated.client
        form = await self._forms.of(asker, ",".join(headers_of(request.scope, b"accept")))
        return await form.respond(await self._told(required(parameters, "token"), asker), now=now)

    async def _told(self, token: str, asker: Client) -> dict[str, Any]:
        """token_type_hint is not needed: only access tokens are for a resource server (RFC 7662 §2.1)."""
        verified = self._verified(token, asker)
        if verified is None:
            return _INACTIVE
        claims = verified.claims
        gid = uuid.UUID(str(claims["gid"]))
        if not await self._statuses.is_live(gid):
            return _INACTIVE
        grant = await grants.find(self._database.shared, gid)
        cnf = claims.get("cnf", {})
        told: dict[str, Any] = {"active": True, "token_type": "DPoP" if "jkt" in cnf else "Bearer"}
        told |= {name: claims[name] for name in ("iss", "aud", "client_id", "jti", "iat", "exp")}
        if "scope" in claims:
            told["scope"] = claims["scope"]
        # The person by the name of the asker's own sector, so that two parties cannot compare notes.
        told["sub"] = claims["sub"] if grant is None else self._pseudonyms.subject(asker.sector, grant.person_id)
        if cnf:
            told["cnf"] = cnf
        if grant is not None and grant.authorization_details and claims["aud"] == lookup_audience(self._issuer):
            told["authorization_details"] = [dict(each) for each in grant.authorization_details]  # RFC 9396 §9.2
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
                checked=self._checked,
            )
        except JoseRefused:
            return None

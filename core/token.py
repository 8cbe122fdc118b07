"""Access tokens at a resource server: who carries one, and whether it may still be used.

Verification asks two protocols that oidc implements: `KeySet` (the published keys) and `GrantStatus` (the
truth of revocation, at most a second old). The core so checks tokens without knowing the provider.
Sources: RFC 9068, RFC 6750, RFC 9449 §7, RFC 8705 §3.
"""

import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from starlette.requests import Request

from core.cache import Cache
from core.checked_signatures import CheckedSignatures
from core.client_certificate import client_certificate
from core.clock import Clock
from core.dpop import PROOF_ALGORITHMS, REPLAY_TTL_SECONDS, verify_proof
from core.dpop_nonces import DpopNonces
from core.errors import Refusal
from core.ids import read_id
from core.jose import JoseRefused, VerificationKey, verify_jwt
from core.record import record
from core.request_headers import headers_of

TOKEN_TYPE = "at+jwt"  # noqa: S105  a media type
TOKEN_ALGORITHMS = frozenset({"ES256", "PS256", "EdDSA", "Ed25519"})
"""RFC 9068 §2.1 wants RS256 too; FAPI 2.0 §5.4.1 forbids that."""
REALM = "dinhdanh"
"""In every challenge: RFC 6750 §3 wants at least one parameter, also where there is no error to tell."""
_NOT_QUOTED = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")
"""RFC 6750 §3: what `error` and `error_description` may not hold; without these a quoted-string needs no escapes."""


class KeySet(Protocol):
    """The issuer's published verification keys, from memory."""

    def verification_keys(self) -> Sequence[VerificationKey]: ...


IsLive = Callable[[uuid.UUID], Awaitable[bool]]


class GrantStatus(Protocol):
    """Whether a grant is live."""

    async def is_live(self, grant_id: uuid.UUID) -> bool:
        """At most one second old. Raises Unavailable when the truth cannot be had."""
        ...


@record
class AccessToken:
    """A token that holds. subject: `sub` as the client sees it. grant_id: `gid`. jkt: key it is bound to (RFC 9449).

    x5t: certificate it is bound to (RFC 8705).
    """

    client_id: str
    grant_id: uuid.UUID
    subject: str
    scopes: frozenset[str]
    jti: str
    expires_at: int
    jkt: str | None
    x5t: str | None

    @property
    def bound(self) -> bool:
        """Whether a thief of the token alone can do nothing with it."""
        return self.jkt is not None or self.x5t is not None

    @property
    def scheme(self) -> str:
        """By which it is sent: one that is bound to a certificate alone is a bearer token in its type (RFC 8705 §3)."""
        return "Bearer" if self.jkt is None else "DPoP"


class TokenRefused(Refusal):
    """401, 400 where the request is malformed, 403 where the token holds and lacks something (RFC 6750 §3.1).

    error: None where no token was sent, which is no error yet. scheme: the one that was tried, or that the token
    needs. others: further ones that are taken, where nothing was tried. challenge: the `WWW-Authenticate` value.
    """

    status = 401

    def __init__(
        self,
        error: str | None,
        description: str,
        *,
        scheme: str = "Bearer",
        others: Sequence[str] = (),
        status: int | None = None,
        private: str = "",
    ) -> None:
        if error == "invalid_request":
            status = 400
        super().__init__(error or "token-missing", description, status=status, private=private)
        told = {} if error is None else {"error": error, "error_description": description}
        self.challenge = ", ".join([_challenge(scheme, told), *(_challenge(other, {}) for other in others)])


def _challenge(scheme: str, told: Mapping[str, str]) -> str:
    """One challenge, of the shape that RFC 9110 §11.6.1 gives it; DPoP tells what a proof may be signed with."""
    parameters = {"realm": REALM, **told}
    if scheme == "DPoP":
        parameters["algs"] = " ".join(sorted(PROOF_ALGORITHMS))  # RFC 9449 §7.1
    return f"{scheme} " + ", ".join(f'{name}="{_NOT_QUOTED.sub("?", text)}"' for name, text in parameters.items())


class TokenVerifier:
    """Checks the access token of a request for one audience."""

    def __init__(
        self,
        *,
        issuer: str,
        mtls_base: str,
        keys: KeySet,
        grants: GrantStatus,
        cache: Cache,
        clock: Clock,
        nonces: DpopNonces,
        checked: CheckedSignatures,
    ) -> None:
        """mtls_base: the other origin that we are reached at, or empty (RFC 8705 §5). checked: of access tokens."""
        self._issuer = issuer
        self._bases = (issuer, mtls_base) if mtls_base else (issuer,)
        self._nonces = nonces
        self._keys = keys
        self._grants = grants
        self._cache = cache
        self._clock = clock
        self._checked = checked  # a back end sends one token with hundreds of requests

    async def verify(
        self,
        request: Request,
        *,
        audience: str,
        scope: str | None = None,
        in_body: str | None = None,
        is_live: IsLive | None = None,
        schemes: Sequence[str] = ("Bearer", "DPoP"),
    ) -> AccessToken:
        """The token of the `Authorization` header. Raises TokenRefused, Unavailable.

        schemes: what the resource asks for where no token came, the best first; both are understood.

        is_live: asked in the place of `GrantStatus`, by a caller that reads the grant itself.

        A token in the query is not looked at (RFC 9700 §4.3.2). in_body: one that an endpoint read from a form
        (RFC 6750 §2.2): then there must be no header, and it must be one that is bound to nothing.
        """
        scheme, token = _presented(request, schemes) if in_body is None else _presented_in_body(request, in_body)
        try:
            verified = verify_jwt(
                token,
                self._keys.verification_keys(),
                algs=TOKEN_ALGORITHMS,
                typ={TOKEN_TYPE},
                issuer=self._issuer,
                audience=audience,
                now=self._clock.now(),
                leeway_seconds=0,  # we issued it: one clock
                require=("exp", "iat", "jti", "gid", "client_id", "sub"),
                checked=self._checked,
            )
            claims = verified.claims
            grant_id = read_id(str(claims["gid"]))
        except (JoseRefused, ValueError):
            raise TokenRefused("invalid_token", "The access token is not valid here.", scheme=scheme) from None
        jkt, x5t = _bindings(claims, scheme)
        if in_body is not None and (jkt or x5t):
            raise TokenRefused("invalid_request", "A bound access token belongs in the Authorization header.")
        self._check_certificate(request, scheme, x5t)
        await self._check_proof(request, scheme, token, jkt)
        if not await (is_live or self._grants.is_live)(grant_id):
            raise TokenRefused("invalid_token", "The access token was revoked.", scheme=scheme)
        scopes = frozenset(str(claims.get("scope", "")).split())
        if scope is not None and scope not in scopes:
            raise TokenRefused(
                "insufficient_scope", f"The access token lacks the scope {scope}.", scheme=scheme, status=403
            )
        return AccessToken(
            client_id=str(claims["client_id"]),
            grant_id=grant_id,
            subject=str(claims["sub"]),
            scopes=scopes,
            jti=str(claims["jti"]),
            expires_at=int(claims["exp"]),
            jkt=jkt,
            x5t=x5t,
        )

    def _check_certificate(self, request: Request, scheme: str, x5t: str | None) -> None:
        """RFC 8705 §3: the very certificate that the token was given out to."""
        if x5t is None:
            return
        shown = client_certificate(request)
        if shown is None or shown.x5t_s256 != x5t:
            raise TokenRefused("invalid_token", "The access token is bound to another certificate.", scheme=scheme)

    async def _check_proof(self, request: Request, scheme: str, token: str, jkt: str | None) -> None:
        if jkt is None:
            if scheme == "DPoP":
                raise TokenRefused("invalid_token", "The access token is not bound to a key.", scheme="DPoP")
            return
        if scheme != "DPoP":
            raise TokenRefused("invalid_token", "The access token is bound to a key: send it by DPoP.", scheme="DPoP")
        now = self._clock.now()
        proofs = headers_of(request.scope, b"dpop")
        if len(proofs) != 1:
            raise TokenRefused("invalid_dpop_proof", "Exactly one DPoP header is needed.", scheme="DPoP")
        try:
            proof = verify_proof(
                proofs[0],
                method=request.method,
                urls=[f"{base}{request.scope['path']}" for base in self._bases],
                now=now,
                access_token=token,
            )
        except JoseRefused as refused:
            raise TokenRefused("invalid_dpop_proof", f"DPoP: {refused.reason}.", scheme="DPoP") from None
        if proof.jkt != jkt:
            raise TokenRefused("invalid_token", "The access token is bound to another key.", scheme="DPoP")
        if self._nonces.must_come_again(request, proof, now=now):
            raise TokenRefused("use_dpop_nonce", "DPoP: send the nonce of DPoP-Nonce in a new proof.", scheme="DPoP")
        if not await self._cache.claim_once("dpop", proof.replay_id, REPLAY_TTL_SECONDS):
            raise TokenRefused("invalid_dpop_proof", "DPoP: the proof was used before.", scheme="DPoP")


def _bindings(claims: Mapping[str, Any], scheme: str) -> tuple[str | None, str | None]:
    """`jkt` and `x5t#S256` of `cnf` (RFC 7800). A confirmation that is not understood is no token for us."""
    if "cnf" not in claims:
        return None, None
    cnf = claims["cnf"]
    known = isinstance(cnf, dict) and bool(cnf) and set(cnf) <= {"jkt", "x5t#S256"}
    if not known or not all(isinstance(value, str) for value in cnf.values()):
        raise TokenRefused("invalid_token", "The access token is not valid here.", scheme=scheme)
    return cnf.get("jkt"), cnf.get("x5t#S256")


def _presented(request: Request, schemes: Sequence[str]) -> tuple[str, str]:
    headers = headers_of(request.scope, b"authorization")
    if len(headers) > 1:
        raise TokenRefused("invalid_request", "More than one Authorization header.")
    scheme, _, token = headers[0].partition(" ") if headers else ("", "", "")
    scheme = {"bearer": "Bearer", "dpop": "DPoP"}.get(scheme.lower(), "")
    if not scheme:
        # RFC 6750 §3.1: another scheme is no wrong token, but none.
        raise TokenRefused(None, "An access token is needed, by Bearer or DPoP.", scheme=schemes[0], others=schemes[1:])
    token = token.strip()
    if not token:
        raise TokenRefused("invalid_request", "The Authorization header holds no token.", scheme=scheme)
    return scheme, token


def _presented_in_body(request: Request, token: str) -> tuple[str, str]:
    if "authorization" in request.headers:
        raise TokenRefused("invalid_request", "The access token was sent in more than one way.")
    return "Bearer", token

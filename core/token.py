"""Access tokens at a resource server: who carries one, and whether it may still be used.

Verification asks two protocols that oidc implements: `KeySet` (the published keys) and `GrantStatus` (the
truth of revocation, at most a second old). The core so checks tokens without knowing the provider.
Sources: RFC 9068, RFC 6750, RFC 9449 §7, RFC 8705 §3.
"""

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


class TokenRefused(Refusal):
    """401, or 403 where the token holds and lacks something, with the `WWW-Authenticate` value in `challenge`."""

    status = 401

    def __init__(
        self, error: str | None, description: str, *, scheme: str = "Bearer", status: int | None = None
    ) -> None:
        super().__init__(error or "token-missing", description, status=status)
        parts = [] if error is None else [f'error="{error}"', f'error_description="{description}"']
        if scheme == "DPoP":
            parts.append(f'algs="{" ".join(sorted(PROOF_ALGORITHMS))}"')
        self.challenge = f"{scheme} {', '.join(parts)}".strip()


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
    ) -> AccessToken:
        """The token of the `Authorization` header. Raises TokenRefused, Unavailable.

        is_live: asked in the place of `GrantStatus`, by a caller that reads the grant itself.

        A token in the query is not looked at (RFC 9700 §4.3.2). in_body: one that an endpoint read from a form
        (RFC 6750 §2.2): then there must be no header, and it must be one that is bound to nothing.
        """
        scheme, token = _presented(request) if in_body is None else _presented_in_body(request, in_body)
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


def _presented(request: Request) -> tuple[str, str]:
    headers = headers_of(request.scope, b"authorization")
    if not headers:
        raise TokenRefused(None, "An access token is needed.")
    if len(headers) > 1:
        raise TokenRefused("invalid_request", "More than one Authorization header.")
    scheme, _, token = headers[0].partition(" ")
    scheme = {"bearer": "Bearer", "dpop": "DPoP"}.get(scheme.lower(), "")
    token = token.strip()
    if not scheme or not token:
        raise TokenRefused("invalid_request", "The Authorization header must be Bearer or DPoP with a token.")
    return scheme, token


def _presented_in_body(request: Request, token: str) -> tuple[str, str]:
    if "authorization" in request.headers:
        raise TokenRefused("invalid_request", "The access token was sent in more than one way.")
    return "Bearer", token

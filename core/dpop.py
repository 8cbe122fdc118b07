"""DPoP proofs (RFC 9449): the pure checks. The replay claim is made by the caller with `REPLAY_TTL_SECONDS`."""

import hashlib
from collections.abc import Collection
from datetime import datetime
from urllib.parse import urlsplit

from core import base64url
from core.jose import JoseRefused, VerificationKey, decode_unverified, verify_signature
from core.record import record

PROOF_ALGORITHMS = frozenset({"ES256", "PS256", "EdDSA", "Ed25519"})
MAX_AGE_SECONDS = 60
"""A proof's `iat` may lie this far on either side of our clock."""
REPLAY_TTL_SECONDS = 2 * MAX_AGE_SECONDS + 10
"""The replay record outlives the whole window in which a proof is accepted."""


@record
class DpopProof:
    """A proof that holds. jkt: thumbprint of its key. issued_at: `iat`. nonce: as sent, still to be looked at.

    replay_id: what to claim once.
    """

    jkt: str
    jti: str
    issued_at: float
    nonce: str | None

    @property
    def replay_id(self) -> str:
        return f"{self.jkt}\x1f{self.jti}"


def access_token_hash(token: str) -> str:
    """`ath`: base64url SHA-256 of the access token."""
    return base64url.encode(hashlib.sha256(token.encode()).digest())


def verify_proof(
    unverified_jwt: str, *, method: str, urls: Collection[str], now: datetime, access_token: str | None = None
) -> DpopProof:
    """Checks a `DPoP` header's value. Raises JoseRefused.

    urls: the request's own URL as clients see it, without query and fragment; several where one endpoint is
    reached at several hosts (RFC 8705 §5). access_token: at a resource server the token that came along; its
    hash must stand in `ath`.
    """
    seen = decode_unverified(unverified_jwt)
    if seen.header.get("alg") not in PROOF_ALGORITHMS:
        raise JoseRefused("the proof's algorithm is not allowed")
    public = seen.header.get("jwk")
    if not isinstance(public, dict):
        raise JoseRefused("the proof has no jwk")
    # Here, and only here, the key comes from the header: the proof binds to whatever key signed it.
    key = VerificationKey.from_jwk(public, alg=str(seen.header["alg"]))
    claims = verify_signature(seen, key, typ={"dpop+jwt"}).claims
    jti, issued = claims.get("jti"), claims.get("iat")
    if not isinstance(jti, str) or not 8 <= len(jti) <= 256:
        raise JoseRefused("the proof's jti is missing or has an unfit length")
    if claims.get("htm") != method:
        raise JoseRefused("the proof is for another method")
    if not isinstance(claims.get("htu"), str) or _plain(str(claims["htu"])) not in {_plain(url) for url in urls}:
        raise JoseRefused("the proof is for another URL")
    if isinstance(issued, bool) or not isinstance(issued, int | float):
        raise JoseRefused("the proof's iat is missing")
    if abs(now.timestamp() - issued) > MAX_AGE_SECONDS:
        raise JoseRefused("the proof is too old or from the future")
    if access_token is not None and claims.get("ath") != access_token_hash(access_token):
        raise JoseRefused("the proof is for another access token")
    nonce = claims.get("nonce")
    if nonce is not None and (not isinstance(nonce, str) or len(nonce) > 256):
        raise JoseRefused("the proof's nonce is not one of ours")
    return DpopProof(jkt=key.thumbprint, jti=jti, issued_at=float(issued), nonce=nonce)


def _plain(url: str) -> tuple[str, str, str]:
    """Scheme, authority and path, compared after RFC 3986 §6.2.2-3 normalisation of case and port."""
    try:
        parts = urlsplit(url)  # raises as well: half an IPv6 address, a host that NFKC would change
        port = parts.port
    except ValueError:
        raise JoseRefused("the proof's URL cannot be read") from None
    host = (parts.hostname or "").lower()
    default = {"http": 80, "https": 443}.get(parts.scheme.lower())
    return parts.scheme.lower(), f"{host}:{port or default}", parts.path or "/"

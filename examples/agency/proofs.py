"""What the back end signs: who it is (RFC 7523 client assertion) and that it holds its key (RFC 9449 DPoP)."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

ASSERTION_SECONDS = 60


class Proofs:
    """now: epoch seconds. The DPoP key is made afresh at every start and never leaves this process."""

    def __init__(self, client_id: str, private_jwk: dict[str, Any], now: Callable[[], float]) -> None:
        self._client_id = client_id
        self._key = ECKey.import_key(private_jwk)
        self._dpop_key = ECKey.generate_key("P-256", private=True)
        self._now = now

    def assertion(self, issuer: str) -> str:
        """Good for one request: every assertion has a `jti` of its own. aud: the issuer, as FAPI 2.0 asks."""
        now = int(self._now())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": issuer,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": secrets.token_urlsafe(16),
        }
        header = {"alg": "ES256", "typ": "JWT", "kid": str(self._key.kid)}
        return jwt.encode(header, claims, self._key, algorithms=["ES256"])

    def dpop(self, method: str, url: str, access_token: str | None = None) -> str:
        """Good for one request too. With an access token it says which one it goes with."""
        claims = {"htm": method, "htu": url, "iat": int(self._now()), "jti": secrets.token_urlsafe(16)}
        if access_token is not None:
            digest = hashlib.sha256(access_token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        public = {name: self._dpop_key.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}
        header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": public}
        return jwt.encode(header, claims, self._dpop_key, algorithms=["ES256"])

"""What clients sign: assertions and DPoP proofs. Straight on `cryptography`: the client must not be the limit."""

import base64
import hashlib
import itertools
import secrets
from collections.abc import Mapping
from time import time
from typing import Any

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

_ES256 = ec.ECDSA(hashes.SHA256())


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Signer:
    """A P-256 key from a private JWK, signing with ES256."""

    def __init__(self, private: Mapping[str, Any]) -> None:
        number = int.from_bytes(base64.urlsafe_b64decode(private["d"] + "=="), "big")
        self._key = ec.derive_private_key(number, ec.SECP256R1())
        self.public = {name: private[name] for name in ("kty", "crv", "x", "y")}
        self._proof_header = _head({"alg": "ES256", "typ": "dpop+jwt", "jwk": self.public})
        head = {"alg": "ES256", "typ": "JWT"}
        self._header = _head({**head, "kid": private["kid"]} if "kid" in private else head)
        # Unique per request, and cheaper than asking the kernel for random bytes each time.
        self._run, self._numbers = secrets.token_hex(8), itertools.count()

    def assertion(self, client_id: str, audience: str) -> str:
        """private_key_jwt (RFC 7523), good once."""
        now = int(time())
        claims = {"iss": client_id, "sub": client_id, "aud": audience, "iat": now, "exp": now + 60}
        return self._signed(self._header, {**claims, "jti": self._unique()})

    def proof(self, method: str, url: str, token_hash: str | None = None) -> str:
        """A DPoP proof (RFC 9449), good once."""
        claims: dict[str, Any] = {"jti": self._unique(), "htm": method, "htu": url, "iat": int(time())}
        if token_hash is not None:
            claims["ath"] = token_hash
        return self._signed(self._proof_header, claims)

    def _unique(self) -> str:
        return f"{self._run}-{next(self._numbers)}"

    def _signed(self, head: str, claims: Mapping[str, Any]) -> str:
        signed = f"{head}.{b64(orjson.dumps(claims))}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), _ES256))
        return f"{signed}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def token_hash(token: str) -> str:
    """`ath` of a proof that goes with a token."""
    return b64(hashlib.sha256(token.encode()).digest())


def new_private_jwk() -> dict[str, str]:
    """A fresh P-256 key."""
    numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    x, y = numbers.public_numbers.x, numbers.public_numbers.y
    members = {"x": x, "y": y, "d": numbers.private_value}
    kid = b64(secrets.token_bytes(12))
    encoded = {name: b64(value.to_bytes(32, "big")) for name, value in members.items()}
    return {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid, **encoded}


def pkce() -> tuple[str, str]:
    """A code verifier and its S256 challenge."""
    verifier = secrets.token_urlsafe(32)
    return verifier, b64(hashlib.sha256(verifier.encode()).digest())


def _head(header: Mapping[str, Any]) -> str:
    return b64(orjson.dumps(header))

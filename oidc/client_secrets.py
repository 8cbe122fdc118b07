"""Client secrets: made by us with 256 random bits, kept as a hash, compared in constant time."""

import hashlib
import hmac
import secrets

_UNKNOWN = hashlib.sha256(b"no client has this secret").digest()


def new_secret() -> str:
    """43 characters, base64url. Shown once at registration."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> bytes:
    """SHA-256. With 256 random bits nothing slower is needed."""
    return hashlib.sha256(secret.encode()).digest()


def secret_matches(sent: str, kept: bytes | None) -> bool:
    """Compares hashes: the time tells nothing of the secret, and is the same for a client that has none."""
    same = hmac.compare_digest(hash_secret(sent), _UNKNOWN if kept is None else kept)
    return same and kept is not None

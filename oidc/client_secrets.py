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


def secret_matches(sent: str, kept: bytes | None, former: bytes | None = None) -> bool:
    """Compares hashes: the time tells nothing of the secret, and is the same for a client that has none.

    former: of the secret before, as long as it holds beside the new one.
    """
    made = hash_secret(sent)
    same = [hmac.compare_digest(made, _UNKNOWN if each is None else each) for each in (kept, former)]
    return (same[0] and kept is not None) or (same[1] and former is not None)

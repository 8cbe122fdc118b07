"""Passwords and code secrets of the personas, derived from one random seed per sandbox."""

import base64
import hashlib
import hmac


def password_of(seed: str, key: str) -> str:
    """Typeable, and different in every sandbox: `An-k7qd-3hpx-xm2e` (75 random bits)."""
    letters = base64.b32encode(_derived(seed, "password", key))[:15].decode().lower()
    return f"{key}-{letters[:5]}-{letters[5:10]}-{letters[10:]}"


def totp_secret_of(seed: str, key: str) -> str:
    """Base32, 32 characters (160 bits, RFC 4226 §4)."""
    return base64.b32encode(_derived(seed, "totp", key)[:20]).decode()


def _derived(seed: str, what: str, key: str) -> bytes:
    return hmac.digest(seed.encode(), f"{what}\x00{key}".encode(), hashlib.sha256)

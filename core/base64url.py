"""base64url without padding (RFC 7515 §2): the alphabet of tokens, keys and hashes."""

import base64


def encode(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Nothing but that alphabet. Raises ValueError."""
    if "+" in text or "/" in text or "=" in text:
        raise ValueError("not base64url")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)

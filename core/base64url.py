"""base64url without padding (RFC 7515 §2): the alphabet of tokens, keys and hashes."""

import binascii

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def encode(octets: bytes) -> str:
    return binascii.b2a_base64(octets, newline=False).translate(_TO_URL).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Nothing but that alphabet. Raises ValueError."""
    if "+" in text or "/" in text or "=" in text:
        raise ValueError("not base64url")
    padded = text.encode("ascii") + b"==="[: -len(text) % 4]
    return binascii.a2b_base64(padded.translate(_FROM_URL), strict_mode=True)

"""Names of the encryption that clients may ask for (RFC 7518 §4.1, §5.1): what core/jwe.py does. Pure."""

from core.jwe import CONTENT_ENCRYPTION, KEY_MANAGEMENT

__all__ = ["CONTENT_ENCRYPTION", "DEFAULT_CONTENT_ENCRYPTION", "KEY_MANAGEMENT"]

DEFAULT_CONTENT_ENCRYPTION = "A128CBC-HS256"
"""OpenID Connect Registration §2: when an algorithm is named and no content encryption."""

"""Names of the content encryption that clients may ask for (RFC 7518 §4.1, §5.1). Pure."""

KEY_MANAGEMENT = ("ECDH-ES", "ECDH-ES+A256KW", "RSA-OAEP-256")
"""No RSA1_5 (RFC 8725 §3.2), nothing symmetric: secrets are kept hashed."""
CONTENT_ENCRYPTION = ("A256GCM", "A128GCM", "A128CBC-HS256", "A256CBC-HS512")
DEFAULT_CONTENT_ENCRYPTION = "A128CBC-HS256"
"""OpenID Connect Registration §2: when an algorithm is named and no content encryption."""

"""Authlib, imported in this one file: its pure functions and metadata classes, never its server.

Its server is synchronous, deletes a code last and allows `plain` challenges; nothing of that is used.
"""

import hmac
import re
from collections.abc import Mapping
from typing import Any

from authlib.oauth2.rfc7591 import ClientMetadataClaims as OAuthClientMetadata
from authlib.oauth2.rfc7591.claims import JoseError
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core.util import create_half_hash
from authlib.oidc.discovery import OpenIDProviderMetadata
from authlib.oidc.registration import ClientMetadataClaims as OidcClientMetadata

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}", re.ASCII)
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class MetadataRefused(Exception):
    """A metadata value does not hold; `field` names it (never its content)."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def is_s256_challenge(challenge: str) -> bool:
    """Whether this can be a SHA-256 in base64url without padding (RFC 7636 §4.2)."""
    return _CHALLENGE.fullmatch(challenge) is not None


def is_code_verifier(verifier: str) -> bool:
    """RFC 7636 §4.1: 43 to 128 unreserved characters."""
    return _VERIFIER.fullmatch(verifier) is not None


def verifier_matches(verifier: str, challenge: str) -> bool:
    """S256, and only that."""
    return hmac.compare_digest(str(create_s256_code_challenge(verifier)), challenge)


def half_hash(value: str, alg: str) -> str:
    """`at_hash` (OpenID Connect Core §3.1.3.6)."""
    # The library knows the old name of the algorithm only (RFC 9864 renames it).
    made: bytes = create_half_hash(value, "EdDSA" if alg == "Ed25519" else alg)
    return made.decode()


def validated_client_metadata(metadata: Mapping[str, Any], server: Mapping[str, Any]) -> dict[str, Any]:
    """Client metadata after RFC 7591 and OpenID Connect Registration, against what we support.

    server: our own metadata document. Unknown members are dropped. Raises MetadataRefused.
    """
    found: dict[str, Any] = {}
    for kind in (OAuthClientMetadata, OidcClientMetadata):
        claims = kind(dict(metadata), {}, kind.get_claims_options(dict(server)))
        try:
            claims.validate()
        except JoseError as error:
            raise MetadataRefused(str(getattr(error, "claim", None) or _field_of(error))) from None
        except (TypeError, AttributeError, ValueError):
            # The library takes the type of some members for granted.
            raise MetadataRefused("metadata") from None
        found.update(claims.get_registered_claims())
    return found


def validate_provider_metadata(document: Mapping[str, Any]) -> None:
    """Checks our discovery document after RFC 8414 and OpenID Connect Discovery. Raises ValueError."""
    OpenIDProviderMetadata(dict(document)).validate()


def _field_of(error: Exception) -> str:
    named = re.search(r"[\"']([a-z_]+)[\"']", str(error))
    return named.group(1) if named else "metadata"

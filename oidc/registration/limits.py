"""What a client of an agency may register for: what the agency's policies hold, and no more. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from oidc import scopes
from oidc.claims import SCOPE_FIELDS
from oidc.errors import OAuthError

Held = Mapping[str, frozenset[str]]
"""Purpose code → fields that the agency's policy for it holds."""


def default_scope(metadata: Mapping[str, Any], held: Held, purpose: str) -> str | None:
    """The scopes of a client that names none: signing in, with the claims that its agency may have.

    OpenID Connect Registration knows no `scope`, RFC 7591 §2 leaves the default to us. None when the metadata
    name scopes, or when they are for a client that acts for itself.
    """
    grant_types = metadata.get("grant_types", ["authorization_code"])
    if "scope" in metadata or not isinstance(grant_types, list) or grant_types == ["client_credentials"]:
        return None
    own = held.get(purpose, frozenset())
    claims = [scope for scope in scopes.CLAIM_SCOPES if own.intersection(SCOPE_FIELDS[scope])]
    offline = [scopes.OFFLINE] if "refresh_token" in grant_types else []
    return " ".join([scopes.OPENID, *claims, *offline])


def refuse_beyond(asked: Iterable[str], details_types: Iterable[str], held: Held, purpose: str) -> None:
    """Raises OAuthError invalid_client_metadata for a scope that no policy of the agency stands behind.

    asked: registered scopes. details_types: `authorization_details_types`. purpose: of the standard scopes.
    """
    own = held.get(purpose, frozenset())
    for scope in asked:
        if scope in SCOPE_FIELDS:
            backed = bool(own.intersection(SCOPE_FIELDS[scope]))
        elif scope.startswith(scopes.PURPOSE_PREFIX):
            backed = scope.removeprefix(scopes.PURPOSE_PREFIX) in held
        else:
            backed = scope != scopes.LOOKUP or bool(held)
        if not backed:
            raise OAuthError(
                "invalid_client_metadata", f"scope holds {scope}, for which the agency has no sharing policy."
            )
    if any(True for _ in details_types) and not held:
        raise OAuthError("invalid_client_metadata", "authorization_details_types needs a sharing policy of the agency.")

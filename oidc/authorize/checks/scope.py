"""What is asked for."""

from oidc import claims_parameter, scopes
from oidc.authorize.asking import Asking
from oidc.errors import OAuthError


def check_scope(asking: Asking) -> None:
    """As `check_known_scope`, where OpenID Connect Core §3.1.2.1 rules: words that are no scope here are ignored, and
    forgotten. What is one, and is not the client's, stays an error: left out in silence, its portal would miss it."""
    asked = scopes.parse(asking.params.get("scope", ""))
    if not set(asked) <= asking.client.scopes:
        asked = scopes.understood(asked)
        asking.params["scope"] = " ".join(asked)
    _take(asking, asked)


def check_known_scope(asking: Asking) -> None:
    """`openid`, and only what the client is registered for. `offline_access` needs the refresh grant.

    At the endpoints whose errors are told to a program: `invalid_scope` stands for an unknown word too (CIBA Core §13,
    RFC 8628 §3.2 by RFC 6749 §5.2), and nobody waits in a browser for what was ignored.
    """
    _take(asking, scopes.parse(asking.params.get("scope", "")))


def _take(asking: Asking, asked: tuple[str, ...]) -> None:
    if scopes.OPENID not in asked:
        raise OAuthError("invalid_scope", "scope must contain openid.")
    if not set(asked) <= asking.client.scopes or scopes.LOOKUP in asked:
        raise OAuthError("invalid_scope", "A scope is not registered for this client.")
    if "refresh_token" not in asking.client.grant_types:
        asked = tuple(scope for scope in asked if scope != scopes.OFFLINE)
    asking.scopes = asked


def check_claims(asking: Asking) -> None:
    """The `claims` parameter, read once. What the agency's policy does not hold is left out later."""
    asking.claims = claims_parameter.parse(
        asking.params.get("claims"), asking.keys.claim_values.concealing(asking.client.client_id)
    )
    asking.claims_kept = asking.claims.to_keep()
    if "claims" in asking.params:
        # A value to compare with is personal data: the cache and the grant keep a fingerprint in its place.
        asking.params["claims"] = asking.claims.to_parameter()

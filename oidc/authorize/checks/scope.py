"""What is asked for."""

from oidc import claims_parameter, scopes
from oidc.authorize.asking import Asking
from oidc.errors import OAuthError


def check_scope(asking: Asking) -> None:
    """`openid`, and only what the client is registered for. `offline_access` needs the refresh grant."""
    asked = scopes.parse(asking.params.get("scope", ""))
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

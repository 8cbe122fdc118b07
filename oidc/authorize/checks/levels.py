"""How, and how freshly, the person has to sign in."""

from oidc.acr import AcrAsk, known_levels
from oidc.authorize.asking import Asking
from oidc.errors import OAuthError, invalid_request

PROMPTS = ("none", "login", "consent", "select_account")
MAX_MAX_AGE = 10 * 365 * 24 * 3600


def check_prompt(asking: Asking) -> None:
    """Known values; `none` stands alone (OpenID Connect Core §3.1.2.1)."""
    asked = frozenset(asking.params.get("prompt", "").split())
    if not asked <= set(PROMPTS):
        raise invalid_request("prompt must be of none, login, consent, select_account.")
    if "none" in asked and len(asked) > 1:
        raise invalid_request("prompt=none cannot be combined.")
    asking.prompts = asked


def check_max_age(asking: Asking) -> None:
    """Seconds; the client's registered default stands in."""
    raw = asking.params.get("max_age")
    if raw is None:
        asking.max_age_seconds = asking.client.default_max_age
        return
    if not (raw.isascii() and raw.isdigit()) or len(raw) > 10:
        raise invalid_request("max_age must be a number of seconds.")
    asking.max_age_seconds = min(int(raw), MAX_MAX_AGE)


def check_acr(asking: Asking) -> None:
    """Essential `acr` of the claims parameter, else `acr_values`, else the client's registered default.

    An essential ask that names only values we do not know cannot be met: refused at once, not weakened.
    """
    ask = asking.claims.id_token.get("acr")
    if ask is not None and ask.essential and ask.values:
        levels = known_levels(ask.values)
        if not levels:
            raise OAuthError("unmet_authentication_requirements", "None of the essential acr values is offered here.")
        asking.acr = AcrAsk(levels, essential=True)
        return
    voluntary = ask.values if ask is not None and ask.values else asking.params.get("acr_values", "").split()
    asking.acr = AcrAsk(known_levels(voluntary) or asking.client.default_levels)

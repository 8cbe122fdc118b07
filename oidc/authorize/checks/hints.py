"""Who is expected, and in which language."""

from core.web.locale import choose_locale
from oidc.authorize.asking import Asking
from oidc.errors import OAuthError, invalid_request
from oidc.id_token_hint import HintRefused, read_hint


def check_id_token_hint(asking: Asking) -> None:
    """An id_token that we issued to this client; it may have expired. Only its person may sign in.

    Its subject is kept in its place: a token has no business in the cache, where the request now goes.
    """
    raw = asking.params.pop("id_token_hint", None)
    if raw is None:
        return
    try:
        hint = read_hint(raw, asking.keys, issuer=asking.issuer)
    except HintRefused:
        raise invalid_request("id_token_hint is not an id_token of ours.") from None
    if hint.client_id != asking.client.client_id:
        raise invalid_request("id_token_hint was issued to another client.")
    asking.hint_subject = hint.subject


def check_asked_subject(asking: Asking) -> None:
    """`claims` may ask for one `sub` (OpenID Connect Core §5.5.1)."""
    ask = asking.claims.id_token.get("sub")
    if ask is None or not ask.values:
        return
    if len(ask.values) > 1 or asking.hint_subject not in {None, ask.values[0]}:
        raise OAuthError("invalid_request", "claims and id_token_hint ask for different subjects.")
    asking.hint_subject = ask.values[0]


def check_ui_locales(asking: Asking) -> None:
    """The first language we speak; others are no error, and of the list no more is kept than that one."""
    asking.locale = choose_locale(asking.params.pop("ui_locales", None))
    if asking.locale is not None:
        asking.params["ui_locales"] = asking.locale

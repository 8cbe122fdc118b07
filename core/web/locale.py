"""The language of a page: asked (`lang`, `ui_locales`), remembered in a cookie, else Vietnamese."""

from starlette.requests import Request

LOCALES = ("vi", "en")
COOKIE = "dd_lang"


def choose_locale(wanted: str | None) -> str | None:
    """The first language tag of a space-separated list (BCP 47, `ui_locales`) that we have; else None."""
    for tag in (wanted or "")[:200].split():
        language = tag.split("-")[0].lower()
        if language in LOCALES:
            return language
    return None


def request_locale(request: Request) -> str:
    """ "vi" or "en" for this request."""
    known: str | None = getattr(request.state, "locale", None)
    if known is None:
        known = (
            choose_locale(request.query_params.get("lang")) or choose_locale(request.cookies.get(COOKIE)) or LOCALES[0]
        )
        request.state.locale = known
    return known


def set_request_locale(request: Request, wanted: str | None) -> None:
    """Lets an interaction's `ui_locales` decide, unless the person chose otherwise on this page."""
    asked = choose_locale(wanted)
    if asked and not choose_locale(request.query_params.get("lang")) and COOKIE not in request.cookies:
        request.state.locale = asked

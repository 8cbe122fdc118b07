"""RP-Initiated Logout as the suite asks for it, and how it looks whether somebody is signed out."""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.actors.browser import Page
from tests.conformance.suite import DISCOVERY, DROP, Conformance

STATE = "of-the-logout"


async def end_session(suite: Conformance, tokens: dict[str, Any], **changes: Any) -> Page:
    return await suite.browser.open(await end_session_url(suite, tokens, **changes))


async def end_session_url(suite: Conformance, tokens: dict[str, Any], **changes: Any) -> str:
    """changes: a parameter that is DROP is left out."""
    params = {
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": suite.client.post_logout_redirect_uris[0],
        "state": STATE,
        **changes,
    }
    told = {name: value for name, value in params.items() if value is not DROP}
    endpoint: str = (await suite.http.get(DISCOVERY)).json()["end_session_endpoint"]
    return endpoint + ("?" + urlencode(told) if told else "")


def sent_back(suite: Conformance, page: Page) -> dict[str, list[str]]:
    assert page.response.is_redirect, (page.url, page.status, page.text[-400:])
    parts = urlsplit(page.response.headers["location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == suite.client.post_logout_redirect_uris[0]
    return parse_qs(parts.query)


async def is_signed_out(suite: Conformance) -> bool:
    page = await suite.open(request := suite.request(prompt="none"))
    return suite.callback(page, request).get("error") == "login_required"

"""oidcc-frontchannel-rp-initiated-logout-certification-test-plan: code, client_secret_basic (2 modules)."""

import re
from collections.abc import AsyncIterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from service.sandbox_conformance import CALLBACK
from tests.actors.browser import Page
from tests.conformance.logout import STATE, end_session, is_signed_out
from tests.conformance.suite import DISCOVERY, Conformance
from tests.support.furnished import Furnished


@pytest.fixture
async def framed(furnished: Furnished) -> AsyncIterator[Conformance]:
    """A client that wants its address loaded in the browser."""
    async with furnished.browser() as browser:
        client = furnished.client("conformance-frontchannel-1")
        yield Conformance(furnished, browser, client, furnished.persona("An"))


def loaded_by(page: Page) -> list[str]:
    """The addresses that a browser loads with this page, and that the page's own policy lets it load."""
    found = [unescape(address) for address in re.findall(r'<iframe [^>]*\bsrc="([^"]*)"', page.text)]
    policy = dict(
        part.strip().partition(" ")[::2] for part in page.response.headers["content-security-policy"].split(";")
    )
    allowed = set(policy["frame-src"].split())
    return [address for address in found if "{0.scheme}://{0.netloc}".format(urlsplit(address)) in allowed]


async def test_oidcc_frontchannel_logout_discovery_endpoint_verification(framed: Conformance) -> None:
    answer = await framed.http.get(DISCOVERY)
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    document = answer.json()
    assert document["frontchannel_logout_supported"] is True
    assert document["frontchannel_logout_session_supported"] is True
    assert document["end_session_endpoint"].startswith(f"{framed.issuer}/")


async def test_oidcc_frontchannel_rp_initiated_logout(framed: Conformance) -> None:
    """Loaded with iss and sid and nothing else; then, by itself or by the link, back to the suite with its state."""
    tokens = await framed.tokens(framed.request(state="s" * 128))
    page = await end_session(framed, tokens)
    assert page.status == 200
    (address,) = loaded_by(page)
    wanted = urlsplit(framed.client.redirect_uris[0].removesuffix(CALLBACK) + "/frontchannel_logout")
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.path) == (wanted.scheme, wanted.netloc, wanted.path)
    query = parse_qs(parts.query, strict_parsing=True)
    assert query == {"iss": [framed.issuer], "sid": [tokens["claims"]["sid"]]}
    target = f"{framed.client.post_logout_redirect_uris[0]}?state={STATE}"
    link = re.search(r'id="logout-continue" href="([^"]*)"', page.text)
    assert link
    assert unescape(link[1]) == target
    assert re.fullmatch(rf"[1-9];url={re.escape(target)}", page.response.headers["refresh"])
    assert await is_signed_out(framed)

"""OpenID Connect Front-Channel Logout 1.0: frames on the signed-out page, then on to the service."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from core.errors import Refusal
from core.jose import decode_unverified
from oidc.logout.frames import FrontChannel, policy_with_frames
from tests.actors.relying_party import RelyingParty
from tests.support.provider_fixture import world
from tests.support.provider_world import SIGNED_OUT, CitizenBrowser, ProviderWorld

__all__ = ["world"]

FIRST = "https://rp.example/front?a=b"
SECOND = "https://other.example:8443/front"


def frames_of(page: httpx.Response) -> list[str]:
    """The addresses that the page loads; each in a frame that may not lead the page away."""
    frames = re.findall(r"<iframe ([^>]*)>", page.text)
    assert all('sandbox="allow-scripts allow-same-origin"' in frame for frame in frames)
    assert all('title="' in frame and "hidden" in frame for frame in frames)
    return [unescape(address) for frame in frames for address in re.findall(r'src="([^"]*)"', frame)]


def frame_sources(page: httpx.Response) -> set[str]:
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";"))
    return set(policy.get("frame-src", "").split())


async def portals(world: ProviderWorld) -> tuple[RelyingParty, RelyingParty]:
    """One that asks for `iss` and `sid`, one that does not."""
    world.clock.advance(timedelta(seconds=30))
    first = await world.register(frontchannel_logout_uri=FIRST, frontchannel_logout_session_required=True)
    second = await world.register(
        redirect_uris=["https://other.example:8443/callback"],
        post_logout_redirect_uris=[],
        frontchannel_logout_uri=SECOND,
    )
    return first, second


async def visit(
    world: ProviderWorld, portal: RelyingParty, browser: CitizenBrowser | None = None
) -> tuple[CitizenBrowser, dict[str, Any]]:
    browser = browser or world.browser()
    attempt, got = await browser.walk(portal, scope="openid")
    return browser, (await portal.exchange(attempt, got["code"])).json()


async def test_frames_then_back_to_the_service(world: ProviderWorld) -> None:
    first, second = await portals(world)
    browser, tokens = await visit(world, first)
    await visit(world, second, browser)
    params = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": SIGNED_OUT, "state": 'x"&;y'}
    page = await browser.http.get("/logout", params=params)
    assert page.status_code == 200
    mine, others = sorted(frames_of(page), key=lambda address: "other" in address)
    assert others == SECOND
    query = parse_qs(urlsplit(mine).query, strict_parsing=True)
    sid = decode_unverified(tokens["id_token"]).claims["sid"]
    assert query == {"a": ["b"], "iss": [world.issuer], "sid": [sid]}
    assert frame_sources(page) == {"https://rp.example", "https://other.example:8443"}
    assert "script-src" not in page.headers["content-security-policy"]
    target = f"{SIGNED_OUT}?state=x%22%26%3By"
    link = re.search(r'<a class="button" id="logout-continue" href="([^"]*)"', page.text)
    assert link
    assert unescape(link[1]) == target
    assert page.headers["refresh"] == f"3;url={target}"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    # The session had ended before the frames were shown.
    assert (await browser.http.get(first.ask(prompt="none").url)).headers["location"].count("login_required") == 1
    again = await browser.http.get("/logout", params=params)
    assert again.headers["location"] == target, "signed out already: nobody is left to tell"


async def test_after_the_question(world: ProviderWorld) -> None:
    first, _ = await portals(world)
    browser, _ = await visit(world, first)
    await browser.open("/logout")
    page = await browser.send("logout-form", decision="sign-out")
    assert len(frames_of(page)) == 1
    assert frame_sources(page) == {"https://rp.example"}
    assert "refresh" not in page.headers
    assert 'id="logout-continue"' not in page.text


async def test_nobody_stays_signed_in_by_staying(world: ProviderWorld) -> None:
    first, _ = await portals(world)
    browser, _ = await visit(world, first)
    await browser.open("/logout")
    page = await browser.send("logout-form", decision="stay")
    assert frames_of(page) == []


@pytest.mark.parametrize("way", ["signout", "end-all", "end-own"])
async def test_signing_out_on_our_own_pages(world: ProviderWorld, way: str) -> None:
    """The pages of identity know of no service; the browser comes by the page that does."""
    first, _ = await portals(world)
    browser, tokens = await visit(world, first)
    if way == "signout":
        await browser.open("/signout")
        sent = await browser.http.post("/signout", data={"csrf": _csrf(browser)})
    else:
        page = await browser.open("/me/signins")
        sid = decode_unverified(tokens["id_token"]).claims["sid"]
        assert sid in page.text
        form = {"action": "end-all"} if way == "end-all" else {"action": "end", "sid": str(sid)}
        sent = await browser.http.post("/me/signins", data={"csrf": _csrf(browser), **form})
    assert sent.status_code == 303
    assert sent.headers["location"].startswith("/logout/done?t=")
    page = await browser.http.get(sent.headers["location"])
    assert len(frames_of(page)) == 1
    assert 'id="logout-result"' in page.text
    # Once: shown again, or with a ticket that somebody made up, it is a page that loads nothing.
    for address in (sent.headers["location"], "/logout/done", "/logout/done?t=" + "A" * 35, "/logout/done?t="):
        plain = await browser.http.get(address)
        assert plain.status_code == 200
        assert frames_of(plain) == []
        assert frame_sources(plain) == set()


def _csrf(browser: CitizenBrowser) -> str:
    assert browser.page is not None
    found = re.search(r'name="csrf" value="([^"]*)"', browser.page.text)
    assert found
    return found[1]


async def test_without_such_services_nothing_changes(world: ProviderWorld) -> None:
    world.clock.advance(timedelta(seconds=30))
    browser, _ = await visit(world, await world.register())
    await browser.open("/signout")
    sent = await browser.http.post("/signout", data={"csrf": _csrf(browser)})
    assert sent.headers["location"] == "/signedout"


async def test_who_is_not_framed(world: ProviderWorld) -> None:
    """A service of another session, a code never redeemed, a suspended client."""
    first, second = await portals(world)
    browser, _ = await visit(world, first)
    await browser.walk(second, scope="openid")
    other = world.browser()
    await other.walk(first, "Binh", scope="openid")
    await world.fetch("UPDATE oidc.clients SET state = 'suspended' WHERE client_id = $1", first.client_id)
    await browser.open("/logout")
    assert frames_of(await browser.send("logout-form", decision="sign-out")) == []


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/front",
        "http://rp.example/front",
        "https://rp.example:444/front",
        "https://rp.example/front#a",
        "javascript:alert(1)",
    ],
)
async def test_the_address_belongs_to_the_service(world: ProviderWorld, address: str) -> None:
    """§2: scheme, host and port of a redirect address."""
    with pytest.raises(Refusal, match="invalid-client-metadata"):
        await world.register(frontchannel_logout_uri=address)


async def test_metadata(world: ProviderWorld) -> None:
    document = (await world.http().get("/.well-known/openid-configuration")).json()
    assert document["frontchannel_logout_supported"] is True
    assert document["frontchannel_logout_session_supported"] is True


def test_addresses_and_policy() -> None:
    assert FrontChannel("https://rp.example/x", False).address(issuer="https://op", sid="s") == "https://rp.example/x"
    with_both = FrontChannel("https://rp.example/x", True).address(issuer="https://op", sid="s&t")
    assert with_both == "https://rp.example/x?iss=https%3A%2F%2Fop&sid=s%26t"
    assert "frame-src" not in policy_with_frames([])
    assert policy_with_frames([with_both, "https://rp.example/y"]).endswith("; frame-src https://rp.example")

"""Signing out in a real browser on real processes: services are told through frames and behind the browser's back.

Follows the journey: it shares its sandbox.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.async_api import Page, expect

from core.jose import decode_unverified
from tests.actors.relying_party import basic
from tests.browser.conftest import Window
from tests.browser.running import Running
from tests.browser.screen import Screen
from tests.support.certificates import Authority
from tests.support.other_servers import OtherServer, answers, other_server

pytestmark = pytest.mark.browser

TOLD_WITHIN_MS = 20_000
A_PAGE = b"<!doctype html><html lang=en><title>A service</title><link rel=icon href=data:,><p>Here is the service.</p>"


@pytest.fixture
async def stranger(service: Running, tmp_path: Path) -> AsyncIterator[OtherServer]:
    """The service of the conformance clients: a plain page at every address."""
    tls = Authority.made(tmp_path / "ca").server("localhost")
    page = answers(A_PAGE, content_type="text/html")
    async with other_server(page, tls, service.stranger_port) as running:
        yield running


async def enrolment(screen: Screen, key: str) -> None:
    """Signs in at the demo portal, agreeing to everything that is asked."""
    await screen.open(screen.service.portal)
    await screen.click("#sign-in")
    await screen.sign_in(key)
    await agree(screen.page)
    await screen.page.wait_for_url(f"{screen.service.portal}/apply")


async def agree(page: Page) -> None:
    if await page.locator("#consent-form").count():
        for box in await page.locator("#consent-form input[type=checkbox]").all():
            await box.check()
        await page.click("#consent-allow")


async def test_services_and_the_back_channel(window: Window) -> None:
    """From the list of services back into the portal; signed out here, the portal knows it without the browser."""
    screen = await window()
    page, portal = screen.page, screen.service.portal
    await enrolment(screen, "Binh")
    await screen.open("/me/services")
    await expect(page.locator("#service-1")).to_have_text("Cổng tuyển sinh đầu cấp Hà Nội")
    await screen.look("services")
    await screen.tabs()
    await screen.click("#service-start-1")
    await page.wait_for_url(f"{portal}/apply")

    await screen.open("/signout")
    await screen.click("#signout-submit")
    await expect(page.locator("#signed-out")).to_be_visible()
    for _ in range(TOLD_WITHIN_MS // 500):
        answer = await page.request.get(f"{portal}/apply", max_redirects=0)
        if answer.status == 303:
            break
        await asyncio.sleep(0.5)
    await screen.open(f"{portal}/apply")
    assert page.url == f"{portal}/", "the visit has ended"


async def signed_in_at(screen: Screen, http: httpx.AsyncClient, client_id: str, key: str) -> str:
    """The whole way of a conformance client, in this window; gives its id_token."""
    service = screen.service
    client = service.client(client_id)
    redirect = f"https://localhost:{service.stranger_port}/callback"
    query = {
        "client_id": client_id,
        "redirect_uri": redirect,
        "response_type": "code",
        "scope": "openid",
        "nonce": "n",
        "state": "s",
    }
    await screen.open(f"/authorize?{urlencode(query)}")
    if await screen.page.locator("#signin-form").count():
        await screen.sign_in(key, code=False)
        if await screen.page.locator("#code-form").count():
            await screen.enter_code(service.persona(key))
    await agree(screen.page)
    await screen.page.wait_for_url(f"{redirect}?*")
    code = parse_qs(urlsplit(screen.page.url).query)["code"][0]
    answer = await http.post(
        "/token",
        data={"grant_type": "authorization_code", "code": code, "redirect_uri": redirect},
        headers={"Authorization": basic(client_id, client["client_secret"])},
    )
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["id_token"]
    return token


@pytest.mark.parametrize("script", [True, False])
async def test_frames_and_back_to_the_service(
    window: Window, service: Running, stranger: OtherServer, script: bool
) -> None:
    """The frame is loaded, with the session, and the browser goes on by itself; scripts or none."""
    screen = await window(script=script, strangers=True)
    async with httpx.AsyncClient(base_url=service.issuer) as http:
        hint = await signed_in_at(screen, http, "conformance-frontchannel-1", "Binh")
    back = f"https://localhost:{service.stranger_port}/post_logout_redirect"
    query = {"id_token_hint": hint, "post_logout_redirect_uri": back, "state": "abc"}
    stranger.asked.clear()
    await screen.open(f"/logout?{urlencode(query)}")
    await expect(screen.page.locator("#logout-continue")).to_be_visible()
    await screen.page.screenshot(path=screen.shots / f"logout-going-on{'' if script else '-without-script'}.png")
    await screen.page.wait_for_url(f"{back}?state=abc")
    (told,) = told_of(stranger)
    claims = decode_unverified(hint).claims
    assert told == {"iss": [service.issuer], "sid": [claims["sid"]]}


async def test_the_signed_out_page(window: Window, service: Running, stranger: OtherServer) -> None:
    """As a person sees it who was asked first, and stays; nothing sticks out, axe has no complaint."""
    screen = await window(strangers=True)
    async with httpx.AsyncClient(base_url=service.issuer) as http:
        await signed_in_at(screen, http, "conformance-frontchannel-1", "Binh")
    stranger.asked.clear()
    await screen.open("/logout")
    await screen.look("logout-question")
    await screen.tabs()
    await screen.click("#logout-submit")
    await expect(screen.page.locator("#logout-result")).to_be_visible()
    await expect(screen.page.locator("iframe")).to_be_hidden()
    await screen.look("logout-done")
    await screen.tabs()
    assert len(told_of(stranger)) == 1


def told_of(stranger: OtherServer) -> list[dict[str, Any]]:
    """The queries of what came by the front channel."""
    return [
        parse_qs(urlsplit(asked.path).query)
        for asked in stranger.asked
        if asked.path.startswith("/frontchannel_logout")
    ]

"""A real browser goes on from our form to an app's own address, under the policy that our pages have (RFC 8252 §7)."""

import asyncio

import pytest
from playwright.async_api import Browser, ConsoleMessage, Request

from core.web.headers import content_security_policy
from oidc.redirect_uris import origin_of
from tests.support.other_servers import Asked, OtherServer, answers, other_server

pytestmark = pytest.mark.browser

FORM = (
    b"<!doctype html><html lang=en><title>A form</title><form method=post action=/go><button id=go>Go</button></form>"
)
PATIENCE_SECONDS = 20.0
AFTER = "?code=c&state=s"


@pytest.mark.parametrize(
    "address",
    [
        "com.example.app:/oauth2redirect",
        "http://127.0.0.1:51004/callback",
        "http://[::1]:51004/callback",
        "https://app.example/callback",
    ],
)
@pytest.mark.parametrize("named", [True, False])
async def test_the_policy_lets_the_browser_go_to_the_app(chromium: Browser, address: str, *, named: bool) -> None:
    """Not named, it is held back: what is named is what opens the way."""
    policy = content_security_policy([origin_of(address)] if named else [])
    page_of_ours = answers(FORM, content_type="text/html", Content_Security_Policy=policy)
    onward = answers(b"", status="303 See Other", Location=address + AFTER)

    async def ours(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await (onward if asked.method == "POST" else page_of_ours)(asked, writer)

    async with other_server(ours, None) as server:
        assert await _comes_by(chromium, server, address + AFTER) is named


async def _comes_by(chromium: Browser, server: OtherServer, address: str) -> bool:
    """Whether the browser asks for the address after the form, or says that the policy forbids it."""
    page = await chromium.new_page()
    ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def end(went: bool) -> None:
        if not ended.done():
            ended.set_result(went)

    def requested(request: Request) -> None:
        if request.url == address:
            end(True)

    def said(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            end(False)

    page.on("request", requested)
    page.on("console", said)
    try:
        await page.goto(server.url("/", host="127.0.0.1", scheme="http"))
        await page.click("#go", no_wait_after=True)
        return await asyncio.wait_for(ended, PATIENCE_SECONDS)
    finally:
        await page.close()

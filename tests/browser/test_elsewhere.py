"""What is answered elsewhere, in a real browser on real processes: a desk asks, a kiosk shows a code.

Follows the journey: it shares its sandbox, and leaves its people as it found them.
"""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from core.clock import SystemClock
from core.jose import SigningKey
from tests.actors.relying_party import RelyingParty
from tests.browser.conftest import Window
from tests.browser.running import Running
from tests.browser.screen import Screen

pytestmark = pytest.mark.browser

CIBA = "urn:openid:params:grant-type:ciba"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
MESSAGE = "Quầy 7 · 4711"
SCOPE = "openid profile address"


@pytest.fixture
async def http(service: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=service.issuer) as opened:
        yield opened


def party(service: Running, http: httpx.AsyncClient, client_id: str) -> RelyingParty:
    told = service.client(client_id)
    key = told.get("private_jwk")
    return RelyingParty(
        http=http,
        clock=SystemClock(),
        issuer=service.issuer,
        client_id=client_id,
        method=told["auth_method"],
        secret=told.get("client_secret"),
        key=None if key is None else SigningKey.from_jwk(key),
    )


async def asks(desk: RelyingParty, number: str, **changes: Any) -> str:
    params = {"login_hint": number, "scope": SCOPE, "binding_message": MESSAGE, **changes}
    answer = await desk.post("/bc-authorize", params)
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["auth_req_id"]
    return found


async def shows(kiosk: RelyingParty) -> dict[str, Any]:
    answer = await kiosk.post("/device_authorization", {"scope": SCOPE})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def collected(party: RelyingParty, grant_type: str, **secret: str) -> httpx.Response:
    return await party.post("/token", {"grant_type": grant_type, **secret})


async def agree(screen: Screen) -> None:
    """Ticks all and agrees, when data is asked for."""
    for box in await screen.page.locator("#consent-form input[type=checkbox]").all():
        await box.check()
    await screen.click("#consent-allow")


async def test_a_desk_asks_and_the_citizen_answers(window: Window, service: Running, http: httpx.AsyncClient) -> None:
    """The list, one request, consent, allowed; then one refused."""
    desk, screen = party(service, http, "desk-one-stop"), await window()
    page, binh = screen.page, service.persona("Binh")
    await screen.open("/me/requests")
    await screen.sign_in("Binh", code=False)
    await expect(page.locator("#no-requests")).to_be_visible()
    await screen.look("me-7-requests-empty")
    asked = await asks(desk, binh.number)
    await screen.open("/me/requests")
    await screen.sees(MESSAGE)
    await screen.look("me-7-requests")
    await screen.tabs()
    await screen.stretch(".request h2, .request dd", "Trung tâm Phục vụ hành chính công tỉnh rất dài " * 3 + "x" * 60)
    await screen.look("long-values-4-requests")
    await screen.open("/me/requests")
    await screen.click(".request a.button")
    await expect(page.locator("#binding-message")).to_have_text(MESSAGE)
    assert await screen.size("#request-allow") == await screen.size("#request-refuse"), "refusing is as easy"
    await screen.look("me-7-request")
    await screen.tabs()
    await screen.click("#language")
    await screen.title("Do you allow this?")
    await screen.look("en-me-7-request")
    await screen.open("/me/requests")
    await screen.look("en-me-7-requests")
    await screen.click(".request a.button")
    await screen.click("#request-allow")
    if await page.locator("#code").count():
        await screen.enter_code(binh)
    await expect(page.locator("#consent-form")).to_be_visible()
    await agree(screen)
    await expect(page.locator("#request-outcome")).to_have_attribute("data-outcome", "allowed")
    await screen.look("en-me-7-request-allowed")
    await screen.click("#language")
    await screen.look("me-7-request-allowed")
    tokens = await collected(desk, CIBA, auth_req_id=asked)
    assert tokens.status_code == 200, tokens.text

    refused = await asks(desk, binh.number)
    await screen.open("/me")
    if await page.locator("#code").count():
        await screen.enter_code(binh)
    await expect(page.locator("#waiting-requests")).to_be_visible()
    await screen.look("me-7-banner")
    await page.locator("#waiting-requests a").click()
    await screen.click(".request a.button")
    await screen.click("#request-refuse")
    await expect(page.locator("#request-outcome")).to_have_attribute("data-outcome", "refused")
    await screen.look("me-7-request-refused")
    assert (await collected(desk, CIBA, auth_req_id=refused)).json()["error"] == "access_denied"

    short = await asks(desk, binh.number, requested_expiry="4")
    await screen.open("/me/requests")
    await screen.click(".request a.button")
    await page.wait_for_timeout(4_500)
    assert (await collected(desk, CIBA, auth_req_id=short)).json()["error"] == "expired_token"
    await screen.click("#request-allow")
    await expect(page.locator("#request-outcome")).to_have_attribute("data-outcome", "expired")
    await screen.look("me-7-request-expired")
    await screen.open("/me/history?show=all")
    await screen.sees("Bạn cho phép một yêu cầu", "Bạn từ chối một yêu cầu")


async def test_a_kiosk_shows_a_code(window: Window, service: Running, http: httpx.AsyncClient) -> None:
    """Without script, in both languages: wrong code, the right one, unsure, allowed; another one refused."""
    kiosk, screen = party(service, http, "conformance-device-1"), await window()
    page = screen.page
    await screen.open("/device")
    await screen.look("device-1-code")
    await screen.tabs()
    await screen.fill(user_code="BBBB-BBBB")
    await screen.click("#device-submit")
    await expect(page.locator("#error-summary")).to_be_focused()
    await screen.look("device-1-code-wrong")
    told = await shows(kiosk)
    await screen.open(told["verification_uri_complete"])
    await expect(page.locator("#user_code")).to_have_value(told["user_code"])
    await screen.click("#device-submit")
    await expect(page.locator("#user-code")).to_have_text(told["user_code"])
    assert await screen.size("#device-allow") == await screen.size("#device-refuse"), "refusing is as easy"
    await screen.look("device-2-confirm")
    await screen.tabs()
    await screen.click("#device-allow")
    await expect(page.locator("#error-summary")).to_be_focused()
    await screen.look("device-2-confirm-unsure")
    await screen.tick(["#same"])
    await screen.click("#device-allow")
    await expect(page.locator("#client-name")).to_be_visible()
    await screen.look("device-3-signin")
    await screen.sign_in("Uyen", code=False)
    await expect(page.locator("#consent-form")).to_be_visible()
    await agree(screen)
    await expect(page.locator("#device-outcome")).to_have_attribute("data-outcome", "allowed")
    await screen.look("device-4-allowed")
    tokens = await collected(kiosk, DEVICE, device_code=told["device_code"])
    assert tokens.status_code == 200, tokens.text

    screen = await window(script=False)
    page = screen.page
    told = await shows(kiosk)
    await screen.open("/device")
    await screen.click("#language")
    await screen.title("Enter the code on the screen")
    await screen.look("en-device-1-code")
    await screen.fill(user_code=told["user_code"].lower())
    await screen.click("#device-submit")
    await screen.look("en-device-2-confirm")
    await screen.click("#device-refuse")
    await expect(page.locator("#device-outcome")).to_have_attribute("data-outcome", "refused")
    await screen.look("en-device-4-refused")
    assert (await collected(kiosk, DEVICE, device_code=told["device_code"])).json()["error"] == "access_denied"
    await screen.open("/device/allowed")
    await screen.look("en-device-4-allowed")

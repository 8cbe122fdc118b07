"""An agency's administrators and their clients, and a developer at the sandbox, in a real browser."""

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.conftest import Window
from tests.browser.screen import Screen

pytestmark = pytest.mark.browser

LIST = "/official/clients"
PORTAL = "Cổng học bạ số"
LONG = "Cổng tuyển sinh trực tuyến và tra cứu kết quả học tập của học sinh phổ thông trên toàn thành phố Hà Nội"


async def administrator(window: Window, key: str, *, script: bool = True) -> Screen:
    screen = await window(script=script)
    await screen.open(LIST)
    await screen.sign_in(key)
    await screen.page.wait_for_url("**/official")  # with one appointment there is nothing to choose
    return screen


async def test_a_client_from_the_proposal_to_its_end(window: Window) -> None:
    first = await administrator(window, "Giang")
    await expect(first.page.locator("#to-clients")).to_be_visible()
    await first.look("clients-0-desk")
    await first.click("#to-clients")
    await first.look("clients-1-list")
    await first.tabs()
    await first.click("#new-client")
    await first.look("clients-2-form")
    await first.tabs()
    await first.fill(name_vi=PORTAL, redirect_uris="http://evil.example/cb")
    await first.click("#client-submit")
    await expect(first.page.locator("#error-summary")).to_be_focused()
    await first.look("clients-2-form-errors")
    await first.fill(name_en="Digital school reports", redirect_uris="https://hoc-ba.example/cb")
    await first.tick(["#use-sign-in", "#use-stay", "#scope-1", "#profile-standard"])
    await first.page.locator("#auth_method").select_option("client_secret_basic")
    await first.click("#client-submit")
    await expect(first.page.locator("#told")).to_be_visible()
    await first.look("clients-3-proposed")
    await first.page.get_by_role("link", name=PORTAL).first.click()
    await expect(first.page.locator("#mine")).to_be_visible()
    await first.look("clients-3-review-mine")

    second = await administrator(window, "Van")
    await second.open(LIST)
    await second.page.get_by_role("link", name=PORTAL).first.click()
    await second.look("clients-4-review")
    await second.tabs()
    await second.click("#review-approve")
    await expect(second.page.locator("#told")).to_be_visible()
    await second.page.get_by_role("link", name=PORTAL).first.click()
    await expect(second.page.locator("#to-suspend")).to_be_visible()
    await second.look("clients-5-client")
    await expect(second.page.locator("#no-secret")).to_be_visible()
    await second.click("#to-secret")
    await expect(second.page.locator("#secret-form")).to_be_visible()
    await second.look("clients-6-secret-ask")
    await second.click("#secret-submit")
    await expect(second.page.locator("#client-secret")).to_be_visible()
    await second.look("clients-6-secret")
    await second.click("#secret-kept")

    client_id = await second.page.locator("dl.facts code").first.inner_text()
    issuer = second.service.issuer
    async with httpx.AsyncClient() as http:
        await http.post(f"{issuer}/token", data={"grant_type": "password"}, auth=(client_id, "wrong"))
        await http.post(f"{issuer}/token", data={"grant_type": "password", "client_id": client_id})
    await second.open(f"{LIST}/{client_id}")
    await second.look("clients-7-errors")
    await second.tabs()

    await first.open(f"{LIST}/{client_id}/change")
    await first.look("clients-8-change")
    await first.fill(name_vi=LONG)
    await first.click("#client-submit")
    await first.page.get_by_role("link", name=PORTAL).first.click()
    await expect(first.page.locator("#changes")).to_be_visible()
    await first.look("clients-8-change-review")
    await second.open(LIST)
    await second.page.get_by_role("link", name=PORTAL).first.click()
    await second.click("#review-approve")
    await expect(second.page.locator("#told")).to_be_visible()
    await second.look("clients-9-list-long")
    await second.open(f"{LIST}/{client_id}/suspend")
    await second.click("#suspend-submit")
    await expect(second.page.locator("#error-summary")).to_be_focused()
    await second.look("clients-10-suspend")
    await second.fill(reason="Mã bí mật bị lộ")
    await second.click("#suspend-submit")
    await expect(second.page.locator("#to-reinstate")).to_be_visible()
    await second.look("clients-10-suspended")
    await second.click("#to-reinstate")
    await expect(second.page.locator("#reinstate-form")).to_be_visible()
    await second.look("clients-10-reinstate")
    await second.click("#reinstate-submit")
    await expect(second.page.locator("#to-suspend")).to_be_visible()

    await second.open(f"{LIST}/tokens")
    await second.look("clients-11-tokens")
    await second.tabs()
    await second.fill(note="Nhà thầu hệ thống học bạ", uses="0")
    await second.click("#token-submit")
    await expect(second.page.locator("#error-summary")).to_be_focused()
    await second.fill(uses="2")
    await second.click("#token-submit")
    await expect(second.page.locator("#initial-token")).to_be_visible()
    await second.look("clients-11-token-made")

    await second.open(f"/sandbox/clients/{client_id}/requests")
    await second.look("clients-12-sandbox-requests")
    await second.tabs()


async def test_in_english_without_script(window: Window) -> None:
    screen = await administrator(window, "Van", script=False)
    await screen.open(f"{LIST}?lang=en")
    await screen.title("Clients")
    await screen.look("en-clients-1-list")
    await screen.open(f"{LIST}/new")
    await screen.look("en-clients-2-form")
    await screen.click("#client-submit")
    await expect(screen.page.locator("#error-summary")).to_be_visible()
    await screen.look("en-clients-2-form-errors")
    await screen.open(f"{LIST}/portal-enrolment")
    await screen.look("en-clients-5-client")
    await screen.open(f"{LIST}/tokens")
    await screen.look("en-clients-11-tokens")


async def test_a_developer_at_the_sandbox(window: Window) -> None:
    screen = await window()
    await screen.open("/")
    await screen.click("#to-sandbox-clients")
    await screen.look("sandbox-clients")
    await screen.tabs()
    await screen.page.get_by_role("link", name="portal-fapi").click()
    await screen.look("sandbox-requests-empty")
    await screen.open("/authorize?client_id=portal-fapi&response_type=code&redirect_uri=https%3A%2F%2Frp.example%2Fx")
    await screen.open("/sandbox/clients/portal-fapi/requests")
    await expect(screen.page.locator("#requests")).to_be_visible()
    await screen.look("sandbox-requests")
    await screen.click("#language")
    await screen.look("en-sandbox-requests")

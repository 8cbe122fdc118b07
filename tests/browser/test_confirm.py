"""A service that asks for a pseudonym alone: the page that says so, answered and refused, on desktop and phone."""

from urllib.parse import parse_qs, urlsplit

from playwright.async_api import expect

from tests.browser.conftest import Window


async def test_a_pseudonym_alone_is_confirmed_or_refused(window: Window) -> None:
    screen = await window()
    page = screen.page
    await screen.open(screen.request_of_portal(prompt="consent"))
    await screen.sign_in("Hoa", code=False)
    await expect(page.locator("#consent-form")).to_be_visible()
    await screen.title("Đăng nhập vào “Cổng tuyển sinh đầu cấp Hà Nội”?")
    assert await page.locator("#consent-form input[type=checkbox]").count() == 0
    await screen.look("confirm-pseudonym")
    await screen.tabs()
    async with page.expect_request(lambda asked: "error=access_denied" in asked.url) as refused:
        await screen.click("#consent-refuse")
    assert parse_qs(urlsplit((await refused.value).url).query)["state"] == ["s" * 22]
    await screen.open(screen.request_of_portal(prompt="consent"))
    async with page.expect_request(lambda asked: "code=" in asked.url) as allowed:
        await screen.click("#consent-allow")
    assert "error" not in parse_qs(urlsplit((await allowed.value).url).query)

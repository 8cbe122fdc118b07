"""The self-declared profile in a browser: both languages, errors, saving, erasing; then what a portal asks for."""

from playwright.async_api import expect

from tests.browser.conftest import Window

LONG = "https://example.vn/" + "mot-dia-chi-rat-dai-" * 20


async def test_the_holder_says_something_of_himself(window: Window) -> None:
    screen = await window()
    page = screen.page
    await screen.open("/me/profile")
    await screen.sign_in("Dung", code=False)  # nobody else does: an account that a test locked stays locked
    await page.wait_for_url("**/me/profile")
    await screen.title("Hồ sơ tự khai")
    await screen.look("profile-1-empty")
    await screen.tabs()
    assert await page.locator("#erase-form").count() == 0, "nothing is there to erase"

    await screen.fill(nickname="036190990001", website="http://example.vn")
    await screen.click("#profile-save")
    await expect(page.locator("#error-summary")).to_be_focused()
    await screen.look("profile-2-errors")
    await screen.fill(nickname="Dũng", website=LONG, picture="https://example.vn/d.jpg")
    await page.locator("#locale").select_option("Tày")
    await page.locator("#zoneinfo").select_option("Asia/Ho_Chi_Minh")
    await screen.click("#profile-save")
    await expect(page.locator("#saved")).to_be_visible()
    await screen.look("profile-3-saved")

    await screen.click("#language")
    await screen.title("Self-declared profile")
    await expect(page.locator("#nickname")).to_have_value("Dũng")
    await expect(page.locator("#locale")).to_have_value("tyz")
    await screen.look("profile-4-english")
    await screen.tabs()
    await screen.fill(website="")
    await screen.click("#profile-save")
    await expect(page.locator("#website")).to_have_value("")
    await screen.open("/me/history?show=all")
    await screen.sees("You changed your self-declared profile", "Nickname (self-declared)")

    await screen.open("/me/profile")
    await screen.click("#profile-erase")
    await expect(page.locator("#saved")).to_be_visible()
    await expect(page.locator("#nickname")).to_have_value("")


async def test_without_script(window: Window) -> None:
    screen = await window(script=False)
    await screen.open("/me/profile")
    await screen.sign_in("Van", code=False)
    await screen.fill(nickname="Vân")
    await screen.click("#profile-save")
    await screen.look("profile-5-without-script")
    assert await screen.page.locator("#nickname").input_value() == "Vân"

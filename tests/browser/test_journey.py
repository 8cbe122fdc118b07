"""The main job in a real browser, on real processes: every page seen on a desktop and on a phone.

The tests share one sandbox and follow each other: what An agreed to in the first is withdrawn in the third.
"""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Window

pytestmark = pytest.mark.browser

PURPOSES = "#consent-form input[type=checkbox]"
CHILDREN = {"Trần Minh Khôi", "Trần Gia My"}
SCHOOL = "Sở Giáo dục và Đào tạo Hà Nội"
LONG = "Công Tằng Tôn Nữ Nguyễn Phước Huyền Trân Thị Bảo Ngọc, Thôn Đắk Pơ Kơng, Xã Đăk Rơ Ông, Tỉnh Quảng Ngãi "
UNBROKEN = "cong.tang.ton.nu.nguyen.phuoc.huyen.tran.thi.bao.ngoc.khong.nghi@co-quan-rat-dai.example"
DOSSIER = "H26.01-261122-0007"


async def test_enrolment_of_a_child(window: Window) -> None:
    """Portal, sign-in, consent, a form filled from the record, sign-out at the portal and here."""
    screen = await window()
    page = screen.page
    await screen.open(screen.service.portal)
    await screen.look("portal-1-start")
    await screen.tabs()
    await screen.click("#sign-in")
    await expect(page.locator("#client-name")).to_have_text("Cổng tuyển sinh đầu cấp Hà Nội")
    await screen.look("signin")
    await screen.tabs()
    await screen.sign_in("An", code=False)
    await screen.look("signin-code")
    await screen.tabs()
    await screen.enter_code(screen.service.persona("An"))

    await expect(page.locator("h1")).to_contain_text(SCHOOL)
    boxes = page.locator(PURPOSES)
    assert await boxes.count() >= 5
    assert await page.locator(f"{PURPOSES}:checked").count() == 0, "nothing is ticked beforehand"
    assert await screen.size("#consent-allow") == await screen.size("#consent-refuse"), "refusing is as easy"
    await screen.look("consent")
    await screen.tabs()
    for box in await boxes.all():
        await box.check()
    await screen.click("#consent-allow")

    await page.wait_for_url(f"{screen.service.portal}/apply")
    await expect(page.locator("#parent")).to_have_text("Nguyễn Thị An")
    await expect(page.locator("#birth-date")).to_have_text("02/09/1990")
    assert await page.locator("#papers .known").count() == 3
    for child in CHILDREN:
        await screen.sees(child)
    await screen.look("portal-2-apply")
    await screen.tabs()
    await screen.click("#file")
    await expect(page.locator(".error-summary")).to_be_focused()
    await screen.look("portal-2-apply-error")
    await page.get_by_label("Trần Minh Khôi").check()
    await screen.click("#file")
    await expect(page.locator("#dossier")).to_have_text(re.compile(r"^H26\.\d{6}$"))
    await screen.look("portal-3-filed")

    await screen.click("#sign-out")
    await page.wait_for_url(f"{screen.service.portal}/signed-out")
    await screen.look("portal-4-signed-out")
    await screen.open("/me")
    await expect(page.locator("#signin-form")).to_be_visible()


async def test_official_at_the_desk(window: Window) -> None:
    """Appointment, dossier, match first, then single fields; the look is on the record."""
    screen = await window()
    page = screen.page
    an = screen.service.persona("An")
    await screen.open("/official")
    await screen.look("signin-own")
    await screen.sign_in("Minh")
    await screen.look("official-1-desk")
    await screen.tabs()
    await screen.click("#other-appointment")
    await screen.look("official-2-appointment")
    await screen.tick(["#appointment-1"])
    await screen.click("#appointment-submit")
    await screen.click("#start-check")
    await screen.look("official-3-check")
    await screen.tabs()
    await screen.click("#check-submit")
    await expect(page.locator("#error-summary")).to_be_focused()
    await screen.look("official-3-check-errors")

    await page.locator("#service").select_option(index=1)
    await screen.fill(dossier=DOSSIER, number=an.number, full_name="Nguyễn Thị Ân")
    await screen.click("#check-submit")
    await screen.look("official-4-no-match")
    await screen.click("#another-check")
    await page.locator("#service").select_option(index=1)
    await screen.fill(dossier=DOSSIER, number=an.number, full_name=an.name, birth_date="02/09/1990")
    await screen.click("#check-submit")
    await expect(page.locator("#match-full_name")).to_have_attribute("data-result", "match")
    await expect(page.locator("main")).not_to_contain_text("1990")
    assert await page.locator("#fields-form input:checked").count() == 0
    await screen.look("official-4-matched")
    await screen.tabs()
    await screen.tick(["#field-permanent_residence", "#field-household_members", "#field-marital_status"])
    await screen.click("#fields-submit")
    await expect(page.locator("#value-permanent_residence")).to_contain_text("Hà Nội")
    await screen.look("official-5-fields")
    await screen.tabs()

    for key, name in (("Minh", "official-6-himself"), ("Nga", "official-6-outside-the-area")):
        other = screen.service.persona(key)
        await screen.click("#another-check")
        await page.locator("#service").select_option(index=1)
        await screen.fill(dossier=DOSSIER, number=other.number, full_name=other.name)
        await screen.click("#check-submit")
        await expect(page.locator("#refusal")).to_be_visible()
        await screen.look(name)


async def test_citizen_sees_and_withdraws(window: Window) -> None:
    """My data, who viewed it, consents, withdrawal with confirmation; the portal then asks again; refusal."""
    screen = await window()
    page = screen.page
    await screen.open("/")
    await screen.look("home")
    await screen.tabs()
    await screen.click("#signin")
    await screen.sign_in("An")
    await page.wait_for_url("**/me")
    await screen.sees("Nguyễn Thị An", "036190990001")
    await screen.look("me-1-data")
    await screen.tabs()

    await screen.open("/me/history")
    await screen.sees(SCHOOL, "Trung tâm Phục vụ hành chính công Hà Nội", DOSSIER)
    await screen.look("me-2-history")
    await screen.tabs()
    await screen.open("/me/history?show=all")
    await screen.look("me-2-history-all")

    await screen.open("/me/consents")
    await screen.look("me-3-consents")
    await screen.tabs()
    await page.get_by_role("link", name="Biên nhận và toàn văn").first.click()
    await screen.look("me-3-receipt")
    await screen.tabs()
    await screen.open("/me/consents")
    enrolment = page.locator(".consent", has_text="Đăng ký nhập học lớp 1")
    await enrolment.get_by_role("link", name="Rút lại").click()
    await screen.look("me-4-withdraw")
    await screen.tabs()
    await screen.click("#withdraw-submit")
    await expect(page.locator("#withdrawn")).to_be_visible()
    await screen.look("me-4-withdrawn")
    await screen.open("/me/consents")
    await screen.look("me-4-consents-after")

    await screen.open("/me/signins")
    await screen.look("me-5-signins")
    await screen.tabs()

    await screen.open("/logout")  # a service that does not say who sends it has to ask
    await screen.look("logout-ask")
    await screen.click("#logout-stay")
    await screen.look("logout-stayed")

    await screen.open(f"{screen.service.portal}/sign-in")
    await expect(page.locator("#consent-form")).to_be_visible()
    await expect(page.locator("main")).to_contain_text("Đăng ký nhập học lớp 1")
    await screen.look("consent-again")
    await page.locator("#consent-form input[name=field]").first.check()
    await screen.click("#consent-allow")
    await expect(page.locator("#error-summary")).to_be_focused()
    await screen.look("consent-error")
    await screen.click("#consent-refuse")
    await expect(page.locator("#refused")).to_be_visible()
    await screen.look("portal-5-refused")


async def test_everything_without_script_in_english(window: Window) -> None:
    """The main path again with JavaScript switched off, in the other language."""
    screen = await window(script=False)
    page = screen.page
    await screen.open(screen.service.portal)
    await screen.click("#language")
    await screen.title("Register your child for first grade")
    await screen.look("en-portal-1-start")
    await screen.click("#sign-in")
    await screen.title("Sign in")
    await screen.look("en-signin")
    await screen.sign_in("Binh")
    await expect(page.locator("#consent-form")).to_be_visible()
    await screen.look("en-consent")
    for box in await page.locator(PURPOSES).all():
        await box.check()
    await screen.click("#consent-allow")
    await page.wait_for_url(f"{screen.service.portal}/apply")
    await screen.look("en-portal-2-apply")
    await page.get_by_label("Trần Gia My").check()
    await screen.click("#file")
    await expect(page.locator("#dossier")).to_be_visible()

    await screen.open("/me")
    await screen.click("#language")
    await screen.title("My data")
    await screen.look("en-me-1-data")
    await screen.open("/me/history")
    await screen.look("en-me-2-history")
    await screen.open("/me/consents")
    await screen.look("en-me-3-consents")
    await page.locator(".consent a.button").first.click()
    await screen.look("en-me-4-withdraw")
    await screen.click("#withdraw-submit")
    await expect(page.locator("#withdrawn")).to_be_visible()
    await screen.click("#language")
    await expect(page.locator("html")).to_have_attribute("lang", "vi")
    await screen.open("/signout")
    await screen.look("signout")
    await screen.click("#signout-submit")
    await expect(page.locator("#signed-out")).to_be_visible()
    await screen.look("signed-out")


async def test_answer_by_form_post_without_script(window: Window) -> None:
    """The page that carries an answer back to a service has a button for browsers without script."""
    screen = await window(script=False)
    await screen.open(screen.request_of_portal(response_mode="form_post", prompt="none"))
    await expect(screen.page.locator("#form-post-submit")).to_be_visible()
    await screen.look("form-post")


async def test_many_lines(window: Window) -> None:
    """A long history comes in pages."""
    screen = await window()
    page = screen.page
    await screen.open("/me/history")
    await screen.sign_in("Tam", code=False)
    await expect(page.locator("#history-empty")).to_be_visible()
    await screen.look("me-2-history-empty")
    await screen.open("/me/consents")
    await expect(page.locator("#no-consents")).to_be_visible()
    await screen.look("me-3-consents-empty")
    await screen.open("/me")  # asks for more than was needed so far
    await screen.enter_code(screen.service.persona("Tam"))
    for _ in range(26):
        assert (await screen.context.request.get(f"{screen.service.issuer}/me")).ok
    await screen.open("/me")
    await screen.look("me-1-data-mountain-name")
    await screen.open("/me/history")
    assert await page.locator("#history .entry").count() == 25
    await screen.look("me-2-history-long")
    await page.locator("a[rel=next]").click()
    assert await page.locator("#history .entry").count() >= 2
    await screen.look("me-2-history-older")

    for path, values, name in (
        ("/me", "dd", "long-values-1-data"),
        ("/me/signins", "td > span, h3, dd", "long-values-2-signins"),
        ("/me/history", ".what, summary", "long-values-3-history"),
    ):
        await screen.open(path)
        await screen.stretch(values, LONG + UNBROKEN)
        await screen.look(name)


async def test_what_stands_in_the_way(window: Window) -> None:
    """Wrong password, wrong code, too many, level too low, locked, locking oneself out."""
    screen = await window()
    page = screen.page
    await screen.open(f"{screen.service.portal}/sign-in")
    await screen.click("#signin-submit")
    await expect(page.locator("#error-summary")).to_be_focused()
    await screen.look("signin-empty")
    await screen.tabs()
    await page.locator("#error-summary a").first.press("Enter")
    await expect(page.locator("#number")).to_be_focused()
    hoa = screen.service.persona("Hoa")
    for tried in range(6):
        await screen.fill(number=hoa.number, password="sai mat khau")
        await screen.click("#signin-submit")
        await expect(page.locator("#error-summary")).to_be_focused()
        if tried == 0:
            await screen.look("signin-wrong-password")
    await screen.sees("Bạn có thể thử lại lúc")
    await screen.look("signin-too-many")

    chau = screen.service.persona("Chau")
    await screen.fill(number=chau.number, password=chau.password)
    await screen.click("#signin-submit")
    await expect(page.locator("#hindrance")).to_be_visible()
    await screen.look("signin-level-too-low")
    await screen.click("#leave")
    await expect(page.locator("#error")).to_be_visible()
    await screen.look("portal-6-failed")

    screen = await window()
    page = screen.page
    await screen.open("/signin?next=/me")
    son = screen.service.persona("Son")
    await screen.sign_in("Son", code=False)
    await screen.fill(code="000000")
    await screen.click("#code-submit")
    await expect(page.locator("#error-summary")).to_be_focused()
    await screen.look("signin-wrong-code")
    await screen.enter_code(son)
    await screen.look("signin-locked")

    screen = await window()
    page = screen.page
    await screen.open("/me/lock")
    await screen.sign_in("Quy", code=False)
    await screen.look("me-6-lock")
    await screen.tabs()
    await screen.click("#lock-submit")
    await expect(page.locator("#error-summary")).to_be_focused()
    await screen.look("me-6-lock-error")
    await screen.tick(["#confirm"])
    await screen.click("#lock-submit")
    await expect(page.locator("#lock-done")).to_be_visible()
    await screen.look("me-6-locked")


async def test_other_pages(window: Window) -> None:
    """Help, protection, signing out without a reason, errors of every kind."""
    screen = await window()
    page = screen.page
    for path, name in (
        ("/help", "help"),
        ("/privacy", "privacy"),
        ("/logout", "logout"),
        ("/no-such-page", "error-404"),
        ("/signin?i=ended", "error-expired"),
        ("/authorize?client_id=nobody", "error-authorize"),
    ):
        await screen.open(path)
        await screen.look(name)
    await screen.open("/signin")
    await screen.context.clear_cookies()
    await screen.sign_in("Uyen", code=False)
    await expect(page.locator("#error-code")).to_be_visible()
    await screen.look("error-form-expired")
    with screen.service.frozen_cache():
        await screen.open("/signin")
        await expect(page.locator("#error-code")).to_be_visible()
        await screen.look("error-503")

"""The sign-in as a browser walks through it: password, code, step-up, SSO, what is asked and what is given."""

import unicodedata
from datetime import timedelta

import pytest

from population_db.synthetic.personas import persona
from tests.support.identity_world import PORTAL, IdentityWorld, form_of, text_of


@pytest.fixture(scope="module")
async def made(plain_people: IdentityWorld) -> IdentityWorld:
    await plain_people.enrol("An")
    await plain_people.enrol("Binh")
    await plain_people.enrol("Chau", ial=1, totp=False)
    await plain_people.enrol("Minh")
    return plain_people


@pytest.fixture
async def world(made: IdentityWorld) -> IdentityWorld:
    await made.reset()
    return made


async def test_password_alone_gives_the_first_level(world: IdentityWorld) -> None:
    browser = world.browser()
    page = await browser.start()
    assert page.status_code == 200
    assert text_of(page.text, "client-name") == "Cổng dịch vụ công"
    assert text_of(page.text, "agency-name") == "Sở Giáo dục"
    await browser.enter_password("An")
    result = await browser.result()
    signed_in = result["signed_in"]
    assert (signed_in["aal"], signed_in["ial"], signed_in["amr"]) == (1, 2, ["pwd"])
    assert signed_in["auth_time"] == int(world.clock.now().timestamp())
    assert signed_in["person_id"] == str(await world.person("An"))
    assert signed_in["account_id"] == str(world.accounts["An"])
    assert result["sign_in_error"] is None
    assert result["data"] == {"of": "starter"}


async def test_two_factors_give_the_second_level(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.start(aal=2, ial=2)
    await browser.enter_password("An")
    assert browser.redirects_to("/signin/code")
    assert browser.cookie("session") == ""  # nobody is signed in by half
    page = await browser.follow()
    assert 'autocomplete="one-time-code"' in page.text
    assert 'inputmode="numeric"' in page.text
    await browser.enter_code("An")
    signed_in = (await browser.result())["signed_in"]
    assert (signed_in["aal"], signed_in["amr"]) == (2, ["pwd", "otp", "mfa"])


async def test_a_session_that_satisfies_goes_straight_on_with_its_own_auth_time(world: IdentityWorld) -> None:
    browser = world.browser()
    first = (await browser.sign_in("An"))["signed_in"]
    world.clock.advance(timedelta(minutes=10))
    await browser.start()
    second = (await browser.result())["signed_in"]
    assert second == first


async def test_step_up_asks_only_the_code_and_changes_the_session_identifier(world: IdentityWorld) -> None:
    browser = world.browser()
    first = (await browser.sign_in("An"))["signed_in"]
    before = browser.cookie("session")
    world.clock.advance(timedelta(minutes=5))
    await browser.start(aal=2)
    assert browser.redirects_to("/signin/code")
    await browser.follow()
    await browser.enter_code("An")
    second = (await browser.result())["signed_in"]
    assert (second["aal"], second["amr"]) == (2, ["pwd", "otp", "mfa"])
    assert (second["sid"], second["auth_time"]) == (first["sid"], first["auth_time"])
    assert browser.cookie("session") not in ("", before)
    stale = world.browser()
    stale.plant("session", before)
    await stale.get("/me/signins")
    assert stale.redirects_to("/signin")


async def test_every_sign_in_makes_a_new_session_and_ends_the_old_one(world: IdentityWorld) -> None:
    browser = world.browser()
    browser.plant("session", "planted-by-somebody-who-wants-to-know-it-later")
    first = (await browser.sign_in("An"))["signed_in"]
    token = browser.cookie("session")
    assert token != "planted-by-somebody-who-wants-to-know-it-later"
    world.clock.advance(timedelta(minutes=1))
    second = (await browser.sign_in("Binh", force=1))["signed_in"]
    assert second["sid"] != first["sid"]
    assert browser.cookie("session") != token
    assert await world.identity.sessions.find(token) is None


@pytest.mark.parametrize("ask", [{"force": 1}, {"max_age": 0}, {"max_age": 60}])
async def test_a_new_authentication_is_asked_when_the_old_one_does_not_do(
    world: IdentityWorld, ask: dict[str, int]
) -> None:
    browser = world.browser()
    first = (await browser.sign_in("An"))["signed_in"]
    world.clock.advance(timedelta(seconds=61))
    page = await browser.start(**ask)
    assert page.status_code == 200
    form_of(page.text, "signin-form")
    await browser.enter_password("An")
    second = (await browser.result())["signed_in"]
    assert second["auth_time"] == first["auth_time"] + 61


async def test_an_authentication_younger_than_max_age_does(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("An")
    world.clock.advance(timedelta(seconds=59))
    await browser.start(max_age=60)
    assert (await browser.result())["signed_in"]["aal"] == 1


async def test_an_old_session_of_one_factor_wants_the_password_before_the_code(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("An")
    world.clock.advance(timedelta(seconds=61))
    page = await browser.start(aal=2, max_age=60)
    form_of(page.text, "signin-form")
    assert page.status_code == 200


async def test_a_level_1_account_is_told_how_to_reach_level_2(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.start(ial=2)
    page = await browser.enter_password("Chau")
    assert page.status_code == 403
    assert "Mức độ 01" in page.text or "mức độ 01" in page.text
    assert PORTAL in page.headers["content-security-policy"]
    await browser.send("leave-form")
    result = await browser.result()
    assert (result["sign_in_error"], result["signed_in"]) == ("ial", None)


async def test_an_account_without_a_second_factor_is_told_so(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.start(aal=2)
    page = await browser.enter_password("Chau")
    assert page.status_code == 403
    await browser.send("leave-form")
    assert (await browser.result())["sign_in_error"] == "aal"


async def test_another_account_may_be_used_when_the_level_is_too_low(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("Chau")
    page = await browser.start(ial=2)
    assert page.status_code == 403
    page = await browser.get(str(page.url) + "&other=1")
    await browser.enter_password("An")
    assert (await browser.result())["signed_in"]["ial"] == 2


async def test_turning_back_is_told_to_the_starter(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.start()
    await browser.send("leave-form", error="ial")  # the reason is not the browser's to choose
    result = await browser.result()
    assert (result["sign_in_error"], result["signed_in"]) == ("cancelled", None)


async def test_a_sign_in_of_our_own_ends_at_the_plain_page(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.get("/me/signins")
    assert browser.redirects_to("/signin")
    await browser.follow()
    interaction = browser.page.headers["location"] if browser.page else ""
    await browser.follow()
    answer = await browser.enter_password("An")
    assert answer.headers["location"] == "/me/signins"
    page = await browser.follow()
    assert page.status_code == 200
    assert (await browser.get(interaction)).status_code == 400  # used up


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "/me@evil.example", "/token", "/me/../x"]
)
async def test_next_leads_nowhere_but_to_own_pages(world: IdentityWorld, target: str) -> None:
    browser = world.browser()
    await browser.get(f"/signin?next={target}")
    await browser.follow()
    answer = await browser.enter_password("An")
    assert answer.headers["location"] == "/me"


async def test_a_login_hint_fills_the_number_and_nothing_else(world: IdentityWorld) -> None:
    browser = world.browser()
    page = await browser.start(hint=persona("An").number)
    assert f'value="{persona("An").number}"' in page.text
    page = await browser.start(hint='"><script>alert(1)</script>')
    assert "<script>" not in page.text
    assert "alert(1)" not in page.text


async def test_a_client_name_is_escaped(world: IdentityWorld) -> None:
    page = await world.browser().start(client='<img src=x onerror="alert(1)">')
    assert "<img src=x" not in page.text
    assert "&lt;img" in page.text


async def test_what_is_typed_stays_but_the_password(world: IdentityWorld) -> None:
    browser = world.browser()
    page = await browser.start()
    assert 'autocomplete="username"' in page.text
    assert 'autocomplete="current-password"' in page.text
    page = await browser.send("signin-form", number="0361 9099 00", password="geheim geheim")
    assert page.status_code == 422
    assert 'value="0361 9099 00"' in page.text
    assert "geheim" not in page.text
    assert 'href="#number"' in page.text
    assert 'aria-invalid="true"' in page.text
    page = await browser.send("signin-form", number="", password="")
    assert 'href="#password"' in page.text


async def test_a_number_may_be_typed_with_spaces(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.start()
    number = persona("An").number
    await browser.send("signin-form", number=f" {number[:3]} {number[3:6]} {number[6:]} ", password="mật khẩu rất dài")
    assert (await browser.result())["signed_in"]["aal"] == 1


async def test_a_password_typed_in_decomposed_letters_is_the_same(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.start()
    await browser.enter_password("An", unicodedata.normalize("NFD", "mật khẩu rất dài"))
    assert (await browser.result())["signed_in"]["aal"] == 1


async def test_the_pages_speak_english_by_choice(world: IdentityWorld) -> None:
    browser = world.browser()
    page = await browser.start()
    assert "Số định danh cá nhân" in page.text
    page = await browser.get(str(page.url) + "&lang=en")
    assert "Personal identification number" in page.text


async def test_going_back_to_the_page_after_the_end_asks_nothing_anew(world: IdentityWorld) -> None:
    browser = world.browser()
    page = await browser.start()
    url = str(page.url)
    await browser.enter_password("An")
    await browser.get(url)
    assert browser.redirects_to("/start/resume")


async def test_the_code_page_wants_a_first_factor(world: IdentityWorld) -> None:
    browser = world.browser()
    page = await browser.start(aal=2)
    url = str(page.url).replace("/signin?", "/signin/code?")
    await browser.get(url)
    assert browser.redirects_to("/signin")
    await browser.follow()
    await browser.post(url, code=world.code("An"))
    assert browser.redirects_to("/signin")


async def test_a_password_given_long_ago_does_not_wait_for_its_code(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.start(aal=2)
    await browser.enter_password("An")
    await browser.follow()
    world.clock.advance(timedelta(minutes=10))
    await browser.enter_code("An")
    assert browser.redirects_to("/signin")


async def test_a_proof_makes_one_session(world: IdentityWorld) -> None:
    """The code page sent twice with two good codes: the first factor was used up by the first."""
    browser = world.browser()
    await browser.start(aal=2, force=1)
    await browser.enter_password("An")
    page = await browser.follow()
    await browser.enter_code("An")
    assert browser.redirects_to("/start/resume")
    browser.page = page
    await browser.enter_code("An", steps=1)
    assert browser.redirects_to("/signin")

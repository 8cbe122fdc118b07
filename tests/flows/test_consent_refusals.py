"""What the consent page does not do: for the wrong person, browser, question, age or level."""

from datetime import timedelta
from typing import Any

import pytest

from consent.question import PurposeAsk
from tests.support.consent_fixture import made, world
from tests.support.consent_world import HEALTH, SCHOOL, ConsentWorld, answer
from tests.support.identity_world import Browser, form_of

__all__ = ["made", "world"]

A_MINUTE = timedelta(minutes=1)


async def _at_the_question(world: ConsentWorld, key: str = "An") -> Browser:
    browser = await world.ask_in_browser(key)
    assert browser.page is not None
    assert browser.page.url.path == "/consent"
    return browser


async def _post(browser: Browser, **changes: Any) -> int:
    assert browser.page is not None
    action, hidden = form_of(browser.page.text, "consent-form")
    data = {**hidden, "decision": "allow", "purpose": SCHOOL, **changes}
    return (await browser.http.post(action, data=data)).status_code


@pytest.mark.parametrize("csrf", ["", "0" * 64])
async def test_without_the_csrf_token(world: ConsentWorld, csrf: str) -> None:
    assert await _post(await _at_the_question(world), csrf=csrf) == 403
    assert await world.consents("An") == []


async def test_in_another_browser(world: ConsentWorld) -> None:
    browser, thief = await _at_the_question(world), world.people.browser()
    assert browser.page is not None
    assert (await thief.get(str(browser.page.url))).status_code == 400


async def test_by_another_person_in_the_same_browser(world: ConsentWorld) -> None:
    """The interaction is An's; meanwhile Bình signed in here."""
    browser = await _at_the_question(world)
    assert browser.page is not None
    page = browser.page
    binh = await _session(world, "Binh")
    browser.plant("session", binh)
    assert (await browser.get(str(page.url))).status_code == 403
    browser.page = page
    assert await _post(browser) == 403
    assert await world.consents("An") == []
    assert await world.consents("Binh") == []


async def test_after_signing_out(world: ConsentWorld) -> None:
    browser = await _at_the_question(world)
    assert browser.page is not None
    page = browser.page
    browser.http.cookies.delete("dd_session")
    response = await browser.get(str(page.url))
    assert response.status_code == 303
    assert response.headers["location"].startswith("/signin?i=")


async def test_only_for_the_question_that_was_shown(world: ConsentWorld) -> None:
    """A form of a narrower question cannot answer a wider one."""
    world.portal.asks = (PurposeAsk(SCHOOL, ("full_name",)),)
    narrow = await _at_the_question(world)
    assert narrow.page is not None
    _, hidden = form_of(narrow.page.text, "consent-form")
    world.portal.asks = (PurposeAsk(SCHOOL),)
    wide = await _at_the_question(world)
    assert await _post(wide, question=hidden["question"]) == 409
    assert await _post(wide, question="") == 409
    assert await world.consents("An") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "other-purpose"},
        {"purpose": [SCHOOL, HEALTH]},
        {"field": f"{SCHOOL}/blood_group"},
        {"field": f"{SCHOOL}/full_name"},
        {"field": "religion"},
        {"decision": "yes"},
    ],
    ids=["unknown-purpose", "unasked-purpose", "beyond-policy", "mandatory", "malformed", "no-button"],
)
async def test_a_forged_tick_consents_to_nothing(world: ConsentWorld, changes: dict[str, Any]) -> None:
    assert await _post(await _at_the_question(world), **changes) == 422
    assert await world.consents("An") == []


async def test_repeated_and_long_fields_are_refused(world: ConsentWorld) -> None:
    browser = await _at_the_question(world)
    assert await _post(browser, decision=["allow", "refuse"]) == 400
    assert await _post(browser, purpose="x" * 65) == 422
    assert await world.consents("An") == []


async def test_terms_that_changed_meanwhile(world: ConsentWorld) -> None:
    browser = await _at_the_question(world)
    world.people.clock.advance(A_MINUTE)
    await world.policy(SCHOOL, keep_days=3650)
    try:
        assert await _post(browser) == 409
        assert await world.consents("An") == []
    finally:
        world.people.clock.advance(A_MINUTE)
        await world.policy(SCHOOL)


async def test_a_purpose_outside_the_agencys_policy_is_not_asked(world: ConsentWorld) -> None:
    world.portal.asks = (PurposeAsk("tax-return"),)
    browser = await world.ask_in_browser("An")
    assert browser.page is not None
    assert browser.page.status_code == 403
    assert "purpose-not-allowed" in browser.page.text


async def test_nothing_asked_shows_nothing(world: ConsentWorld) -> None:
    browser = world.people.browser()
    await browser.get("/ask")
    assert browser.page is not None
    question = browser.page.headers["location"].replace("/signin", "/consent")
    assert (await browser.get(question)).status_code == 400
    assert (await browser.get("/consent")).status_code == 400


@pytest.mark.parametrize(("key", "text"), [("Khoi", "chưa đủ tuổi"), ("Lan", "chưa đủ tuổi")])
async def test_a_child_is_not_offered_consent(world: ConsentWorld, key: str, text: str) -> None:
    browser = await _child_at_the_question(world, key)
    assert browser.page is not None
    assert browser.page.status_code == 403
    assert text in browser.page.text
    assert 'value="allow"' not in browser.page.text
    page = browser.page
    assert await _post(browser) == 403
    assert await world.consents(key) == []
    browser.page = page
    await answer(browser, "refuse")
    assert (await browser.result())["consent_answer"]["decision"] == "refuse"


async def test_an_account_of_level_1_is_told_what_it_lacks(world: ConsentWorld) -> None:
    world.people.clock.advance(A_MINUTE)
    await world.policy(SCHOOL, min_ial=2)
    try:
        browser = await world.ask_in_browser("Chau")
        assert browser.page is not None
        assert browser.page.status_code == 403
        assert "mức độ 02" in browser.page.text
        assert await _post(browser) == 403
        assert await world.consents("Chau") == []
    finally:
        world.people.clock.advance(A_MINUTE)
        await world.policy(SCHOOL)


async def _session(world: ConsentWorld, key: str) -> str:
    """A session's cookie; children of the registry have no account to sign in with."""
    person_id = await world.people.person(key)
    made = await world.people.identity.sessions.create(
        person_id=person_id,
        account_id=world.people.accounts.get(key, person_id),
        auth_at=world.people.clock.now(),
        aal=2,
        ial=2,
        amr=("pwd", "otp"),
        has_second_factor=True,
        device="",
    )
    assert made is not None
    return made[0]


async def _child_at_the_question(world: ConsentWorld, key: str) -> Browser:
    """As if a child had got an account and signed in."""
    browser = world.people.browser()
    browser.plant("session", await _session(world, key))
    await browser.get("/ask")
    while browser.page is not None and browser.page.status_code == 303:
        await browser.follow()
    return browser

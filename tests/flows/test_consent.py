"""The consent page as a citizen walks through it: what is shown, what each tick does, what is written."""

import re
from datetime import timedelta
from html import unescape

import pytest

from consent.question import PurposeAsk
from tests.support.consent_fixture import made, world
from tests.support.consent_world import CLIENT_NAME, HEALTH, SCHOOL, ConsentWorld, answer
from tests.support.identity_world import PORTAL

__all__ = ["made", "world"]


async def test_the_page_names_everything_and_ticks_nothing(world: ConsentWorld) -> None:
    browser = await world.ask_in_browser("An")
    assert browser.page is not None
    assert browser.page.status_code == 200
    html = unescape(browser.page.text)
    for text in (
        "Phòng Giáo dục",
        CLIENT_NAME,
        f"Mục đích {SCHOOL}",
        "Nộp giấy tờ.",
        "Luật Giáo dục, Điều 28",
        "Họ, chữ đệm và tên khai sinh",
        "Tôn giáo",
        "nhạy cảm",
        "90 ngày",
        "đến 02/11/2027",
        "91/2025/QH15",
    ):
        assert text in html, text
    assert "checked" not in html
    assert "Nguyễn Thị An" not in html  # names of fields, never values
    buttons = re.findall(r'<button class="([^"]*)" id="consent-(?:allow|refuse)"', html)
    assert len(buttons) == 2
    assert buttons[0] == buttons[1]  # refusing looks like agreeing
    assert f"form-action 'self' {PORTAL};" in browser.page.headers["content-security-policy"]
    assert browser.page.headers["cache-control"] == "no-store"


async def test_the_page_speaks_english_when_asked(world: ConsentWorld) -> None:
    browser = await world.ask_in_browser("An")
    assert browser.page is not None
    page = await browser.get(str(browser.page.url) + "&lang=en")
    html = unescape(page.text)
    assert "Education office asks for data about you" in html
    assert f"Purpose {SCHOOL}" in html
    assert "Full name at birth registration" in html


async def test_agreeing_to_a_purpose_gives_its_mandatory_fields(world: ConsentWorld) -> None:
    browser = await world.ask_in_browser("An")
    await answer(browser, "allow", purposes=(SCHOOL,))
    assert browser.redirects_to("/ask/resume")
    result = (await browser.result())["consent_answer"]
    assert result["decision"] == "allow"
    assert result["refused"] == []
    assert [(one["purpose"], set(one["fields"])) for one in result["consents"]] == [
        (SCHOOL, {"full_name", "birth_date"})
    ]
    assert set(await world.granted("An")) == {"full_name", "birth_date"}


async def test_a_consent_is_kept_with_all_that_proves_it(world: ConsentWorld) -> None:
    browser = await world.ask_in_browser("An")
    await answer(browser, "allow", purposes=(SCHOOL,), fields=(f"{SCHOOL}/religion",))
    row = (await world.consents("An"))[0]
    now = world.people.clock.now()
    async with world.people.database.page() as tx:
        purpose = (await world.consent.purposes(tx, [SCHOOL]))[SCHOOL]
    assert set(row["fields"]) == {"full_name", "birth_date", "religion"}
    assert (row["agency_code"], row["client_id"], row["purpose_code"]) == ("H26.12", "school-portal", SCHOOL)
    assert (row["purpose_major"], row["purpose_minor"], bytes(row["text_hash"])) == (1, 0, purpose.text_hash)
    assert (row["locale"], row["channel"], row["aal"], row["ial"], row["keep_days"]) == ("vi", "web", 1, 2, 90)
    assert (row["given_at"], row["expires_at"]) == (now, now + timedelta(days=365))
    lines = await world.lines("An", "consent.given")
    line = lines[0].line
    assert (line.kind, line.agency, line.purpose, line.legal_basis) == ("act", "H26.12", SCHOOL, "consent")
    assert set(line.fields) == {"full_name", "birth_date", "religion"}
    assert line.details["text_sha256"] == purpose.text_hash.hex()
    receipts = await world.people.fetch("SELECT * FROM consent.receipts")
    assert [(one["act"], one["consent_id"]) for one in receipts] == [("given", row["consent_id"])]


async def test_it_is_never_asked_again_for_less(world: ConsentWorld) -> None:
    browser = await world.ask_in_browser("An")
    await answer(browser, "allow", purposes=(SCHOOL,), fields=(f"{SCHOOL}/religion",))
    world.portal.asks = (PurposeAsk(SCHOOL, ("full_name",)),)
    again = await world.ask_in_browser("An")
    assert again.page is not None
    assert again.page.json()["consent_ask"] is None


async def test_an_unticked_voluntary_field_is_not_offered_at_every_sign_in(world: ConsentWorld) -> None:
    browser = await world.ask_in_browser("An")
    await answer(browser, "allow", purposes=(SCHOOL,), fields=(f"{SCHOOL}/religion",))
    again = await world.ask_in_browser("An")
    assert again.page is not None
    assert again.page.json()["consent_ask"] is None


async def test_more_asks_only_for_the_difference(world: ConsentWorld) -> None:
    world.portal.asks = (PurposeAsk(SCHOOL, ("full_name", "birth_date")),)
    await answer(await world.ask_in_browser("An"), "allow", purposes=(SCHOOL,))
    world.portal.asks = (PurposeAsk(SCHOOL, ("full_name", "religion")),)
    browser = await world.ask_in_browser("An")
    assert browser.page is not None
    assert f'value="{SCHOOL}/religion"' in browser.page.text
    assert f'value="{SCHOOL}/permanent_residence"' not in browser.page.text
    await answer(browser, "allow", purposes=(SCHOOL,), fields=(f"{SCHOOL}/religion",))
    rows = await world.consents("An")
    assert [set(row["fields"]) for row in rows] == [{"religion"}, {"full_name", "birth_date"}]
    assert set(await world.granted("An")) == {"full_name", "birth_date", "religion"}


async def test_going_on_without_the_difference_keeps_what_was_agreed(world: ConsentWorld) -> None:
    world.portal.asks = (PurposeAsk(SCHOOL, ("full_name", "birth_date")),)
    await answer(await world.ask_in_browser("An"), "allow", purposes=(SCHOOL,))
    world.portal.asks = (PurposeAsk(SCHOOL),)
    browser = await world.ask_in_browser("An")
    await answer(browser, "allow")
    assert (await browser.result())["consent_answer"]["decision"] == "allow"
    assert set(await world.granted("An")) == {"full_name", "birth_date"}
    assert len(await world.consents("An")) == 1
    again = await world.ask_in_browser("An")
    assert again.page is not None
    assert again.page.json()["consent_ask"] is None


@pytest.mark.parametrize("decision", ["refuse", "allow"], ids=["the-button", "nothing-ticked"])
async def test_refusing_writes_no_consent_and_one_line_each(world: ConsentWorld, decision: str) -> None:
    browser = await world.ask_in_browser("An")
    before = len(await world.lines("An", "consent.refused"))
    await answer(browser, decision)
    result = (await browser.result())["consent_answer"]
    assert (result["decision"], result["consents"], result["refused"]) == ("refuse", [], [SCHOOL])
    assert await world.consents("An") == []
    assert await world.granted("An") == ()
    assert len(await world.lines("An", "consent.refused")) == before + 1


async def test_each_purpose_is_its_own_decision(world: ConsentWorld) -> None:
    world.portal.asks, world.portal.min_aal = (PurposeAsk(SCHOOL), PurposeAsk(HEALTH)), 2
    browser = await world.ask_in_browser("An")
    await answer(browser, "allow", purposes=(HEALTH,), fields=(f"{HEALTH}/phone",))
    result = (await browser.result())["consent_answer"]
    assert (result["decision"], result["refused"]) == ("allow", [SCHOOL])
    assert await world.granted("An", SCHOOL) == ()
    assert await world.granted("An", HEALTH) == ("phone",)


async def test_a_field_without_its_purpose_is_asked_back(world: ConsentWorld) -> None:
    browser = await world.ask_in_browser("An")
    page = await answer(browser, "allow", fields=(f"{SCHOOL}/religion",))
    assert page.status_code == 422
    assert 'id="error-summary"' in page.text
    assert re.search(rf'value="{SCHOOL}/religion"[^>]* checked', page.text)  # the citizen's own tick stays
    assert await world.consents("An") == []
    await answer(browser, "allow", purposes=(SCHOOL,), fields=(f"{SCHOOL}/religion",))
    assert set(await world.granted("An")) == {"full_name", "birth_date", "religion"}


async def test_a_double_submit_is_harmless(world: ConsentWorld) -> None:
    browser = await world.ask_in_browser("An")
    assert browser.page is not None
    page = browser.page
    given = len(await world.lines("An", "consent.given"))
    first = await answer(browser, "allow", purposes=(SCHOOL,))
    browser.page = page
    second = await answer(browser, "allow", purposes=(SCHOOL,))
    browser.page = page
    third = await answer(browser, "refuse")
    assert first.headers["location"] == second.headers["location"] == third.headers["location"]
    assert (await browser.result())["consent_answer"]["decision"] == "allow"
    assert len(await world.consents("An")) == 1
    assert len(await world.lines("An", "consent.given")) == given + 1


async def test_a_consent_expires(world: ConsentWorld) -> None:
    await answer(await world.ask_in_browser("An"), "allow", purposes=(SCHOOL,))
    world.people.clock.advance(timedelta(days=365) - timedelta(seconds=1))
    assert set(await world.granted("An")) == {"full_name", "birth_date"}
    world.people.clock.advance(timedelta(seconds=1))
    assert await world.granted("An") == ()
    browser = await world.ask_in_browser("An")
    assert browser.page is not None
    assert browser.page.url.path == "/consent"


async def test_what_needs_a_second_factor_steps_up_first(world: ConsentWorld) -> None:
    world.portal.asks = (PurposeAsk(HEALTH),)
    browser = await world.ask_in_browser("An")
    assert browser.page is not None
    if browser.page.url.path == "/signin/code":
        await browser.enter_code("An")
        while browser.page.status_code == 303:
            await browser.follow()
    assert browser.page.url.path == "/consent"
    await answer(browser, "allow", purposes=(HEALTH,), fields=(f"{HEALTH}/phone",))
    assert (await world.consents("An"))[0]["aal"] == 2


async def test_asked_anew_what_is_unticked_ends(world: ConsentWorld) -> None:
    browser = await world.ask_in_browser("An")
    await answer(browser, "allow", purposes=(SCHOOL,), fields=(f"{SCHOOL}/religion",))
    world.portal.again = True
    same = await world.ask_in_browser("An")
    await answer(same, "allow", purposes=(SCHOOL,), fields=(f"{SCHOOL}/religion",))
    assert [row["withdrawn_by"] for row in await world.consents("An")] == [None, None]
    less = await world.ask_in_browser("An")
    await answer(less, "allow", purposes=(SCHOOL,))
    assert [row["withdrawn_by"] for row in await world.consents("An")] == [None, "subject", "subject"]
    assert set(await world.granted("An")) == {"full_name", "birth_date"}
    await world.people.run_events()
    assert len(world.events) == 2


async def test_refusing_when_asked_anew_ends_nothing(world: ConsentWorld) -> None:
    await answer(await world.ask_in_browser("An"), "allow", purposes=(SCHOOL,))
    world.portal.again = True
    browser = await world.ask_in_browser("An")
    await answer(browser, "refuse")
    assert (await browser.result())["consent_answer"]["decision"] == "refuse"
    assert set(await world.granted("An")) == {"full_name", "birth_date"}


async def test_the_recipient_is_the_agency_not_another(world: ConsentWorld) -> None:
    await answer(await world.ask_in_browser("An"), "allow", purposes=(SCHOOL,))
    assert set(await world.granted("An")) == {"full_name", "birth_date"}
    assert await world.granted("An", agency=world.other_agency) == ()
    assert await world.granted("Binh") == ()

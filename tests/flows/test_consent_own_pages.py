"""/me/consents: what a citizen sees of his consents, withdrawal, receipts; and that others see none of it."""

import hashlib
import json
from datetime import timedelta
from html import unescape

import orjson
import pytest

from consent.question import PurposeAsk
from consent.receipts import FORMAT
from core.clock import VIETNAM
from tests.support.consent_fixture import made, world
from tests.support.consent_world import CLIENT_NAME, SCHOOL, ConsentWorld, answer
from tests.support.identity_world import Browser, form_of, text_of

__all__ = ["made", "world"]


async def _with_a_consent(world: ConsentWorld, key: str = "An") -> Browser:
    browser = await world.ask_in_browser(key)
    await answer(browser, "allow", purposes=(SCHOOL,), fields=(f"{SCHOOL}/religion",))
    return browser


async def _reference(world: ConsentWorld, key: str = "An") -> str:
    return str((await world.consents(key))[0]["reference"])


async def test_the_list_shows_recipient_purpose_fields_and_terms(world: ConsentWorld) -> None:
    browser = await _with_a_consent(world)
    html = unescape((await browser.get("/me/consents")).text)
    for text in ("Phòng Giáo dục", f"Mục đích {SCHOOL}", CLIENT_NAME, "Tôn giáo", "nhạy cảm", "90 ngày"):
        assert text in html, text
    assert f"/me/consents/{await _reference(world)}/withdraw" in html
    assert "/me/receipts/" in html
    assert "Nguyễn Thị An" not in html


async def test_the_list_needs_a_sign_in(world: ConsentWorld) -> None:
    browser = world.people.browser()
    response = await browser.get("/me/consents")
    assert response.status_code == 303
    assert response.headers["location"].startswith("/signin?next=%2Fme%2Fconsents")


async def test_withdrawal_in_one_step_with_a_receipt(world: ConsentWorld) -> None:
    browser = await _with_a_consent(world)
    reference = await _reference(world)
    page = await browser.get(f"/me/consents/{reference}/withdraw")
    assert page.status_code == 200
    assert await world.granted("An") != ()  # looking at the page withdraws nothing
    world.people.clock.advance(timedelta(minutes=5))
    await browser.send("withdraw-form")
    receipt = await browser.follow()
    local = world.people.clock.now().astimezone(VIETNAM)
    assert f"{local:%H:%M %d/%m/%Y}" in text_of(receipt.text, "withdrawn")
    assert await world.granted("An") == ()
    row = (await world.consents("An"))[0]
    assert (row["withdrawn_at"], row["withdrawn_by"]) == (world.people.clock.now(), "subject")
    line = (await world.lines("An", "consent.withdrawn"))[0].line
    assert (line.kind, line.agency, line.purpose) == ("act", "H26.12", SCHOOL)


async def test_withdrawal_tells_whoever_holds_tokens(world: ConsentWorld) -> None:
    browser = await _with_a_consent(world)
    await browser.get(f"/me/consents/{await _reference(world)}/withdraw")
    await browser.send("withdraw-form")
    await world.people.run_events()
    row = (await world.consents("An"))[0]
    assert world.events == [
        {
            "person_id": str(row["person_id"]),
            "consent_id": str(row["consent_id"]),
            "agency_id": str(row["agency_id"]),
            "client_id": "school-portal",
        }
    ]


async def test_withdrawing_twice_gives_the_same_receipt(world: ConsentWorld) -> None:
    browser = await _with_a_consent(world)
    reference = await _reference(world)
    page = await browser.get(f"/me/consents/{reference}/withdraw")
    withdrawn = len(await world.lines("An", "consent.withdrawn"))
    first = await browser.send("withdraw-form")
    browser.page = page
    second = await browser.send("withdraw-form")
    assert first.headers["location"] == second.headers["location"]
    assert len(await world.lines("An", "consent.withdrawn")) == withdrawn + 1
    confirmation = await browser.get(f"/me/consents/{reference}/withdraw")
    assert confirmation.headers["location"] == first.headers["location"]


async def test_a_withdrawn_consent_is_listed_as_ended_and_asked_again(world: ConsentWorld) -> None:
    browser = await _with_a_consent(world)
    await browser.get(f"/me/consents/{await _reference(world)}/withdraw")
    await browser.send("withdraw-form")
    html = (await browser.get("/me/consents")).text
    assert 'id="no-consents"' in html
    assert 'id="ended"' in html
    world.portal.asks = (PurposeAsk(SCHOOL, ("full_name",)),)
    again = await world.ask_in_browser("An")
    assert again.page is not None
    assert again.page.url.path == "/consent"


async def test_a_declined_field_is_offered_with_a_fresh_question(world: ConsentWorld) -> None:
    browser = await _with_a_consent(world)  # without permanent_residence
    await browser.get(f"/me/consents/{await _reference(world)}/withdraw")
    await browser.send("withdraw-form")
    again = await world.ask_in_browser("An")
    assert again.page is not None
    assert f'value="{SCHOOL}/permanent_residence"' in again.page.text


async def test_the_receipt_holds_the_whole_text_and_its_own_hash(world: ConsentWorld) -> None:
    browser = await _with_a_consent(world)
    reference = (await world.people.fetch("SELECT reference FROM consent.receipts"))[0]["reference"]
    page = await browser.get(f"/me/receipts/{reference}")
    for text in ("Để làm hồ sơ.", "Nộp giấy tờ.", "Luật Giáo dục, Điều 28", "H26.12"):
        assert text in unescape(page.text), text
    file = await browser.get(f"/me/receipts/{reference}/file")
    assert file.headers["content-type"].startswith("application/json")
    assert file.headers["content-disposition"].startswith('attachment; filename="dinhdanh-given-')
    document = json.loads(file.text)
    body = document["receipt"]
    recomputed = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
    assert document["sha256"] == recomputed
    assert text_of(page.text, "receipt-reference") == body["reference"] == reference
    assert body["format"] == FORMAT
    assert {one["code"] for one in body["fields"]} == {"full_name", "birth_date", "religion"}
    assert body["purpose"]["vi"]["if_refused"] == "Nộp giấy tờ."
    line = (await world.lines("An", "consent.given"))[0]
    assert body["journal"]["line"] == str(line.line_id)
    assert line.leaf_hash is not None
    assert body["journal"]["leaf_hash"] == line.leaf_hash.hex()
    assert "036190990001" not in file.text  # a receipt names no person


@pytest.mark.parametrize(
    "path", ["/me/consents/{consent}/withdraw", "/me/receipts/{receipt}", "/me/receipts/{receipt}/file"]
)
async def test_another_persons_is_as_if_it_did_not_exist(world: ConsentWorld, path: str) -> None:
    await _with_a_consent(world)
    names = {
        "consent": await _reference(world),
        "receipt": (await world.people.fetch("SELECT reference FROM consent.receipts"))[0]["reference"],
    }
    other = await world.ask_in_browser("Binh")
    real = await other.get(path.format(**names))
    unknown = await other.get(path.format(consent="A" * 35, receipt="A" * 35))
    assert (real.status_code, unknown.status_code) == (404, 404)


async def test_another_session_cannot_withdraw(world: ConsentWorld) -> None:
    await _with_a_consent(world)
    reference = await _reference(world)
    other = await _with_a_consent(world, "Binh")
    await other.get(f"/me/consents/{await _reference(world, 'Binh')}/withdraw")
    refused = await other.post(f"/me/consents/{reference}/withdraw")
    assert refused.status_code == 404
    assert (await world.consents("An"))[0]["withdrawn_at"] is None


async def test_withdrawal_needs_the_csrf_token(world: ConsentWorld) -> None:
    browser = await _with_a_consent(world)
    page = await browser.get(f"/me/consents/{await _reference(world)}/withdraw")
    action, hidden = form_of(page.text, "withdraw-form")
    assert (await browser.http.post(action, data={**hidden, "csrf": "0" * 64})).status_code == 403
    assert (await world.consents("An"))[0]["withdrawn_at"] is None


async def test_an_expired_consent_is_listed_as_expired(world: ConsentWorld) -> None:
    await _with_a_consent(world)
    world.people.clock.advance(timedelta(days=366))
    browser = await world.ask_in_browser("An")
    html = unescape((await browser.get("/me/consents")).text)
    assert "hết hạn" in html
    assert 'id="no-consents"' in html

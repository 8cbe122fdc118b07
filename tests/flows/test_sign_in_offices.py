"""Accounts, agencies, officials' appointments: who gets one, who acts under which (security.md 52, 56, 58)."""

import uuid
from datetime import date, timedelta

import pytest
from starlette.requests import Request

from core.actor import Actor
from core.errors import BadInput, Conflict, NotFound, SignInNeeded
from population_db.synthetic.personas import persona
from tests.support.identity_world import Browser, IdentityWorld, form_of, text_of
from tests.support.offices_fixture import made, world

__all__ = ["made", "world"]


async def test_an_official_with_one_appointment_acts_under_it(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("Minh", aal=2)
    before = browser.cookie("session")
    await browser.get("/official/appointment")
    assert browser.redirects_to("/official")
    assert browser.cookie("session") != before
    actor = await actor_at(world, browser, "/official/check")
    assert actor.kind == "official"
    assert actor.appointment is not None
    assert (actor.appointment.agency_code, actor.appointment.unit_code) == ("H26.12", "one-stop")
    own = await actor_at(world, browser, "/me")
    assert (own.kind, own.appointment) == ("citizen", None)


async def test_an_official_with_two_chooses(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("Nga", aal=2)
    page = await browser.get("/official/appointment")
    assert "Công chức hộ tịch" in page.text
    page = await browser.send("appointment-form", appointment=str(uuid.uuid4()))
    assert page.status_code == 422
    second = form_values(page.text)[1]
    await browser.send("appointment-form", appointment=second)
    assert browser.redirects_to("/official")
    actor = await actor_at(world, browser, "/official")
    assert actor.appointment is not None
    assert str(actor.appointment.appointment_id) == second


async def test_an_ended_appointment_cannot_be_chosen_and_an_expired_one_does_not_act(world: IdentityWorld) -> None:
    async with world.database.page() as tx:
        person = await world.person("Binh")
        day = world.identity.appointed.today()
        short = await world.identity.appoint(
            tx, person, "H26.12", "one-stop", "Cán bộ", {"01"}, {"check.match"}, day, day
        )
        assert [one.appointment_id for one in await world.identity.appointments(tx, person, day)] == [short]
        assert await world.identity.appointments(tx, person, day + timedelta(days=1)) == []
        assert await world.identity.appointments(tx, person, day - timedelta(days=1)) == []
    browser = world.browser()
    await browser.sign_in("Binh", aal=2)
    await browser.get("/official/appointment")
    assert (await actor_at(world, browser, "/official")).kind == "official"
    async with world.database.page() as tx:
        await world.identity.end_appointment(tx, person, short)
        assert await world.identity.appointments(tx, person, day) == []
        with pytest.raises(NotFound):
            await world.identity.end_appointment(tx, person, short)
    page = await browser.get("/official/appointment")
    assert text_of(page.text, "no-appointment")


async def test_an_official_needs_both_factors_and_level_2(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("Minh")
    await browser.get("/official/appointment")
    assert browser.page is not None
    assert browser.page.headers["location"] == "/signin?next=%2Fofficial%2Fappointment&aal=2&ial=2"
    await browser.follow()
    await browser.follow()
    await browser.follow()
    await browser.enter_code("Minh")
    assert browser.redirects_to("/official/appointment")
    low = world.browser()
    await low.sign_in("Chau")
    await low.get("/official/appointment")
    await low.follow()
    page = await low.follow()
    assert page.status_code == 403
    await low.send("leave-form")
    assert low.redirects_to("/")


async def test_agencies_and_appointments_refuse_what_does_not_fit(world: IdentityWorld) -> None:
    identity, person, day = world.identity, await world.person("Binh"), date(2026, 11, 1)
    async with world.database.page() as tx:
        with pytest.raises(Conflict):
            await identity.create_agency(tx, "H26.12", "Trùng", "Double")
        with pytest.raises(Conflict):
            await identity.create_unit(tx, "H26.12", "one-stop", "Trùng", "Double")
        with pytest.raises(NotFound):
            await identity.agency(tx, code="H99")
        with pytest.raises(Conflict):
            await identity.appoint(tx, person, "H26.12", "nowhere", "Cán bộ", {"01"}, {"check.match"}, day)
        with pytest.raises(BadInput):
            await identity.appoint(tx, person, "H26.12", "one-stop", "Cán bộ", set(), {"check.match"}, day)
        with pytest.raises(BadInput):
            await identity.appoint(
                tx, person, "H26.12", "one-stop", "Cán bộ", {"01"}, {"check.match"}, day, day - timedelta(days=1)
            )
        agency = await identity.agency(tx, code="H26.12")
        assert await identity.agency(tx, agency_id=agency.agency_id) == agency
        assert (await identity.agency_names(tx, "en"))["H26.12"] == "Cửa Nam ward"


async def test_enrolment_refuses_what_does_not_fit(world: IdentityWorld) -> None:
    person = await world.person("Hoa")
    async with world.database.page() as tx:
        for password in ("short", "123456789012345"):
            with pytest.raises(BadInput):
                await world.identity.enrol(tx, person, ial=1, password=password, totp_secret=None)
        with pytest.raises(BadInput):
            await world.identity.enrol(tx, person, ial=2, password="mật khẩu rất dài", totp_secret="JBSWY3DP")
        with pytest.raises(Conflict):
            await world.identity.enrol(tx, uuid.uuid4(), ial=1, password="mật khẩu rất dài", totp_secret=None)
        with pytest.raises(Conflict):
            await world.identity.enrol(
                tx, await world.person("An"), ial=1, password="mật khẩu rất dài", totp_secret=None
            )
        line = (await world.journal.about(tx, await world.person("An"), limit=50))[-1].line
    assert (line.action, line.kind) == ("account.enrol", "act")


async def test_the_database_holds_no_secret_of_an_account_in_clear(world: IdentityWorld) -> None:
    rows = repr(await world.fetch("SELECT a.*, encode(totp_sealed, 'escape') AS e FROM identity.accounts a"))
    assert world.secrets["An"] not in rows
    assert "mật khẩu rất dài" not in rows
    assert persona("An").number not in rows


def form_values(html: str) -> list[str]:
    form_of(html, "appointment-form")
    return [part.split('"')[0] for part in html.split('id="appointment-')[1:] for part in part.split('value="')[1:2]]


async def actor_at(world: IdentityWorld, browser: Browser, path: str) -> Actor:
    """Who a page at this path would see behind this browser."""
    cookie = f"dd_session={browser.cookie('session')}".encode()
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"cookie", cookie)],
        "app": world.app,
        "state": {},
    }
    actor = await world.identity.actor(Request(scope))
    with pytest.raises(SignInNeeded):
        await world.identity.actor(Request(scope | {"state": {}}), min_aal=3)
    return actor

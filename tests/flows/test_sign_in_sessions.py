"""Sessions, sign-out, history, self-lock, deaths (security.md 52, 56, 58)."""

from datetime import date, timedelta

import pytest

from core.database import Tx
from core.errors import Conflict
from core.outbox import Event
from core.runtime import Parts
from core.settings import Settings
from identity.sessions import Sessions
from tests.support.identity_world import Browser, IdentityWorld, form_of, text_of
from tests.support.offices_fixture import made, world

__all__ = ["made", "world"]

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PHONE = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36"


async def is_signed_in(browser: Browser) -> bool:
    await browser.get("/me/lock")
    return not browser.redirects_to("/signin")


async def test_an_unused_session_ends_after_30_minutes(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("An")
    world.clock.advance(timedelta(minutes=29))
    assert await is_signed_in(browser)
    world.clock.advance(timedelta(minutes=29))
    assert await is_signed_in(browser)  # its use counted
    world.clock.advance(timedelta(minutes=30))
    assert not await is_signed_in(browser)


async def test_a_used_session_ends_after_12_hours(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("An")
    for _ in range(35):
        world.clock.advance(timedelta(minutes=20))
        assert await is_signed_in(browser)
    world.clock.advance(timedelta(minutes=20))
    assert not await is_signed_in(browser)


async def test_a_step_up_does_not_lengthen_the_day(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("An")
    for _ in range(35):
        world.clock.advance(timedelta(minutes=20))
        await is_signed_in(browser)
    await browser.start(aal=2)
    await browser.follow()
    await browser.enter_code("An")
    assert await is_signed_in(browser)
    world.clock.advance(timedelta(minutes=20))
    assert not await is_signed_in(browser)


async def test_cookies_are_closed_to_scripts_and_other_sites(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.start()
    answer = await browser.enter_password("An")
    cookies = {line.split("=")[0]: line for line in answer.headers.get_list("set-cookie")}
    assert {"dd_session", "dd_known"} <= set(cookies)
    for line in cookies.values():
        assert "HttpOnly" in line
        assert "SameSite=lax" in line
        assert "Path=/" in line
        assert "Domain" not in line
    assert "Max-Age" not in cookies["dd_session"]


async def test_under_https_cookies_are_host_cookies(world: IdentityWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    secure = world.settings.model_copy(update={"issuer": "https://id.example.vn"})
    usual, parts = world.app.state.parts, Parts()
    # Other rooms, as of another process: what was made ready for the ones before does not count.
    parts._parts = {**usual._parts, Settings: secure}
    monkeypatch.setattr(world.identity, "_settings", secure)
    world.app.state.parts = parts
    try:
        browser = world.browser()
        browser.http.base_url = "https://id.example.vn"
        await browser.start()
        answer = await browser.enter_password("An")
    finally:
        world.app.state.parts = usual
    cookies = answer.headers.get_list("set-cookie")
    assert any(line.startswith("__Host-dd_session=") for line in cookies)
    assert all("Secure" in line for line in cookies if "dd_" in line.split("=")[0])
    assert "max-age=" in answer.headers["strict-transport-security"]


async def test_pages_are_kept_out_of_frames_caches_and_referrers(world: IdentityWorld) -> None:
    page = await world.browser().start()
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://portal.example.vn" in policy
    assert "script-src" not in policy
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"


async def test_sign_out_kills_the_session_on_the_server(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("An")
    token = browser.cookie("session")
    page = await browser.get("/signout")
    assert page.status_code == 200
    assert await is_signed_in(browser)  # asking ended nothing
    await browser.get("/signout")
    await browser.send("signout-form")
    assert browser.redirects_to("/signedout")
    assert browser.cookie("session") == ""
    thief = world.browser()
    thief.plant("session", token)
    assert not await is_signed_in(thief)


async def test_sign_out_needs_the_token_of_this_browser(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("An")
    answer = await browser.http.post("/signout", data={"csrf": "0" * 64})
    assert answer.status_code == 403
    assert await is_signed_in(browser)


async def test_history_and_sessions_are_shown_and_one_can_be_ended(world: IdentityWorld) -> None:
    home, phone = world.browser(user_agent=FIREFOX), world.browser(("203.0.113.80", 1), PHONE)
    await home.sign_in("An")
    away = (await phone.sign_in("An", aal=2))["signed_in"]
    page = await home.get("/me/signins")
    assert "Firefox · Linux" in page.text
    assert "Chrome · Android" in page.text
    assert "203.0.113.0/24" in page.text
    assert "203.0.113.80" not in page.text
    assert "Cổng dịch vụ công" in page.text
    await home.post("/me/signins", action="end", sid=away["sid"])
    assert home.redirects_to("/me/signins")
    assert not await is_signed_in(phone)
    assert await is_signed_in(home)
    assert 'data-outcome="session-ended"' in (await home.get("/me/signins")).text


async def test_nobody_ends_the_session_of_another(world: IdentityWorld) -> None:
    an, binh = world.browser(), world.browser()
    await an.sign_in("An")
    other = (await binh.sign_in("Binh"))["signed_in"]
    await an.get("/me/signins")
    page = await an.post("/me/signins", action="end", sid=other["sid"])
    assert page.status_code == 404
    assert await is_signed_in(binh)


async def test_all_sessions_can_be_ended_at_once(world: IdentityWorld) -> None:
    browsers = [world.browser() for _ in range(3)]
    for browser in browsers:
        await browser.sign_in("An")
    await browsers[0].get("/me/signins")
    await browsers[0].send("end-all-form")
    assert browsers[0].redirects_to("/signedout")
    assert [await is_signed_in(browser) for browser in browsers] == [False] * 3
    assert await world.identity.sessions.of_person(await world.person("An")) == []


async def test_a_holder_locks_himself_out_everywhere_at_once(world: IdentityWorld) -> None:
    browser, other = world.browser(), world.browser()
    await browser.sign_in("An")
    await other.sign_in("An")
    page = await browser.get("/me/lock")
    page = await browser.send("lock-form")
    assert page.status_code == 422
    assert 'href="#confirm"' in page.text
    page = await browser.send("lock-form", confirm="yes")
    assert text_of(page.text, "lock-done")
    assert not await is_signed_in(browser)
    assert not await is_signed_in(other)
    rows = await world.fetch(
        "SELECT status, lock_reasons FROM identity.accounts WHERE account_id = $1", world.accounts["An"]
    )
    assert (rows[0]["status"], rows[0]["lock_reasons"]) == ("locked", ["holder"])
    line = (await world.journal_lines("An"))[0].line
    assert (line.action, line.reason, line.actor.kind) == ("account.lock", "holder", "citizen")


async def test_a_lock_elsewhere_ends_sessions_at_their_next_use_of_the_database(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("An")
    async with world.database.page() as tx:
        await world.identity.lock(tx, await world.person("An"), "authority")
    assert not await is_signed_in(browser)  # even before the event was handled


async def test_a_lock_elsewhere_ends_sessions_by_its_event(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("An")
    async with world.database.page() as tx:
        assert await world.identity.lock(tx, await world.person("An"), "authority")
        assert not await world.identity.lock(tx, await world.person("An"), "authority")
    await world.run_events()
    assert await world.identity.sessions.find(browser.cookie("session")) is None


async def test_a_death_locks_the_account_and_ends_the_sessions(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("Quy")
    async with world.database.page() as tx:
        await world.registry.record_death(tx, await world.person("Quy"), date(2026, 11, 2), "civil-status")
    await world.run_events()
    rows = await world.fetch("SELECT lock_reasons FROM identity.accounts WHERE account_id = $1", world.accounts["Quy"])
    assert rows[0]["lock_reasons"] == ["death"]
    assert await world.identity.sessions.find(browser.cookie("session")) is None
    with pytest.raises(Conflict):
        await world.enrol("Phuc")  # dead since long


async def test_a_changed_credential_makes_older_sign_ins_void(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("An")
    world.clock.advance(timedelta(seconds=5))
    async with world.owner.raw() as tx:
        await tx.conn.execute(
            "UPDATE identity.accounts SET credentials_changed_at = $1 WHERE account_id = $2",
            world.clock.now(),
            world.accounts["An"],
        )
    assert not await is_signed_in(browser)


async def test_a_session_made_while_all_are_being_ended_does_not_escape(world: IdentityWorld) -> None:
    sessions: Sessions = world.identity.sessions
    person = await world.person("An")
    auth_at = world.clock.now()
    world.clock.advance(timedelta(seconds=1))
    assert await sessions.end_all(person) == 0  # between the password and the session
    made = await sessions.create(
        person_id=person,
        account_id=world.accounts["An"],
        auth_at=auth_at,
        aal=1,
        ial=2,
        amr=("pwd",),
        has_second_factor=True,
        device="",
    )
    assert made is None
    assert await sessions.of_person(person) == []


async def test_losing_redis_signs_out_and_nothing_more(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("An")
    await world.cache.redis.flushdb()
    assert not await is_signed_in(browser)
    world.clock.advance(timedelta(seconds=30))
    await browser.sign_in("An")
    assert await is_signed_in(browser)


async def test_ended_sessions_are_told_to_the_rest_of_the_house(world: IdentityWorld) -> None:
    told: list[str] = []

    async def listen(tx: Tx, event: Event) -> None:
        told.append(event.payload["sid"])

    world.outbox.register("session.ended", "tests.listen", listen)
    browser, phone, third = world.browser(), world.browser(), world.browser()
    first = (await browser.sign_in("An"))["signed_in"]["sid"]
    await browser.get("/signout")
    await browser.send("signout-form")
    await world.run_events()
    assert told == [first]
    sids = [(await one.sign_in("An"))["signed_in"]["sid"] for one in (browser, phone, third)]
    await browser.get("/me/signins")
    await browser.post("/me/signins", action="end", sid=sids[1])
    await browser.get("/me/signins")
    await browser.send("end-all-form")
    await world.run_events()
    assert told[1] == sids[1]
    assert sorted(told[2:]) == sorted([sids[0], sids[2]])


async def test_a_lock_before_a_step_up_ends_the_session(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("An")
    await browser.start(aal=2)
    await browser.follow()
    async with world.database.page() as tx:
        await world.identity.lock(tx, await world.person("An"), "authority")
    page = await browser.enter_code("An")
    assert page.status_code == 403
    assert 'data-reason="authority"' in page.text
    assert await world.identity.sessions.of_person(await world.person("An")) == []


async def test_a_credential_changed_before_a_step_up_starts_the_sign_in_anew(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("An")
    await browser.start(aal=2)
    await browser.follow()
    world.clock.advance(timedelta(seconds=5))
    async with world.owner.raw() as tx:
        await tx.conn.execute("UPDATE identity.accounts SET credentials_changed_at = $1", world.clock.now())
    await browser.enter_code("An")
    assert browser.redirects_to("/signin")
    page = await browser.follow()
    form_of(page.text, "signin-form")

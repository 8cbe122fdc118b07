"""Many at once at what is answered elsewhere: collecting, allowing and refusing (security cases 14, 59, 60)."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from oidc.ciba.endpoint import MAX_WAITING
from population_db.synthetic.personas import persona
from tests.support.elsewhere import (
    Desk,
    Kiosk,
    answer_code,
    answer_newest,
    enter_code,
    make_desk,
    make_kiosk,
    outcome_of,
    own_requests,
    wait,
)
from tests.support.provider_fixture import world
from tests.support.provider_world import CitizenBrowser, ProviderWorld, form_of

__all__ = ["world"]

AT_ONCE = 20


@pytest.fixture(scope="module")
async def desk(world: ProviderWorld) -> Desk:
    return await make_desk(world)


@pytest.fixture(scope="module")
async def kiosk(world: ProviderWorld) -> Kiosk:
    return await make_kiosk(world, method="none")


@pytest.fixture(autouse=True)
async def alone(world: ProviderWorld) -> None:
    wait(world, 3600)


async def at_once(work: Any, times: int = AT_ONCE) -> list[httpx.Response]:
    return list(await asyncio.gather(*(work() for _ in range(times))))


async def one_got_it(world: ProviderWorld, client_id: str, answers: list[httpx.Response]) -> None:
    """Exactly one 200, the others invalid_grant; who came second ended what the first one got."""
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: AT_ONCE - 1}
    assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}
    grants = await world.fetch("SELECT revoked_reason FROM oidc.grants WHERE client_id = $1", client_id)
    assert [grant["revoked_reason"] for grant in grants] == ["answer-reused"]


async def test_twenty_polls_after_the_answer(world: ProviderWorld) -> None:
    desk = await make_desk(world)
    asked = await desk.asked()
    await answer_newest(world.browser(), "allow")
    await one_got_it(world, desk.party.client_id, await at_once(lambda: desk.collect(asked)))


async def test_twenty_kiosks_with_one_code(world: ProviderWorld) -> None:
    kiosk = await make_kiosk(world, method="none")
    told = await kiosk.asked(scope="openid")
    await answer_code(world.browser(), told["user_code"])
    await one_got_it(world, kiosk.party.client_id, await at_once(lambda: kiosk.collect(told["device_code"])))


async def test_a_thief_amid_the_polls_spends_nothing(world: ProviderWorld, desk: Desk) -> None:
    thief = await make_desk(world)
    asked = await desk.asked()
    await answer_newest(world.browser(), "allow")
    own, *others = await asyncio.gather(desk.collect(asked), *(thief.collect(asked) for _ in range(AT_ONCE)))
    assert own.status_code == 200
    assert {answer.json()["error"] for answer in others} == {"invalid_grant"}


@pytest.mark.parametrize("number", [persona("An").number, "001099999999"], ids=["somebody", "nobody"])
async def test_no_more_wait_than_may(world: ProviderWorld, desk: Desk, number: str) -> None:
    """Sixty requests at once about one person, also about one that does not exist: the same twenty are taken."""
    answers = await at_once(lambda: desk.ask(login_hint=number), MAX_WAITING * 3)
    assert Counter(answer.status_code for answer in answers) == {200: MAX_WAITING, 403: MAX_WAITING * 2}


async def test_asking_at_once_gains_nothing(world: ProviderWorld, desk: Desk) -> None:
    """One is in time, each other makes the pause longer: 5 seconds and 19 times 5 more."""
    asked = await desk.asked()
    answers = await at_once(lambda: desk.collect(asked))
    assert Counter(answer.json()["error"] for answer in answers) == {"authorization_pending": 1, "slow_down": 19}
    (row,) = await world.fetch(
        "SELECT interval_seconds, next_poll_at FROM oidc.ciba_requests WHERE client_id = $1 AND state = 'waiting' "
        "AND expires_at > $2",
        desk.party.client_id,
        world.clock.now(),
    )
    assert row["interval_seconds"] == 5 + 19 * 5
    assert (row["next_poll_at"] - world.clock.now()).total_seconds() == 100


async def test_allowing_and_refusing_at_once(world: ProviderWorld, desk: Desk) -> None:
    """Two windows of one person: one answer counts, both pages and the client say the same."""
    browser = world.browser()
    await own_requests(browser)
    for _ in range(5):
        asked = await desk.asked()
        page = (await own_requests(browser))[0]
        await browser.open(page)
        windows = [window_of(world, browser) for _ in range(6)]
        decisions = ["allow", "refuse"] * 3
        answers = await asyncio.gather(
            *(
                window.send("request-form", decision=decision)
                for window, decision in zip(windows, decisions, strict=True)
            )
        )
        assert {answer.status_code for answer in answers} == {200}
        collected = await desk.collect(asked)
        (row,) = await world.fetch(
            "SELECT state, gid FROM oidc.ciba_requests WHERE request_id = $1::uuid", page.rpartition("/")[2]
        )
        assert (row["state"], collected.status_code) in {("approved", 200), ("denied", 400)}
        grants = await world.fetch("SELECT gid FROM oidc.grants WHERE gid = $1", row["gid"])
        assert len(grants) == (1 if row["state"] == "approved" else 0)
        shown = await browser.open(page)
        assert outcome_of(shown) == {"approved": "allowed", "denied": "refused"}[row["state"]]
    made = await world.fetch("SELECT gid FROM oidc.grants WHERE client_id = $1 AND kind = 'ciba'", desk.party.client_id)
    approved = await world.fetch(
        "SELECT 1 FROM oidc.ciba_requests WHERE client_id = $1 AND state = 'approved'", desk.party.client_id
    )
    assert len(made) == len(approved)  # no grant without its request


async def test_two_people_with_one_code(world: ProviderWorld, kiosk: Kiosk) -> None:
    """Whoever answers first has answered; the other is told that the code is over."""
    told = await kiosk.asked(scope="openid")
    browsers = {}
    for key in ("An", "Binh"):
        browsers[key] = world.browser()
        await browsers[key].open("/me/consents")
        await browsers[key].sign_in(key)
        await enter_code(browsers[key], told["user_code"])
    answers = await asyncio.gather(
        *(browser.send("device-confirm-form", decision="allow", same="yes") for browser in browsers.values())
    )
    assert Counter(outcome_of(answer) for answer in answers) == {"allowed": 1, "expired": 1}
    grants = await world.fetch("SELECT person_id FROM oidc.grants WHERE client_id = $1", kiosk.party.client_id)
    (row,) = await world.fetch("SELECT person_id FROM oidc.device_requests WHERE client_id = $1", kiosk.party.client_id)
    assert [grant["person_id"] for grant in grants] == [row["person_id"]]


async def test_the_database_keeps_the_answer(world: ProviderWorld, desk: Desk) -> None:
    """Even the owner's login does not change an answer by one UPDATE."""
    asked = await desk.asked()
    await answer_newest(world.browser(), "refuse")
    for change in ("state = 'waiting', decided_at = NULL", "state = 'approved', gid = gen_random_uuid()"):
        async with world.owner.raw_read() as tx:
            with pytest.raises(Exception, match="an answer stays what it was"):
                await tx.conn.execute(f"UPDATE oidc.ciba_requests SET {change} WHERE state = 'denied'")
    assert (await desk.collect(asked)).json()["error"] == "access_denied"


def window_of(world: ProviderWorld, browser: CitizenBrowser) -> CitizenBrowser:
    """Another window of the same browser, on the same page."""
    http = world.http()
    http.cookies.update(browser.http.cookies)
    window = CitizenBrowser(world, http, browser.page)
    assert browser.page is not None
    form_of(browser.page.text, "request-form")
    return window

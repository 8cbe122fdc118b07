"""What an attacker learns and gets at the sign-in: nothing (security.md 51, 55; ASVS 6.3.8)."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import argon2
import pytest

from core.database import Query, Row, Tx
from core.interaction import SignInAsk
from identity.password_rules import normal_form
from identity.refusals import SignInRefused
from identity.where import Where
from population_db.synthetic.personas import persona
from tests.support.disclosure_world import record_of
from tests.support.identity_world import PASSWORD, IdentityWorld, csrf_of
from tests.support.refusals_fixture import UNKNOWN, lock, made, try_password, world

__all__ = ["made", "world"]


async def former_number(world: IdentityWorld) -> str:
    former = record_of("Giang")["former_numbers"]
    return str(former[0]["number"])


async def test_every_refusal_looks_the_same(world: IdentityWorld) -> None:
    await lock(world, "Son", "authority")
    await lock(world, "Tam", "death")
    cases = {
        "unknown number": (UNKNOWN, PASSWORD),
        "wrong password": (persona("An").number, "ein anderes Passwort"),
        "no account": (persona("Khoi").number, PASSWORD),
        "dead, right password": (persona("Dung").number, PASSWORD),
        "dead and locked for it, right password": (persona("Tam").number, PASSWORD),
        "cancelled number, right password": (await former_number(world), PASSWORD),
        "locked, wrong password": (persona("Son").number, "ein anderes Passwort"),
    }
    seen = {}
    for name, (number, password) in cases.items():
        browser = world.browser()
        await browser.start()
        seen[name] = await try_password(browser, number, password)
    assert set(seen.values()) == {(422, "Số định danh hoặc mật khẩu không đúng.", False)}


class _Listening:
    """A transaction that notes every statement that runs in it."""

    def __init__(self, tx: Tx, heard: list[Query]) -> None:
        self._tx = tx
        self._heard = heard

    async def row(self, query: Query, /, **values: Any) -> Row | None:
        self._heard.append(query)
        return await self._tx.row(query, **values)

    async def rows(self, query: Query, /, **values: Any) -> Sequence[Row]:
        self._heard.append(query)
        return await self._tx.rows(query, **values)

    async def run(self, query: Query, /, **values: Any) -> int:
        self._heard.append(query)
        return await self._tx.run(query, **values)

    async def run_many(self, query: Query, many: Any, /) -> None:
        self._heard.append(query)
        await self._tx.run_many(query, many)

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        return self._tx.savepoint()


async def test_every_refusal_costs_the_same(world: IdentityWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same statements in the same transactions and one run of the hash: nothing to be told by the time."""
    await lock(world, "Son", "authority")
    heard: list[Query] = []
    hashed: list[int] = []
    open_raw, verify = world.database.raw, world.identity.hashing.verify

    class Raw:
        def __init__(self) -> None:
            self.inner = open_raw()

        async def __aenter__(self) -> Any:
            return _Listening(await self.inner.__aenter__(), heard)

        async def __aexit__(self, *exc: Any) -> Any:
            return await self.inner.__aexit__(*exc)

    async def counted(stored: str, password: str) -> bool:
        hashed.append(len(stored))
        return await verify(stored, password)

    monkeypatch.setattr(world.database, "raw", Raw)
    monkeypatch.setattr(world.identity.hashing, "verify", counted)
    where = Where(address="198.51.100.9", network="198.51.100.0/24", browser="")
    costs: dict[str, Mapping[str, Any]] = {}
    for name, number in {
        "unknown": UNKNOWN,
        "wrong": persona("An").number,
        "no account": persona("Khoi").number,
        "dead": persona("Dung").number,
        "cancelled": await former_number(world),
        "locked": persona("Son").number,
    }.items():
        heard.clear()
        hashed.clear()
        with pytest.raises(SignInRefused):
            await world.identity.password_step.check(
                number, "ein anderes Passwort", SignInAsk(), where, known_cookie=""
            )
        costs[name] = {"statements": tuple(map(id, heard)), "hashes": tuple(hashed)}
    assert len({repr(cost) for cost in costs.values()}) == 1
    assert len(costs["unknown"]["hashes"]) == 1
    assert len(costs["unknown"]["statements"]) > 4


async def test_waiting_is_told_alike_for_numbers_with_and_without_an_account(world: IdentityWorld) -> None:
    seen = {}
    for number in (UNKNOWN, persona("An").number):
        browser = world.browser()
        await browser.start()
        answers = [await try_password(browser, number, "ein anderes Passwort") for _ in range(7)]
        assert browser.page is not None
        seen[number] = (answers, browser.page.headers.get("retry-after"))
    assert seen[UNKNOWN] == seen[persona("An").number]
    answers, retry_after = seen[UNKNOWN]
    assert [status for status, _, _ in answers] == [422] * 5 + [429] * 2
    assert "thử lại lúc" in answers[-1][1]
    assert retry_after == "31"


async def test_the_right_password_does_not_help_while_waiting_and_helps_after(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.start()
    for _ in range(5):
        await try_password(browser, persona("An").number, "ein anderes Passwort")
    page = await browser.enter_password("An")
    assert page.status_code == 429
    world.clock.advance(timedelta(seconds=31))
    await browser.enter_password("An")
    assert browser.redirects_to("/start/resume")
    assert await world.fetch("SELECT 1 FROM identity.sign_in_attempts") == []


async def test_a_stranger_does_not_lock_the_holder_out(world: IdentityWorld) -> None:
    """Somebody elsewhere fills his own lane, and even the one of all unknown browsers."""
    holder = world.browser()
    await holder.sign_in("An")
    elsewhere = 0
    while elsewhere < 60:
        stranger = world.browser((f"203.0.{elsewhere}.1", 1000))
        await stranger.start()
        for _ in range(4):
            status, _, _ = await try_password(stranger, persona("An").number, "ein anderes Passwort")
            elsewhere += 1
            if status == 429:
                elsewhere = 60
                break
    newcomer = world.browser(("192.0.2.1", 1000))
    await newcomer.start()
    assert (await newcomer.enter_password("An")).status_code == 429  # a browser never seen waits, minutes at most
    await holder.start(force=1)
    await holder.enter_password("An")
    assert holder.redirects_to("/start/resume")
    world.clock.advance(timedelta(minutes=5))
    await newcomer.enter_password("An")
    assert newcomer.redirects_to("/start/resume")


async def test_one_attacker_slows_only_his_own_address(world: IdentityWorld) -> None:
    attacker, holder = world.browser(("203.0.113.5", 1000)), world.browser()
    await attacker.start()
    for _ in range(6):
        await try_password(attacker, persona("An").number, "ein anderes Passwort")
    assert attacker.page is not None
    assert attacker.page.status_code == 429
    await holder.start()
    await holder.enter_password("An")
    assert holder.redirects_to("/start/resume")


async def test_a_known_browser_is_limited_as_well_and_only_knows_its_own_number(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.sign_in("An")
    await browser.start(force=1)
    statuses = [(await try_password(browser, persona("An").number, "ein anderes Passwort"))[0] for _ in range(11)]
    assert statuses == [422] * 10 + [429]
    statuses = [(await try_password(browser, persona("Binh").number, "ein anderes Passwort"))[0] for _ in range(6)]
    assert statuses == [422] * 5 + [429]


async def test_a_forged_known_browser_cookie_is_worth_nothing(world: IdentityWorld) -> None:
    browser = world.browser()
    browser.plant("known", f"{'A' * 22}.99999999999.{'B' * 43}")
    await browser.start()
    statuses = [(await try_password(browser, persona("An").number, "ein anderes Passwort"))[0] for _ in range(6)]
    assert statuses == [422] * 5 + [429]


async def test_one_address_cannot_try_one_password_on_many_numbers(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.start()
    await world.cache.redis.set(world.cache.key("signin-address", "198.51.100.7"), 99, ex=60)
    assert (await try_password(browser, "001190000001", PASSWORD))[0] == 422
    page = await browser.send("signin-form", number="001190000002", password=PASSWORD)
    assert (page.status_code, page.headers["retry-after"]) == (429, "60")


async def test_right_passwords_do_not_use_up_the_address(world: IdentityWorld) -> None:
    """Thousands share one address behind a provider's translation."""
    for _ in range(3):
        await world.browser().sign_in("An")
    assert int(await world.cache.redis.get(world.cache.key("signin-address", "198.51.100.7")) or 0) == 0


async def test_beyond_the_queue_the_answer_is_come_back_later(world: IdentityWorld) -> None:
    """Admission is refused before anything is counted, read or hashed."""
    hashing = world.identity.hashing
    browser = world.browser()
    await browser.start()
    places = [hashing.admission() for _ in range(world.settings.argon2_threads + world.settings.argon2_queue)]
    for place in places:
        place.__enter__()
    try:
        page = await browser.enter_password("An")
    finally:
        for place in places:
            place.__exit__(None, None, None)
    assert page.status_code == 503
    assert int(page.headers["retry-after"]) >= 1
    assert persona("An").number in page.text
    assert await world.fetch("SELECT 1 FROM identity.sign_in_attempts") == []
    await browser.enter_password("An")
    assert browser.redirects_to("/start/resume")


async def test_a_weak_old_hash_is_made_anew_at_the_next_sign_in(world: IdentityWorld) -> None:
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(normal_form(PASSWORD))
    async with world.owner.raw() as tx:
        await tx.conn.execute(
            "UPDATE identity.accounts SET password_hash = $1 WHERE account_id = $2", old, world.accounts["Binh"]
        )
    await world.browser().sign_in("Binh")
    rows = await world.fetch(
        "SELECT password_hash FROM identity.accounts WHERE account_id = $1", world.accounts["Binh"]
    )
    assert rows[0]["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    await world.browser(("192.0.2.9", 1)).sign_in("Binh")


async def test_a_form_without_or_with_a_foreign_token_is_refused(world: IdentityWorld) -> None:
    browser, other = world.browser(), world.browser()
    page = await browser.start()
    foreign = csrf_of((await other.start()).text)
    url = str(page.url)
    for token in ("", "0" * 64, foreign):
        answer = await browser.http.post(
            url, data={"csrf": token, "number": persona("An").number, "password": PASSWORD}
        )
        assert answer.status_code == 403


async def test_an_interaction_belongs_to_its_browser(world: IdentityWorld) -> None:
    browser, other = world.browser(), world.browser()
    page = await browser.start()
    await other.start()
    answer = await other.get(str(page.url))
    assert answer.status_code == 400
    assert "interaction-expired" in answer.text


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"number=1&number=2", "application/x-www-form-urlencoded", 400),
        (b"number=%00", "application/x-www-form-urlencoded", 400),
        (b'{"number": "1"}', "application/json", 415),
        (b"number=" + b"1" * 70_000, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_malformed_forms_are_refused(world: IdentityWorld, body: bytes, kind: str, status: int) -> None:
    browser = world.browser()
    page = await browser.start()
    answer = await browser.http.post(str(page.url), content=body, headers={"content-type": kind})
    assert answer.status_code == status


async def test_the_failed_tries_stand_in_the_holders_history_and_journal(world: IdentityWorld) -> None:
    browser = world.browser(user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
    await browser.start()
    await try_password(browser, persona("Binh").number, "ein anderes Passwort")
    await try_password(browser, UNKNOWN, "ein anderes Passwort")
    assert await world.run_events() >= 2
    async with world.database.raw_read() as tx:
        newest = (await world.identity.sign_ins(tx, await world.person("Binh"), 1))[0]
    assert (newest.outcome, newest.browser, newest.network) == ("password-wrong", "Firefox · Linux", "198.51.100.0/24")
    assert (newest.client, newest.agency) == ("Cổng dịch vụ công", "Sở Giáo dục")
    line = (await world.journal_lines("Binh"))[0].line
    assert (line.kind, line.action, line.outcome, line.reason) == ("act", "sign-in", "refused", "password-wrong")


async def test_a_failed_try_leaves_nothing_readable_behind(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.start()
    await try_password(browser, persona("Binh").number, "ein verräterisches Passwort")
    kept = repr(await world.fetch("SELECT payload::text FROM core.outbox"))
    kept += repr(await world.fetch("SELECT * FROM identity.sign_in_attempts"))
    for key in await world.cache.redis.keys("*"):
        if await world.cache.redis.type(key) == b"string":
            kept += repr((key, await world.cache.redis.get(key)))
        else:
            kept += repr((key, await world.cache.redis.hgetall(key)))
        assert await world.cache.redis.ttl(key) > 0
    for secret in (persona("Binh").number, "verräterisches", "198.51.100.7", str(await world.person("Binh"))):
        assert secret not in kept


async def test_a_request_cut_off_while_hashing_gives_its_place_back(
    world: IdentityWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashing, begun = world.identity.hashing, asyncio.Event()
    verify = hashing.verify

    async def told(stored: str, password: str) -> bool:
        begun.set()
        return await verify(stored, password)

    monkeypatch.setattr(hashing, "verify", told)
    where = Where(address="198.51.100.9", network="198.51.100.0/24", browser="")
    task = asyncio.create_task(
        world.identity.password_step.check(UNKNOWN, PASSWORD, SignInAsk(), where, known_cookie="")
    )
    await begun.wait()
    assert hashing.admitted == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert hashing.admitted == 0

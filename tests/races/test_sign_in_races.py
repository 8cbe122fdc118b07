"""Many at once: tries never exceed the limit, a code lets in once, sessions do not escape their ending."""

import asyncio
import uuid
from collections import Counter
from datetime import timedelta

import pytest

from core.errors import Refusal
from core.interaction import SignInAsk
from identity import throttle
from identity.attempts import ADDRESS, CODE
from identity.second_factor import FirstFactor
from identity.throttle import Lane
from identity.where import Where
from population_db.synthetic.personas import persona
from tests.support.identity_world import PASSWORD, IdentityWorld

AT_ONCE = 20
HERE = Where(address="198.51.100.7", network="198.51.100.0/24", browser="")


@pytest.fixture(scope="module")
async def made(plain_people: IdentityWorld) -> IdentityWorld:
    await plain_people.enrol("An")
    return plain_people


@pytest.fixture
async def world(made: IdentityWorld) -> IdentityWorld:
    await made.reset()
    return made


def codes_of(results: list[object]) -> Counter[str]:
    """ "in" for each success, else the refusal's code; anything else is raised."""
    found: Counter[str] = Counter()
    for result in results:
        if isinstance(result, Refusal):
            found[result.code] += 1
        elif isinstance(result, BaseException):
            raise result
        else:
            found["in"] += 1
    return found


async def first_factor(world: IdentityWorld) -> FirstFactor:
    return FirstFactor(await world.person("An"), world.accounts["An"], world.clock.now(), stepping_up=False)


@pytest.mark.parametrize("number", [persona("An").number, "001190123456"], ids=["account", "no account"])
async def test_parallel_wrong_passwords_never_exceed_the_limit(world: IdentityWorld, number: str) -> None:
    tries = [
        world.identity.password_step.check(number, "ein anderes Passwort", SignInAsk(), HERE, known_cookie="")
        for _ in range(AT_ONCE)
    ]
    found = codes_of(await asyncio.gather(*tries, return_exceptions=True))
    assert found == {"sign-in-refused": ADDRESS.free, "sign-in-wait": AT_ONCE - ADDRESS.free}


async def test_parallel_tries_after_a_wait_let_one_through(world: IdentityWorld) -> None:
    mac, lane = b"m" * 32, [Lane("address:x", ADDRESS)]

    async def claim() -> bool:
        async with world.database.raw() as tx:
            return await throttle.claim(tx, mac, lane, world.clock.now()) is None

    assert sum(await asyncio.gather(*(claim() for _ in range(AT_ONCE)))) == ADDRESS.free
    for wait in ADDRESS.waits:
        world.clock.advance(wait - timedelta(seconds=1))
        assert not await claim()
        world.clock.advance(timedelta(seconds=1))
        assert sum(await asyncio.gather(*(claim() for _ in range(AT_ONCE)))) == 1
    world.clock.advance(ADDRESS.forget_after + timedelta(seconds=1))
    assert sum(await asyncio.gather(*(claim() for _ in range(AT_ONCE)))) == ADDRESS.free


async def test_one_code_in_parallel_lets_in_once(world: IdentityWorld) -> None:
    """However the tries fall: at most the allowed number is looked at, and one is in."""
    code, first = world.code("An"), await first_factor(world)
    tries = [world.identity.code_step.check(first, code, HERE) for _ in range(AT_ONCE)]
    found = codes_of(await asyncio.gather(*tries, return_exceptions=True))
    assert found["in"] == 1
    assert sum(found.values()) == AT_ONCE


async def test_parallel_wrong_codes_never_exceed_the_limit(world: IdentityWorld) -> None:
    first = await first_factor(world)
    wrong = "000000" if world.code("An") != "000000" else "111111"
    tries = [world.identity.code_step.check(first, wrong, HERE) for _ in range(AT_ONCE)]
    found = codes_of(await asyncio.gather(*tries, return_exceptions=True))
    assert found == {"code-refused": CODE.free, "sign-in-wait": AT_ONCE - CODE.free}


async def test_a_lock_and_a_sign_in_at_once_leave_no_session(world: IdentityWorld) -> None:
    """Either the lock is seen, or the session is ended by it, or it is refused at its making."""
    for _ in range(5):
        await world.reset()
        browser = world.browser()
        await browser.start()

        async def lock() -> None:
            async with world.database.page() as tx:
                await world.identity.lock(tx, await world.person("An"), "authority")
            world.clock.advance(timedelta(milliseconds=1))
            await world.run_events()

        await asyncio.gather(browser.enter_password("An", PASSWORD), lock())
        assert await world.identity.sessions.of_person(await world.person("An")) == []


async def test_sessions_made_and_ended_at_once_never_outlive_the_ending(world: IdentityWorld) -> None:
    sessions, person = world.identity.sessions, await world.person("An")
    auth_at = world.clock.now()

    async def make() -> object:
        await asyncio.sleep(0)
        return await sessions.create(
            person_id=person,
            account_id=uuid.uuid4(),
            auth_at=auth_at,
            aal=1,
            ial=2,
            amr=("pwd",),
            has_second_factor=True,
            device="",
        )

    await asyncio.gather(*(make() for _ in range(AT_ONCE)), sessions.end_all(person), *(make() for _ in range(AT_ONCE)))
    assert await sessions.of_person(person) == []


async def test_a_session_is_renewed_once(world: IdentityWorld) -> None:
    """Two step-ups at once from one session: one new identifier, and the index knows it."""
    sessions, person = world.identity.sessions, await world.person("An")
    made = await sessions.create(
        person_id=person,
        account_id=world.accounts["An"],
        auth_at=world.clock.now(),
        aal=1,
        ial=2,
        amr=("pwd",),
        has_second_factor=True,
        device="",
    )
    assert made is not None
    token, session = made
    renewed = await asyncio.gather(*(sessions.renew(token, session, aal=2) for _ in range(AT_ONCE)))
    assert len([one for one in renewed if one is not None]) == 1
    assert [one.aal for one in await sessions.of_person(person)] == [2]
    world.clock.advance(timedelta(seconds=1))
    assert await sessions.end_all(person) == 1


async def test_two_enrolments_at_once_make_one_account(world: IdentityWorld) -> None:
    results = await asyncio.gather(*(world.enrol("Hoa2") for _ in range(3)), return_exceptions=True)
    assert codes_of(list(results)) == {"in": 1, "account-exists": 2}

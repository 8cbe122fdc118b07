"""The door against time: what a decision rested on ends between the decision and the line, and many at once."""

import asyncio
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consent.brake import MISSES_PER_PERSON
from consent.disclosure import Disclosure, DisclosureDenied, DisclosureRequest, PersonProof
from consent.weigh import Ready
from core.errors import Refusal, TooMany
from population_db.synthetic.personas import persona
from privacy.journal.api import DisclosureRefused
from tests.support.disclosure_fixture import made, world
from tests.support.disclosure_world import AGENCY, DisclosureWorld, lookup

__all__ = ["made", "world"]


async def decided(world: DisclosureWorld, request: DisclosureRequest) -> Ready:
    """Up to the journal and no further: the moment in which something may end."""
    async with world.web.raw_read() as tx:
        ready = await world.door._weigh(tx, request)
    assert isinstance(ready, Ready)
    return ready


async def refused_at_the_line(world: DisclosureWorld, ready: Ready) -> str:
    """Gives the reason; and the journal holds a refusal and no disclosure of it."""
    before = await world.count_lines()
    with pytest.raises(DisclosureRefused) as caught:
        await world.journal.disclose(ready.line, basis=ready.basis)
    after = await world.count_lines()
    assert after.get("disclosure") == before.get("disclosure")
    assert after["refusal"] == before.get("refusal", 0) + 1
    newest = (await world.lines(ready.subject))[0].line
    assert (newest.kind, newest.reason) == ("refusal", caught.value.reason)
    return caught.value.reason


async def test_a_consent_withdrawn_in_between(world: DisclosureWorld) -> None:
    person_id = await world.person_id("An")
    consent_id = await world.consent(person_id)
    ready = await decided(world, lookup("An"))
    await world.withdraw(person_id, consent_id)
    assert await refused_at_the_line(world, ready) == "consent-withdrawn"


async def test_one_of_two_consents_withdrawn_in_between(world: DisclosureWorld) -> None:
    """The answer was made of both: it does not go out in part, the next question gets the rest."""
    person_id = await world.person_id("Binh")
    kept = await world.consent(person_id, fields=frozenset({"full_name"}))
    gone = await world.consent(person_id, fields=frozenset({"birth_date"}))
    ready = await decided(world, lookup("Binh"))
    await world.withdraw(person_id, gone)
    assert await refused_at_the_line(world, ready) == "consent-withdrawn"
    rest = await world.door.disclose_by_itself(lookup("Binh"))
    assert set(rest.values) == {"full_name"}
    await world.withdraw(person_id, kept)


async def test_a_consent_that_expires_in_between(world: DisclosureWorld) -> None:
    person_id = await world.person_id("Dung")
    await world.consent(person_id, expires_at=world.clock.now() + timedelta(seconds=1))
    ready = await decided(world, lookup("Dung"))
    world.clock.advance(timedelta(seconds=1))
    assert await refused_at_the_line(world, ready) == "consent-withdrawn"


async def test_a_policy_that_is_replaced_in_between(world: DisclosureWorld) -> None:
    """The new version holds less; what was decided by the old one is not told any more."""
    purpose = "replaced-policy"
    await world.publish(AGENCY, purpose)
    duty = lookup("An", purpose=purpose, legal_basis="statutory-duty", fields=("sex",))
    ready = await decided(world, duty)
    world.clock.advance(timedelta(seconds=1))
    await world.publish(AGENCY, purpose, fields=frozenset({"full_name"}))
    assert await refused_at_the_line(world, ready) == "policy-ended"
    with pytest.raises(DisclosureDenied) as caught:
        await world.door.disclose_by_itself(duty)
    assert caught.value.code == "field-not-allowed"


async def test_a_grant_that_is_revoked_in_between(world: DisclosureWorld) -> None:
    grant_id = uuid.uuid4()
    request = lookup("An", legal_basis="statutory-duty", fields=("sex",), grant_id=grant_id)
    world.grants.listed.add(grant_id)
    assert (await world.door.disclose_by_itself(request)).values
    ready = await decided(world, request)
    world.grants.listed.remove(grant_id)
    assert await refused_at_the_line(world, ready) == "grant-revoked"


@pytest.mark.parametrize("basis", [{}, {"policies": []}, {"consents": []}])
async def test_a_line_without_a_ground_is_never_written(world: DisclosureWorld, basis: dict[str, Any]) -> None:
    """Whoever calls the journal past the door: no rule configured means refuse."""
    ready = await decided(world, lookup("An", legal_basis="statutory-duty", fields=("sex",)))
    assert await refused_at_the_line(world, replace(ready, basis=basis)) == "no-basis"
    pretended = replace(ready.line, legal_basis="self")
    assert await refused_at_the_line(world, replace(ready, line=pretended, basis=basis)) == "no-basis"


async def test_a_consents_line_needs_a_consent(world: DisclosureWorld) -> None:
    person_id = await world.person_id("Quy")
    consent_id = await world.consent(person_id)
    ready = await decided(world, lookup("Quy"))
    without = replace(ready, basis={**ready.basis, "consents": []})
    assert await refused_at_the_line(world, without) == "consent-missing"
    of_nobody = replace(ready, basis={**ready.basis, "consents": [(uuid.uuid4(), consent_id)]})
    assert await refused_at_the_line(world, of_nobody) == "consent-withdrawn"


async def test_one_refused_spoils_nobody_elses_answer(world: DisclosureWorld) -> None:
    """Group commit: good and withdrawn ones in one batch."""
    tam, uyen = await world.person_id("Tam"), await world.person_id("Uyen")
    await world.consent(tam)
    gone = await world.consent(uyen)
    good, bad = await decided(world, lookup("Tam")), await decided(world, lookup("Uyen"))
    await world.withdraw(uyen, gone)
    asked = [good, bad] * 10
    answers = await asyncio.gather(
        *(world.journal.disclose(one.line, basis=one.basis) for one in asked), return_exceptions=True
    )
    assert [isinstance(answer, DisclosureRefused) for answer in answers] == [False, True] * 10


async def test_each_of_many_at_once_has_one_line(world: DisclosureWorld) -> None:
    """More callers than connections: none starves while the journal waits for one of the same pool."""
    before = (await world.count_lines())["disclosure"]
    request = lookup("An", legal_basis="statutory-duty", fields=("sex",))
    async with asyncio.timeout(20):
        given = await asyncio.gather(*(world.door.disclose_by_itself(request) for _ in range(120)))
    assert len({one.line.line_id for one in given}) == 120
    assert (await world.count_lines())["disclosure"] == before + 120


async def test_nothing_is_told_after_a_withdrawal(world: DisclosureWorld) -> None:
    """Lookups without pause while the consent is withdrawn: after its commit no line of a disclosure comes."""
    person_id = await world.person_id("Hoa")
    for _ in range(5):
        await world.cache.redis.flushdb()
        consent_id = await world.consent(person_id)
        begun, withdrawn = asyncio.Event(), asyncio.Event()

        async def ask(begun: asyncio.Event, over: asyncio.Event) -> list[tuple[bool, Disclosure | Refusal]]:
            """Pairs: was the withdrawal committed before the question began; what came back."""
            seen: list[tuple[bool, Disclosure | Refusal]] = []
            while len([1 for late, _ in seen if late]) < 2:
                late = over.is_set()
                try:
                    seen.append((late, await world.door.disclose_by_itself(lookup("Hoa"))))
                    begun.set()
                except Refusal as refusal:
                    seen.append((late, refusal))
            return seen

        asking = [asyncio.create_task(ask(begun, withdrawn)) for _ in range(6)]
        await begun.wait()
        await world.withdraw(person_id, consent_id)
        withdrawn.set()
        seen = [one for task in asking for one in await task]
        assert any(isinstance(answer, Disclosure) for _, answer in seen)
        assert all(isinstance(answer, Refusal) for late, answer in seen if late)


async def test_a_burst_of_guesses_learns_little_more_than_slow_ones(world: DisclosureWorld) -> None:
    """366 birthdays at once: most are braked, since a miss is counted before it is told."""
    number = persona("Binh").number
    day = datetime(1988, 1, 1, tzinfo=UTC)

    def guess(at: int) -> DisclosureRequest:
        date = (day + timedelta(days=at)).date().isoformat()
        proof = PersonProof(number, birth_date=date)
        return lookup("Binh", subject=proof, legal_basis="statutory-duty", fields=("sex",))

    answers = await asyncio.gather(
        *(world.door.disclose_by_itself(guess(at)) for at in range(366)), return_exceptions=True
    )
    told = [answer for answer in answers if not isinstance(answer, TooMany)]
    assert len(told) <= 10 * MISSES_PER_PERSON
    with pytest.raises(TooMany):
        await world.door.disclose_by_itself(lookup("Binh", legal_basis="statutory-duty", fields=("sex",)))

"""Two at once: withdrawals of one consent, answers to one question, a withdrawal and a disclosure."""

import asyncio
import uuid

import pytest

from consent.answering import Ticks
from consent.consents import still_live
from consent.give import Submission, answer_key
from consent.question import Question
from core.actor import Actor
from tests.support.consent_fixture import made, world
from tests.support.consent_world import SCHOOL, ConsentWorld, give

__all__ = ["made", "world"]

AT_ONCE = 12
A_WHILE_SECONDS = 0.3


async def test_many_withdrawals_are_one(world: ConsentWorld) -> None:
    actor, consent_id = await give(world, "An")
    lines = len(await world.lines("An", "consent.withdrawn"))

    async def withdraw() -> str:
        async with world.people.database.page() as tx:
            return (await world.consent.withdraw(tx, actor, consent_id)).reference

    references = await asyncio.gather(*(withdraw() for _ in range(AT_ONCE)))
    assert len(set(references)) == 1
    assert len(await world.lines("An", "consent.withdrawn")) == lines + 1
    await world.people.run_events()
    assert len(world.events) == 1


async def _question(world: ConsentWorld, actor: Actor) -> Question:
    assert actor.person_id is not None
    async with world.people.database.page() as tx:
        question = await world.consent.question(tx, world.ask(actor.person_id))
    assert question is not None
    return question


@pytest.mark.parametrize("decisions", [("allow",), ("allow", "refuse")], ids=["double-submit", "both-buttons"])
async def test_many_answers_to_one_question_are_one(world: ConsentWorld, decisions: tuple[str, ...]) -> None:
    actor = await world.actor("An")
    question = await _question(world, actor)
    key = answer_key(str(uuid.uuid4()), question)
    given = len(await world.lines("An", "consent.given")) + len(await world.lines("An", "consent.refused"))

    async def submit(decision: str) -> dict[str, object]:
        ticks = Ticks(decision, frozenset({SCHOOL} if decision == "allow" else ()))
        async with world.people.database.page() as tx:
            return await world.consent.answer(tx, Submission(question, ticks, actor, key, "vi"))

    answers = await asyncio.gather(*(submit(decisions[n % len(decisions)]) for n in range(AT_ONCE)))
    assert all(one == answers[0] for one in answers)
    rows = await world.consents("An")
    assert len(rows) == (1 if answers[0]["decision"] == "allow" else 0)
    after = len(await world.lines("An", "consent.given")) + len(await world.lines("An", "consent.refused"))
    assert after == given + 1
    assert len(await world.people.fetch("SELECT 1 FROM consent.answers")) == 1


async def test_a_withdrawal_waits_for_the_batch_that_looked_before_it(world: ConsentWorld) -> None:
    """The journal's batch holds the consent; the withdrawal stands after its lines."""
    actor, consent_id = await give(world, "An")
    assert actor.person_id is not None
    pair = (actor.person_id, consent_id)

    async def withdraw() -> None:
        async with world.people.database.page() as tx:
            await world.consent.withdraw(tx, actor, consent_id)

    async with world.people.database.raw() as batch:
        assert await still_live(batch, [pair], world.people.clock.now()) == {pair}
        withdrawal = asyncio.create_task(withdraw())
        await asyncio.sleep(A_WHILE_SECONDS)
        assert not withdrawal.done()
    await withdrawal
    async with world.people.database.raw() as later:
        assert await still_live(later, [pair], world.people.clock.now()) == frozenset()


async def test_a_batch_waits_for_the_withdrawal_before_it_and_sees_it(world: ConsentWorld) -> None:
    actor, consent_id = await give(world, "An")
    assert actor.person_id is not None
    pair = (actor.person_id, consent_id)

    async def look() -> frozenset[tuple[uuid.UUID, uuid.UUID]]:
        async with world.people.database.raw() as batch:
            return await still_live(batch, [pair], world.people.clock.now())

    async with world.people.database.page() as tx:
        await world.consent.withdraw(tx, actor, consent_id)
        batch = asyncio.create_task(look())
        await asyncio.sleep(A_WHILE_SECONDS)
        assert not batch.done()
    assert await batch == frozenset()


async def test_batches_do_not_wait_for_each_other(world: ConsentWorld) -> None:
    actor, consent_id = await give(world, "An")
    assert actor.person_id is not None
    pair = (actor.person_id, consent_id)
    async with world.people.database.raw() as one, world.people.database.raw() as other:
        assert await still_live(one, [pair], world.people.clock.now()) == {pair}
        async with asyncio.timeout(5):
            assert await still_live(other, [pair], world.people.clock.now()) == {pair}


async def test_a_withdrawal_that_fails_leaves_nothing_behind(world: ConsentWorld) -> None:
    actor, consent_id = await give(world, "An")
    lines = len(await world.lines("An", "consent.withdrawn"))

    class _Killed(Exception):
        pass

    with pytest.raises(_Killed):
        async with world.people.database.page() as tx:
            await world.consent.withdraw(tx, actor, consent_id)
            raise _Killed
    assert (await world.consents("An"))[0]["withdrawn_at"] is None
    assert len(await world.lines("An", "consent.withdrawn")) == lines
    assert await world.people.run_events() == 0
    assert len(await world.people.fetch("SELECT 1 FROM consent.receipts WHERE act = 'withdrawn'")) == 0

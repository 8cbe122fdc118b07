"""Withdrawal and publishing on a real database: what is written, and what cannot be."""

from datetime import timedelta

import asyncpg
import pytest

from consent.answering import Ticks
from consent.consents import load_own_consents, still_live
from consent.drafts import PolicyDraft
from consent.give import Submission, answer_key
from consent.receipts import find_own_receipt
from core.actor import Actor
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.ids import new_id
from population_db.api import PartialDate
from tests.support.consent_fixture import made, world
from tests.support.consent_world import HEALTH, OPERATOR, SCHOOL, ConsentWorld, give

__all__ = ["made", "world"]


async def test_a_withdrawal_ends_the_row_once_with_line_and_receipt(world: ConsentWorld) -> None:
    actor, consent_id = await give(world, "An")
    async with world.people.database.page() as tx:
        receipt = await world.consent.withdraw(tx, actor, consent_id)
        again = await world.consent.withdraw(tx, actor, consent_id)
    assert again == receipt
    assert (receipt.act, receipt.consent_id) == ("withdrawn", consent_id)
    assert receipt.body["withdrawn_by"] == "subject"
    async with world.people.database.page() as tx:
        assert actor.person_id is not None
        assert await find_own_receipt(tx, actor.person_id, receipt.reference) == receipt
        assert await world.consent.granted(tx, actor.person_id, world.portal.agency.agency_id, {SCHOOL: ()}) == {}


async def test_nobody_withdraws_anothers(world: ConsentWorld) -> None:
    _, consent_id = await give(world, "An")
    with pytest.raises(NotFound):
        async with world.people.database.page() as tx:
            await world.consent.withdraw(tx, await world.actor("Binh"), consent_id)
    with pytest.raises(NotFound):
        async with world.people.database.page() as tx:
            await world.consent.withdraw(tx, Actor(kind="client", client_id="portal"), consent_id)
    with pytest.raises(NotFound):
        async with world.people.database.page() as tx:
            await world.consent.withdraw(tx, await world.actor("An"), new_id())
    assert (await world.consents("An"))[0]["withdrawn_at"] is None


async def test_a_withdrawal_is_never_dated_before_the_consent(world: ConsentWorld) -> None:
    actor, consent_id = await give(world, "An")
    world.people.clock.advance(-timedelta(seconds=30))
    async with world.people.database.page() as tx:
        await world.consent.withdraw(tx, actor, consent_id)
    row = (await world.consents("An"))[0]
    assert row["withdrawn_at"] == row["given_at"]
    async with world.people.database.raw() as tx:
        assert await still_live(tx, [(row["person_id"], consent_id)], world.people.clock.now()) == frozenset()


async def test_death_ends_what_lives_and_only_that(world: ConsentWorld) -> None:
    await give(world, "An")
    await give(world, "An", HEALTH, fields=("phone",))
    actor, withdrawn = await give(world, "Binh")
    async with world.people.database.page() as tx:
        await world.consent.withdraw(tx, actor, withdrawn)
        for key in ("An", "Binh"):
            event_person = await world.people.person(key)
            await world.people.outbox.emit(tx, "person.died", {"person_id": str(event_person)})
    await world.people.run_events()
    assert {row["withdrawn_by"] for row in await world.consents("An")} == {"life-event"}
    assert [row["withdrawn_by"] for row in await world.consents("Binh")] == ["subject"]
    assert len(world.events) == 3
    line = (await world.lines("An", "consent.withdrawn"))[0].line
    assert (line.actor.kind, line.actor.id) == ("operator", "registry")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent.consents SET fields = '{religion}'",
        "UPDATE consent.consents SET expires_at = expires_at + interval '1 year'",
        "UPDATE consent.purposes SET title_vi = 'x'",
        "UPDATE consent.policies SET keep_days = 1",
        "UPDATE consent.receipts SET body = '{}'",
        "UPDATE consent.answers SET decision = 'allow'",
        "DELETE FROM consent.consents",
        "DELETE FROM consent.receipts",
        "DELETE FROM consent.answers",
    ],
)
async def test_the_service_itself_cannot_rewrite_what_was_agreed(world: ConsentWorld, statement: str) -> None:
    await give(world, "An")
    for database in (world.people.database, world.people.worker):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.raw() as tx:
                await tx.conn.execute(statement)


async def test_a_withdrawal_cannot_be_undone(world: ConsentWorld) -> None:
    actor, consent_id = await give(world, "An")
    async with world.people.database.page() as tx:
        await world.consent.withdraw(tx, actor, consent_id)
    for statement in (
        "UPDATE consent.consents SET withdrawn_at = NULL, withdrawn_by = NULL",
        "UPDATE consent.consents SET withdrawn_at = withdrawn_at + interval '1 day'",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            async with world.people.database.raw() as tx:
                await tx.conn.execute(statement)


async def test_an_answer_to_anothers_question_is_refused(world: ConsentWorld) -> None:
    an = await world.actor("An")
    assert an.person_id is not None
    async with world.people.database.page() as tx:
        question = await world.consent.question(tx, world.ask(an.person_id))
        assert question is not None
    submission = Submission(
        question=question,
        ticks=Ticks("allow", frozenset({SCHOOL})),
        actor=await world.actor("Binh"),
        key=answer_key("interaction", question),
        locale="vi",
    )
    with pytest.raises(NotAllowed):
        async with world.people.database.page() as tx:
            await world.consent.answer(tx, submission)
    assert await world.consents("An") == []


async def test_own_consents_are_the_persons_alone(world: ConsentWorld) -> None:
    await give(world, "An")
    await give(world, "Binh")
    async with world.people.database.page() as tx:
        own = await load_own_consents(tx, await world.people.person("An"))
    assert [one.person_id for one in own] == [await world.people.person("An")]


async def test_publishing_what_is_in_force_changes_nothing(world: ConsentWorld) -> None:
    before = await world.people.fetch("SELECT count(*) FROM consent.policies")
    world.people.clock.advance(timedelta(minutes=1))
    await world.purpose(SCHOOL)
    await world.policy(SCHOOL)
    assert await world.people.fetch("SELECT count(*) FROM consent.policies") == before


async def test_other_words_make_a_minor_and_another_meaning_a_major(world: ConsentWorld) -> None:
    await give(world, "An")
    for changes, version, fields in (
        ({"title": "Nhập học đầu cấp"}, "1.1", {"full_name", "birth_date"}),
        ({"title": "Xét học bổng", "new_major": True}, "2.0", set()),
    ):
        world.people.clock.advance(timedelta(minutes=1))
        await world.purpose(SCHOOL, **changes)
        async with world.people.database.page() as tx:
            assert (await world.consent.purposes(tx, [SCHOOL]))[SCHOOL].version == version
        assert set(await world.granted("An")) == fields


async def test_a_policy_that_ends_takes_the_consents_effect(world: ConsentWorld) -> None:
    await give(world, "An")
    world.people.clock.advance(timedelta(minutes=1))
    await world.policy(SCHOOL, fields=frozenset({"full_name"}), mandatory_fields=frozenset())
    try:
        assert await world.granted("An") == ("full_name",)
    finally:
        world.people.clock.advance(timedelta(minutes=1))
        await world.policy(SCHOOL)


async def test_drafts_that_cannot_be_published(world: ConsentWorld) -> None:
    agency = world.portal.agency
    with pytest.raises(BadInput) as fault:
        await world.policy(SCHOOL, fields=frozenset({"shoe_size"}), consent_days=0)
    assert set(fault.value.fields) == {"fields", "mandatory_fields", "consent_days"}
    draft = PolicyDraft(
        agency.agency_id, agency.code, "no-such-purpose", frozenset({"sex"}), frozenset({"consent"}), 1, 1
    )
    with pytest.raises(BadInput):
        async with world.people.database.page() as tx:
            await world.consent.publish_policy(tx, draft, by=OPERATOR)


async def test_versions_follow_each_other_in_time(world: ConsentWorld) -> None:
    agency, now = world.portal.agency, world.people.clock.now()
    await world.purpose("tax-return")
    await world.policy("tax-return", keep_days=1)
    draft = PolicyDraft(agency.agency_id, agency.code, "tax-return", frozenset({"sex"}), frozenset({"consent"}), 2, 365)
    async with world.people.database.page() as tx:
        to_come = await world.consent.publish_policy(tx, draft, by=OPERATOR, valid_from=now + timedelta(days=30))
        in_force = await world.consent.policy(tx, agency.agency_id, "tax-return")
    assert (to_come.version, to_come.keep_days) == (2, 2)
    assert in_force is not None
    assert (in_force.version, in_force.keep_days, in_force.valid_to) == (1, 1, now + timedelta(days=30))
    world.people.clock.advance(timedelta(days=1))
    with pytest.raises(Conflict):  # the one to come is published
        await world.policy("tax-return", keep_days=3)
    with pytest.raises(BadInput) as fault:
        async with world.people.database.page() as tx:
            await world.consent.publish_policy(tx, draft, by=OPERATOR, valid_from=now)
    assert set(fault.value.fields) == {"valid_from"}


async def test_the_record_read_for_capacity_is_a_real_one(world: ConsentWorld) -> None:
    async with world.people.database.page() as tx:
        asking = world.consent.asking
        assert await asking.why_not_alone(tx, await world.people.person("An")) is None
        assert await asking.why_not_alone(tx, await world.people.person("Dung")) is None  # year of birth only
        assert await asking.why_not_alone(tx, await world.people.person("Lan")) == "under-age"
        record = await world.people.registry.read(tx, await world.people.person("Dung"), ["birth_date"])
    assert not PartialDate.parse(record.get("birth_date")).complete

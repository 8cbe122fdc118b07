"""The two doors: one query, one transaction, and what commits when something is raised."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, delete, select

from core.clock import FixedClock
from core.database import Database, Query, Tx
from core.errors import Refusal, Unavailable
from core.outbox import Event, Outbox, OutboxRow

_COUNT = Query(select(OutboxRow.event_id, OutboxRow.payload).where(OutboxRow.topic == bindparam("topic")))  # type: ignore[call-overload]


def outbox(clock: FixedClock, topic: str, calls: list[uuid.UUID] | None = None) -> Outbox:
    made = Outbox(clock)

    async def note(_: Tx, event: Event) -> None:
        if calls is not None:
            calls.append(event.event_id)

    made.register(topic, "note", note)
    return made


def door(database: Database, name: str) -> Any:
    return database.page() if name == "page" else database.raw()


async def count(database: Database, topic: str) -> int:
    async with database.raw_read() as tx:
        return len(await tx.rows(_COUNT, topic=topic))


@pytest.mark.parametrize("name", ["page", "raw"])
async def test_it_commits_at_the_end(database: Database, clock: FixedClock, name: str) -> None:
    topic = f"commit.{name}"
    async with door(database, name) as tx:
        await outbox(clock, topic).emit(tx, topic, {"a": 1})
        row = await tx.row(_COUNT, topic=topic)
        assert row is not None
        assert row["payload"] == {"a": 1}
    assert await count(database, topic) == 1


@pytest.mark.parametrize("name", ["page", "raw"])
async def test_a_refusal_commits(database: Database, clock: FixedClock, name: str) -> None:
    topic = f"refusal.{name}"
    with pytest.raises(Refusal, match="no"):
        async with door(database, name) as tx:
            await outbox(clock, topic).emit(tx, topic, {})
            raise Refusal("no", "No.")
    assert await count(database, topic) == 1


@pytest.mark.parametrize("name", ["page", "raw"])
async def test_an_act_rolls_back_to_its_savepoint(database: Database, clock: FixedClock, name: str) -> None:
    topic = f"savepoint.{name}"
    events = outbox(clock, topic)
    with pytest.raises(Refusal):
        async with door(database, name) as tx:
            await events.emit(tx, topic, {"stays": True})
            async with tx.savepoint():
                await events.emit(tx, topic, {"goes": True})
                raise Refusal("no", "No.")
    async with database.raw_read() as tx:
        assert [row["payload"] for row in await tx.rows(_COUNT, topic=topic)] == [{"stays": True}]


@pytest.mark.parametrize("name", ["page", "raw"])
@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
async def test_anything_else_rolls_back(
    database: Database, clock: FixedClock, name: str, error: type[BaseException]
) -> None:
    topic = f"rollback.{name}.{error.__name__}"
    with pytest.raises(error):
        async with door(database, name) as tx:
            await outbox(clock, topic).emit(tx, topic, {})
            raise error
    assert await count(database, topic) == 0


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    gone = await Database.connect("postgresql://nobody:x@127.0.0.1:1/none", sessions=1, raw=1)
    try:
        for name in ("page", "raw"):
            with pytest.raises(Unavailable):
                async with door(gone, name) as tx:
                    await tx.rows(_COUNT, topic="x")
    finally:
        await gone.close()


@pytest.fixture
async def nothing_waits(worker_database: Database) -> None:
    async with worker_database.raw() as tx:
        await tx.run(Query(delete(OutboxRow)))


@pytest.mark.usefixtures("nothing_waits")
async def test_an_event_is_handled_once(worker_database: Database, clock: FixedClock) -> None:
    topic = "handled"
    calls: list[uuid.UUID] = []
    events = outbox(clock, topic, calls)
    async with worker_database.raw() as tx:
        await events.emit(tx, topic, {"n": 1})
    assert [await events.run_once(worker_database) for _ in range(2)] == [True, False]
    assert len(calls) == 1


@pytest.mark.usefixtures("nothing_waits")
async def test_readers_side_by_side_share_the_events(worker_database: Database, clock: FixedClock) -> None:
    topic = "shared"
    calls: list[uuid.UUID] = []
    events = outbox(clock, topic, calls)
    for n in range(12):
        async with worker_database.raw() as tx:
            await events.emit(tx, topic, {"n": n})

    async def drain() -> None:
        while await events.run_once(worker_database):
            pass

    await asyncio.gather(drain(), drain(), drain())
    assert len(calls) == len(set(calls)) == 12


@pytest.mark.usefixtures("nothing_waits")
async def test_a_failed_step_waits_and_is_tried_again(worker_database: Database, clock: FixedClock) -> None:
    events, tries = Outbox(clock), []

    async def fail_once(_: Tx, event: Event) -> None:
        tries.append(event.event_id)
        if len(tries) == 1:
            raise RuntimeError("not yet")

    events.register("failing", "step", fail_once)
    async with worker_database.raw() as tx:
        await events.emit(tx, "failing", {})
    assert await events.run_once(worker_database)
    assert not await events.run_once(worker_database)  # its time has not come
    clock.advance(timedelta(seconds=5))
    assert await events.run_once(worker_database)
    assert len(tries) == 2


@pytest.mark.usefixtures("nothing_waits")
async def test_what_is_done_is_forgotten_after_a_day(worker_database: Database, clock: FixedClock) -> None:
    events = outbox(clock, "old")
    async with worker_database.raw() as tx:
        await events.emit(tx, "old", {})
        await events.emit(tx, "old", {})
    assert await events.run_once(worker_database)
    clock.advance(timedelta(hours=25))
    assert await events.forget_done(worker_database) == 1
    async with worker_database.raw() as tx:
        assert (await events.backlog(tx))[0] == 1


async def test_an_expanding_list_is_refused() -> None:
    statement = select(OutboxRow.event_id).where(OutboxRow.topic.in_(["a", "b"]))  # type: ignore[attr-defined, call-overload]
    with pytest.raises(ValueError, match="ANY"):
        Query(statement).compiled()

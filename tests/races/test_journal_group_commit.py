"""Disclosures at once, on real transactions: one line per answer, whatever happens in between."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest

from core.database import Database, RawTx, Tx
from core.errors import Unavailable
from core.ids import new_id
from privacy.journal.api import DisclosureRefused, Journal, Line, LineRef
from privacy.vault.api import Vault
from service.embedded import EmbeddedUrls
from tests.support.cutting_proxy import Cut, cutting_proxy
from tests.support.databases import open_database
from tests.support.privacy import JournalRoom, line, make_vault


@pytest.fixture(scope="module")
async def vault(owner_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return await make_vault(owner_database, tmp_path_factory.mktemp("keys"))


@pytest.fixture
async def room(
    database: Database,
    worker_database: Database,
    reader_database: Database,
    owner_database: Database,
    vault: Vault,
) -> AsyncIterator[JournalRoom]:
    opened = JournalRoom(database, worker_database, reader_database, owner_database, vault)
    yield opened
    await opened.journal.close()
    await opened.empty()


async def lines_in(room: JournalRoom) -> dict[UUID, str]:
    """line_id → kind of everything committed; each must have its pending leaf."""
    async with room.reader.raw() as tx:
        rows = await tx.conn.fetch("SELECT line_id, kind FROM privacy.journal_lines")
        pending = {row["line_id"] for row in await tx.conn.fetch("SELECT line_id FROM privacy.journal_pending")}
    assert {row["line_id"] for row in rows} == pending
    return {row["line_id"]: row["kind"] for row in rows}


async def test_each_answer_has_one_line_and_each_refusal_too(room: JournalRoom) -> None:
    people = [new_id() for _ in range(7)]

    async def one(at: int) -> LineRef | Exception:
        basis = {"refuse": "withdrawn"} if at % 5 == 0 else {}
        try:
            return await room.journal.disclose(line(people[at % 7]), basis=basis)
        except DisclosureRefused as refused:
            return refused

    answers = await asyncio.gather(*(one(at) for at in range(300)))
    refs = [answer for answer in answers if isinstance(answer, LineRef)]
    committed = await lines_in(room)
    assert len(refs) == 240
    assert len(committed) == 300
    assert {ref.line_id for ref in refs} == {line_id for line_id, kind in committed.items() if kind == "disclosure"}
    assert len(room.guard.batches) < 20  # they shared transactions
    assert sum(room.guard.batches) == 300


async def test_no_caller_returns_before_the_commit(room: JournalRoom) -> None:
    async def one() -> bool:
        ref = await room.journal.disclose(line(), basis={})
        async with room.reader.raw() as tx:
            found = await tx.conn.fetchval("SELECT count(*) FROM privacy.journal_lines WHERE line_id = $1", ref.line_id)
            return bool(found)

    assert all(await asyncio.gather(*(one() for _ in range(6))))


async def test_cancelled_callers_leave_at_most_a_line_without_an_answer(room: JournalRoom) -> None:
    tasks = [asyncio.create_task(room.journal.disclose(line(), basis={})) for _ in range(120)]
    await asyncio.sleep(0.004)
    for task in tasks[::3]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    await room.journal.close()
    refs = {answer.line_id for answer in answers if isinstance(answer, LineRef)}
    assert len(refs) >= 80
    assert refs <= (await lines_in(room)).keys()


class SlowGuard:
    """Lets a test act while the batch's transaction is open."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.go_on = asyncio.Event()
        self.pid = 0

    async def refused(self, tx: Tx, asked: Sequence[tuple[Line, Mapping[str, Any]]]) -> Mapping[int, str]:
        assert isinstance(tx, RawTx)
        self.pid = await tx.conn.fetchval("SELECT pg_backend_pid()")
        self.open.set()
        await self.go_on.wait()
        return {}


async def test_a_killed_backend_is_unavailable_for_every_waiter(room: JournalRoom) -> None:
    guard = SlowGuard()
    journal = Journal(room.web, room.clock, room.vault, guard)
    tasks = [asyncio.create_task(journal.disclose(line(), basis={})) for _ in range(10)]
    await guard.open.wait()
    async with room.web.raw() as tx:  # a login may end its own backends
        await tx.conn.fetchval("SELECT pg_terminate_backend($1)", guard.pid)
    guard.go_on.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable] * 10
    assert await lines_in(room) == {}
    assert isinstance(await journal.disclose(line(), basis={}), LineRef)  # and the next batch works


async def test_a_guard_that_fails_makes_the_batch_unavailable(room: JournalRoom) -> None:
    class Failing:
        async def refused(self, tx: Tx, asked: Sequence[tuple[Line, Mapping[str, Any]]]) -> Mapping[int, str]:
            raise LookupError("a bug")

    with pytest.raises(Unavailable):
        await Journal(room.web, room.clock, room.vault, Failing()).disclose(line(), basis={})
    assert await lines_in(room) == {}


@pytest.mark.parametrize(("cut", "lines"), [("before", 0), ("after", 5)])
async def test_a_connection_lost_at_commit_answers_nothing(
    room: JournalRoom, database_urls: EmbeddedUrls, cut: Cut, lines: int
) -> None:
    async with cutting_proxy(database_urls.database_url) as (proxy, url), open_database(url) as through:
        journal = Journal(through, room.clock, room.vault, room.guard)
        people = [new_id() for _ in range(5)]
        async with room.web.raw() as tx:
            await room.vault.make_person_keys(tx, people)  # their own commit must not be the one that is cut
        proxy.cut = cut
        answers = await asyncio.gather(
            *(journal.disclose(line(person), basis={}) for person in people), return_exceptions=True
        )
        assert proxy.cuts == 1
        assert [type(answer) for answer in answers] == [Unavailable] * 5
        assert len(await lines_in(room)) == lines  # "after": lines without an answer, never the reverse
        assert isinstance(await journal.disclose(line(), basis={}), LineRef)


async def test_a_line_about_a_new_person_does_not_wait_for_an_open_transaction(room: JournalRoom) -> None:
    """The key is made on a connection of its own; in the caller's transaction this would be a deadlock."""
    person = new_id()
    async with asyncio.timeout(5), room.web.raw() as tx:
        await room.journal.write(tx, line(person, kind="refusal"))
        ref = await room.journal.disclose(line(person), basis={})
    async with room.reader.raw() as tx:
        assert ref.line_id in {stored.line_id for stored in await room.journal.about(tx, person)}


async def test_a_person_whose_key_was_changed_spoils_nobody_elses_line(room: JournalRoom) -> None:
    good, bad = new_id(), new_id()
    async with room.owner.raw() as tx:
        await tx.conn.execute("INSERT INTO privacy.person_keys SELECT $1, sealed FROM privacy.person_keys LIMIT 1", bad)
    fine, spoilt = await asyncio.gather(
        room.journal.disclose(line(good), basis={}), room.journal.disclose(line(bad), basis={}), return_exceptions=True
    )
    assert isinstance(fine, LineRef)
    assert isinstance(spoilt, Unavailable)


async def test_load_of_everything_at_once_verifies(room: JournalRoom) -> None:
    people = [new_id() for _ in range(10)]
    done = asyncio.Event()

    async def sequence() -> None:
        mine = room.another_sequencer()
        while not done.is_set():
            await mine.run_once()
            await asyncio.sleep(0.005)

    async def verify_beside() -> None:
        while not done.is_set():
            report = await room.check()
            assert report.ok, report.findings[:3]
            await asyncio.sleep(0.01)

    async def disclose() -> None:
        for at in range(40):
            await room.journal.disclose(line(people[at % 10]), basis={})

    beside = [asyncio.create_task(task) for task in (sequence(), sequence(), verify_beside())]
    await asyncio.gather(*(disclose() for _ in range(16)), *(room.act(people[at % 10]) for at in range(50)))
    done.set()
    await asyncio.gather(*beside)
    await room.sequencer.run_once()
    report = await room.check()
    assert report.ok
    assert report.leaves == 16 * 40 + 50

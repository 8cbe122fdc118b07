"""Lines: what is written, by whom, what is read back."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from core.database import Database
from core.errors import NotFound, Unavailable
from core.ids import new_id
from privacy.journal.api import (
    NOBODY,
    ActorRef,
    BadLine,
    DisclosureRefused,
    Journal,
    Line,
    excess_rights,
    make_months,
    writable,
)
from tests.support.privacy import JournalRoom, line

CANARIES = ("Canary-Dossier", "Canary-Hint", "Canary-Detail", "canary_field", "Canary-Reason", "Canary-Procedure")


async def test_a_disclosure_is_there_before_it_returns(room: JournalRoom) -> None:
    person = new_id()
    ref = await room.journal.disclose(line(person), basis={})
    async with room.reader.raw() as tx:
        (stored,) = await room.journal.about(tx, person)
        pending = await tx.conn.fetchrow("SELECT * FROM privacy.journal_pending WHERE line_id = $1", ref.line_id)
    assert stored.intact
    assert stored.line == line(person)
    assert (stored.line_id, stored.recorded_at, stored.leaf_hash) == (ref.line_id, ref.recorded_at, ref.leaf_hash)
    assert pending is not None
    assert pending["leaf_hash"] == ref.leaf_hash


@pytest.mark.parametrize("door", ["raw", "page"])
async def test_an_act_stands_and_falls_with_its_transaction(room: JournalRoom, door: str) -> None:
    person = new_id()
    opens = getattr(room.web, door)
    async with opens() as tx:
        await room.journal.write(tx, line(person, kind="act", action="stands"))

    async def falls() -> None:
        async with opens() as tx:
            await room.journal.write(tx, line(person, kind="act", action="falls"))
            raise LookupError

    async def refused() -> None:
        async with opens() as tx:
            try:
                async with tx.savepoint():
                    await room.journal.write(tx, line(person, kind="act", action="undone"))
                    raise NotFound("none", "None.")
            except NotFound:
                await room.journal.write(tx, line(person, kind="refusal", action="refused"))
                raise

    with pytest.raises(LookupError):
        await falls()
    with pytest.raises(NotFound):
        await refused()
    async with opens() as tx:
        assert [stored.line.action for stored in await room.journal.about(tx, person)] == ["refused", "stands"]


async def test_a_line_about_nobody(room: JournalRoom) -> None:
    async with room.web.raw() as tx:
        await room.journal.write(tx, line(new_id(), kind="act", subject=None))
        (stored,) = await room.journal.about(tx, NOBODY)
    assert stored.line.subject is None
    assert stored.intact


async def test_the_guard_is_asked_in_the_batch(room: JournalRoom) -> None:
    person = new_id()
    with pytest.raises(DisclosureRefused) as refused:
        await room.journal.disclose(line(person), basis={"refuse": "consent-withdrawn"})
    assert refused.value.reason == "consent-withdrawn"
    assert refused.value.status == 403
    async with room.reader.raw() as tx:
        (stored,) = await room.journal.about(tx, person)
    assert (stored.line.kind, stored.line.outcome, stored.line.reason) == ("refusal", "refused", "consent-withdrawn")
    assert stored.line.fields == ("full_name", "birth_date")


async def test_without_a_guard_nothing_is_disclosed(room: JournalRoom) -> None:
    journal = Journal(room.web, room.clock, room.vault)
    with pytest.raises(DisclosureRefused):
        await journal.disclose(line(), basis={})


async def test_each_kind_goes_through_its_door(room: JournalRoom) -> None:
    with pytest.raises(BadLine):
        await room.journal.disclose(line(kind="act"), basis={})
    async with room.web.raw() as tx:
        with pytest.raises(BadLine):
            await room.journal.write(tx, line(kind="disclosure"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "other"},
        {"action": ""},
        {"action": "a" * 201},
        {"dossier": "a\x00b"},
        {"reason": "\ud800"},
        {"fields": ("f",) * 201},
        {"details": {str(at): "" for at in range(51)}},
        {"subject": NOBODY},
        {"actor": ActorRef("", "x")},
    ],
)
def test_a_line_that_would_sink_its_batch_is_refused_before(wrong: dict[str, object]) -> None:
    with pytest.raises(BadLine):
        line(**{"kind": "act", **wrong})  # type: ignore[arg-type]


async def test_pages_of_a_history_miss_and_repeat_nothing(room: JournalRoom) -> None:
    person = new_id()
    written = []
    for at in range(23):
        if at % 3 == 0:
            room.clock.advance(timedelta(days=9))  # several lines at one instant, several months
        written.append(await room.act(person))
        await room.act()  # somebody else's
    read: list[UUID] = []
    before, before_line = None, None
    async with room.web.raw() as tx:
        while page := await room.journal.about(tx, person, before=before, before_line=before_line, limit=5):
            read += [stored.line_id for stored in page]
            before, before_line = page[-1].recorded_at, page[-1].line_id
        assert read == written[::-1]
        strictly = await room.journal.about(tx, person, before=room.clock.now(), limit=500)
        assert {stored.recorded_at for stored in strictly} < {stored.recorded_at for stored in strictly} | {
            room.clock.now()
        }
        with pytest.raises(ValueError):
            await room.journal.about(tx, person, limit=0)


async def test_nothing_but_the_clear_columns_lies_in_clear(room: JournalRoom) -> None:
    hidden = line(
        dossier=CANARIES[0],
        actor=ActorRef("official", "o-1", name_hint=CANARIES[1]),
        details={"note": CANARIES[2]},
        fields=(CANARIES[3],),
        reason=CANARIES[4],
        procedure=CANARIES[5],
    )
    await room.journal.disclose(hidden, basis={})
    await room.sequencer.run_once()
    async with room.owner.raw() as tx:
        for table in ("journal_lines", "journal_pending", "journal_leaves", "journal_checkpoints", "person_keys"):
            for row in await tx.conn.fetch(f"SELECT * FROM privacy.{table}"):
                dump = "".join(
                    value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row.values()
                )
                assert not [canary for canary in CANARIES if canary in dump]


async def test_an_erased_person_leaves_clear_columns_only(room: JournalRoom) -> None:
    person = new_id()
    await room.act(person)
    async with room.worker.raw() as tx:
        await room.vault.destroy_person_key(tx, person)
    async with room.web.raw() as tx:
        (stored,) = await room.journal.about(tx, person)
    assert not stored.intact
    assert stored.leaf_hash is None
    assert stored.line == Line(
        "act",
        "lookup.records",
        person,
        ActorRef("client", "client-1"),
        agency="HN-01",
        purpose="school-enrolment",
        outcome="answered",
    )


async def test_a_changed_row_shows_in_the_history(room: JournalRoom) -> None:
    person = new_id()
    await room.act(person)
    await room.tamper("UPDATE privacy.journal_lines SET agency = 'XX' WHERE person_id = $1", person)
    async with room.web.raw() as tx:
        (stored,) = await room.journal.about(tx, person)
    assert not stored.intact
    assert stored.line.agency == "HN-01"


@pytest.mark.parametrize("table", ["journal_lines", "journal_lines_default", "journal_leaves", "journal_checkpoints"])
@pytest.mark.parametrize("sql", ["DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET {} = {}"])
async def test_nobody_changes_rows_not_even_the_owner(room: JournalRoom, table: str, sql: str) -> None:
    room.clock.advance(timedelta(days=36_500))  # into the default partition
    await room.act()
    await room.sequencer.run_once()
    column = "signed_at" if table == "journal_checkpoints" else "recorded_at"
    for login in (room.web, room.worker, room.reader, room.owner):
        # The reader's transactions are read-only, which the database door takes for an interruption.
        with pytest.raises(Unavailable if login is room.reader else asyncpg.InsufficientPrivilegeError):
            async with login.raw() as tx:
                await tx.conn.execute(sql.format(f"privacy.{table}", column, column))


async def test_the_rights_of_each_login(room: JournalRoom) -> None:
    for login in (room.web, room.worker, room.reader):
        async with login.raw() as tx:
            assert await excess_rights(tx) == []
    async with room.owner.raw() as tx:
        assert "the login owns privacy.journal_lines" in await excess_rights(tx)
    for login, may in ((room.web, True), (room.worker, True), (room.reader, False)):
        async with login.raw() as tx:
            assert await writable(tx) is may


async def test_months_are_made_ahead_by_the_worker_alone(room: JournalRoom, database: Database) -> None:
    later = room.clock.now() + timedelta(days=800)
    async with room.worker.raw() as tx:
        assert await make_months(tx, later) == 4
        assert await make_months(tx, later) == 0
    room.clock.advance(timedelta(days=800))
    await room.act()
    async with room.owner.raw() as tx:
        assert await tx.conn.fetchval("SELECT count(*) FROM privacy.journal_lines_default") == 0
        name = f"privacy.journal_lines_{later:%Y_%m}"
        assert await tx.conn.fetchval(f"SELECT count(*) FROM {name}") == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.raw() as tx:
            await make_months(tx, later)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with room.owner.raw() as tx:
            await tx.conn.execute(f"TRUNCATE {name}")


async def test_a_month_whose_lines_went_to_the_default_partition_stays_there(room: JournalRoom) -> None:
    room.clock.advance(timedelta(days=4_000))
    await room.act()
    async with room.worker.raw() as tx:
        assert await make_months(tx, room.clock.now()) == 3

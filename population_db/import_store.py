"""Writing a batch: one transaction that holds its rows and the mark that it is done.

The mark and the rows stand or fall together, so a run that was killed anywhere goes on with the first batch
that has no mark. That is also why a batch need not wait for the disk (`synchronous_commit = off`): a server
that loses its last moments loses marks and rows alike. The end of the run waits.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from core.database import RawTx
from core.outbox import Outbox
from population_db.import_batch import Plan, Plans, Stamp, touches_index
from population_db.import_look import Connection, index_changes
from population_db.import_rows import BatchRows, membership_since
from population_db.life_events import DIED, NUMBER_CHANGED
from population_db.sealing import ContentMacs, IndexEntry
from privacy.vault.api import PersonKey, Vault

_DONE = "SELECT TRUE FROM population_db.import_batches WHERE run_id = $1 AND batch = $2"
_MARK = """
    INSERT INTO population_db.import_batches
        (run_id, batch, first_line, bytes_done, rows_read, inserted, updated, unchanged, rejected, rejects, recorded_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"""
_HOUSEHOLDS = """
    INSERT INTO population_db.households (household_id, key_version, key_mac, recorded_at)
    SELECT household_id, key_version, key_mac, $4
    FROM unnest($1::uuid[], $2::smallint[], $3::bytea[]) AS fresh (household_id, key_version, key_mac)
    ON CONFLICT DO NOTHING"""
_ADVANCE = """
    UPDATE population_db.persons p SET
        version = p.version + 1,
        status = fresh.status,
        status_since = CASE WHEN p.status = fresh.status THEN p.status_since ELSE $4 END
    FROM unnest($1::uuid[], $2::integer[], $3::text[]) AS fresh (person_id, version, status)
    WHERE p.person_id = fresh.person_id AND p.version = fresh.version"""
_SUPERSEDE = """
    UPDATE population_db.person_groups g SET superseded_at = greatest(g.recorded_at, $4)
    FROM unnest($1::uuid[], $2::text[], $3::integer[]) AS old (person_id, group_code, version)
    WHERE g.person_id = old.person_id AND g.group_code = old.group_code AND g.version = old.version
        AND g.superseded_at IS NULL"""
_LEAVE = """
    UPDATE population_db.household_members m SET valid_to = greatest(m.valid_from, gone.valid_to)
    FROM unnest($1::uuid[], $2::date[]) AS gone (person_id, valid_to)
    WHERE m.person_id = gone.person_id AND m.valid_to IS NULL"""
_UNINDEX = """
    DELETE FROM population_db.search_index s USING unnest($1::uuid[], $2::bytea[]) AS old (person_id, mac)
    WHERE s.mac = old.mac AND s.person_id = old.person_id"""
_CANCEL = """
    UPDATE population_db.person_numbers SET status = 'cancelled', cancelled_on = $2, reason = $3
    WHERE person_id = $1 AND status = 'active'"""
_CANCEL_INDEX = """
    UPDATE population_db.number_index SET status = 'cancelled' WHERE person_id = $1 AND status = 'active'"""
_ORDINAL = "SELECT coalesce(max(ordinal), 0) FROM population_db.person_numbers WHERE person_id = $1"

OVERTAKEN = (
    asyncpg.UniqueViolationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)
"""Somebody wrote the same between our look and our write: look again."""


class Overtaken(Exception):
    """A person changed between our look and our write."""


@dataclass(slots=True)
class SealedBatch:
    """Everything a batch writes, ready to be sent."""

    plans: Plans
    stamp: Stamp
    rows: BatchRows
    index: dict[uuid.UUID, tuple[list[IndexEntry], list[IndexEntry]]]
    streams: list[tuple[str, str, tuple[str, ...], bytes]]


@dataclass(frozen=True, slots=True)
class Counts:
    """What a batch, or all of them, came to."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.read + other.read,
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.rejected + other.rejected,
        )


async def seal(conn: Connection, vault: Vault, macs: ContentMacs, plans: Plans, stamp: Stamp) -> SealedBatch:
    """Seals a planned batch and encodes its rows."""
    rows = BatchRows(vault, macs, stamp)
    keys: Mapping[uuid.UUID, PersonKey] = {}
    contacts = [plan.person_id for plan in plans.changed if any(write.group == "contact" for write in plan.groups)]
    if contacts:
        keys = await vault.make_person_keys(RawTx(conn), contacts)
    rows.add_all(plans, keys)
    index = await index_changes(conn, vault, touched) if (touched := touches_index(plans.changed)) else {}
    for person_id, (_, added) in index.items():
        rows.add_search_rows(person_id, added)
    for plan in plans.changed:
        if plan.numbers.add:
            # The step of the person's version, taken in the same transaction, keeps this ordinal free.
            rows.add_numbers(plan.person_id, plan.numbers, 1 + await conn.fetchval(_ORDINAL, plan.person_id))
    streams = [(table.schema, table.table, table.columns, table.data()) for table in rows.tables()]
    return SealedBatch(plans, stamp, rows, index, streams)


async def store(conn: Connection, outbox: Outbox, batch: SealedBatch) -> Counts | None:
    """Writes a batch and its mark; None when it has its mark already.

    Raises Overtaken or one of OVERTAKEN when it has to be planned again; nothing is written then.
    """
    run_id, at, plans = batch.stamp.run_id, batch.stamp.at, batch.plans
    async with conn.transaction():
        await conn.execute("SET LOCAL synchronous_commit = off")
        if await conn.fetchval(_DONE, run_id, plans.read.chunk.batch):
            return None
        await _change(conn, outbox, plans.changed, batch.index, at)
        if plans.households:
            await conn.execute(
                _HOUSEHOLDS,
                list(plans.households),
                [version for version, _ in plans.households.values()],
                [mac for _, mac in plans.households.values()],
                at,
            )
        for schema, table, columns, data in batch.streams:
            await _copy(conn, schema, table, columns, data)
        return await _mark(conn, batch)


async def _copy(conn: Connection, schema: str, table: str, columns: tuple[str, ...], data: bytes) -> None:
    async def stream() -> Any:
        yield data

    await conn.copy_to_table(table, source=stream(), schema_name=schema, columns=columns, format="binary")


async def _change(
    conn: Connection,
    outbox: Outbox,
    changed: list[Plan],
    index: Mapping[uuid.UUID, tuple[list[IndexEntry], list[IndexEntry]]],
    at: datetime,
) -> None:
    """What changes in rows that are there: versions, ends of groups, memberships, numbers, search rows."""
    if not changed:
        return
    known = [(plan, plan.known) for plan in changed if plan.known is not None]
    await _all_of(
        conn,
        _ADVANCE,
        [(plan.person_id, was.version, plan.status) for plan, was in known],
        at,
    )
    ended = [
        (plan.person_id, write.group, write.version - 1)
        for plan in changed
        for write in plan.groups
        if write.version > 1
    ]
    await _all_of(conn, _SUPERSEDE, ended, at)
    moved = [(plan.person_id, membership_since(plan)) for plan in changed if plan.household is not None]
    if moved:
        await conn.execute(_LEAVE, *map(list, zip(*moved, strict=True)))
    gone = [(person_id, entry.blind.mac) for person_id, (old, _) in index.items() for entry in old]
    if gone:
        await conn.execute(_UNINDEX, *map(list, zip(*gone, strict=True)))
    for plan, was in known:
        await _numbers_and_events(conn, outbox, plan, was.status)


async def _all_of(conn: Connection, sql: str, rows: list[tuple[Any, ...]], at: datetime) -> None:
    """Runs a bulk UPDATE that must find every row. Raises Overtaken."""
    if rows:
        done = await conn.execute(sql, *map(list, zip(*rows, strict=True)), at)
        if done != f"UPDATE {len(rows)}":
            raise Overtaken


async def _numbers_and_events(conn: Connection, outbox: Outbox, plan: Plan, was: str) -> None:
    numbers, tx, payload = plan.numbers, RawTx(conn), {"person_id": str(plan.person_id)}
    if numbers.cancel is not None or numbers.cancel_without_successor:
        one = numbers.cancel
        await conn.execute(_CANCEL, plan.person_id, one and one.cancelled_on, one and one.reason)
        await conn.execute(_CANCEL_INDEX, plan.person_id)
        await outbox.emit(tx, NUMBER_CHANGED, payload)
    if plan.status == "dead" and was != "dead":
        await outbox.emit(tx, DIED, payload)


async def _mark(conn: Connection, batch: SealedBatch) -> Counts:
    plans, chunk = batch.plans, batch.plans.read.chunk
    rejects = [[one.line, one.offset, one.code, one.field] for one in sorted(plans.rejects, key=lambda one: one.line)]
    counts = Counts(plans.rows_read, len(plans.new), len(plans.changed), len(plans.unchanged), len(plans.rejects))
    await conn.execute(
        _MARK,
        batch.stamp.run_id,
        chunk.batch,
        chunk.first_line,
        chunk.end,
        counts.read,
        counts.inserted,
        counts.updated,
        counts.unchanged,
        counts.rejected,
        rejects,
        batch.stamp.at,
    )
    return counts

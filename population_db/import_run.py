"""Importing a file: `import_file`, which starts, resumes and reports a run."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg

from core.clock import Clock
from core.ids import new_id
from population_db.import_crew import PROCESSES, ImportFailed, importers
from population_db.import_look import Connection, connect
from population_db.import_reader import chunks, digest, probe
from population_db.import_rejects import write_rejects
from population_db.import_store import Counts
from population_db.import_worker import Job, sentence
from privacy.vault.api import KeyEncryptionKeys

BATCH_ROWS = 2_000
SMALL_BYTES = 4 << 20  # below this, starting processes takes longer than the import
IMPORT_LOCK = 0x496D706F7274  # one import at a time: two would wait for each other row by row

_UNFINISHED = """
    SELECT run_id, batch_size FROM population_db.import_runs WHERE file_digest = $1 AND finished_at IS NULL"""
_BEGIN = """
    INSERT INTO population_db.import_runs (run_id, file_digest, file_bytes, batch_size, started_at)
    VALUES ($1, $2, $3, $4, $5)"""
_BATCHES = "SELECT batch FROM population_db.import_batches WHERE run_id = $1"
_TOTALS = """
    SELECT coalesce(sum(rows_read), 0)::bigint AS read, coalesce(sum(inserted), 0)::bigint AS inserted,
        coalesce(sum(updated), 0)::bigint AS updated, coalesce(sum(unchanged), 0)::bigint AS unchanged,
        coalesce(sum(rejected), 0)::bigint AS rejected
    FROM population_db.import_batches WHERE run_id = $1"""
_FORGET = "DELETE FROM population_db.import_seen WHERE run_id = $1"
_FINISH = "UPDATE population_db.import_runs SET finished_at = $2 WHERE run_id = $1"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an import stands. stage: "checking" (the file's digest) or "importing". Sizes in bytes."""

    stage: str
    done_bytes: int
    total_bytes: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import came to. The counts are of the whole file; `resumed` rows of them were in before this
    call, and rows_per_second is of this call alone. seconds: of the importing, without the digest.
    """

    run_id: uuid.UUID
    read: int
    inserted: int
    updated: int
    unchanged: int
    rejected: int
    resumed: int
    seconds: float
    rows_per_second: float


async def import_file(
    path: Path,
    *,
    database_url: str,
    open_keys: Callable[[], KeyEncryptionKeys],
    clock: Clock,
    events: Mapping[str, tuple[str, ...]],
    rejects_path: Path | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    batch_rows: int = BATCH_ROWS,
    processes: int | None = None,
) -> ImportReport:
    """Imports a JSON Lines or CSV file; a run that was stopped goes on where it stopped.

    database_url: of the worker's login. open_keys: gives the key-encryption keys, e.g.
    `partial(KeyEncryptionKeys.from_file, path)`; it and the clock must be picklable. events: topic → names
    of registered outbox handlers (`person.died`, `person.number_changed`). processes: importing processes;
    0 imports in this one; None chooses by the size of the file.

    Raises FileRefused (not a file of ours), ImportFailed (another import runs, the database or the keys do
    not answer); what was written by then stays and need not be written again.
    """
    shape = probe(path)
    size = path.stat().st_size  # noqa: ASYNC240
    fingerprint = await asyncio.to_thread(
        digest, path, lambda done: progress(Progress("checking", done, size, Counts()))
    )
    async with _only_import(database_url) as conn:
        run_id, batch_rows = await _begin(conn, fingerprint, size, batch_rows, clock)
        before, done = await _totals(conn, run_id), {row["batch"] for row in await conn.fetch(_BATCHES, run_id)}
        begun = monotonic()
        job = Job(path, shape, database_url, open_keys, events, run_id, clock)
        todo = (chunk for chunk in chunks(path, shape, batch_rows) if chunk.batch not in done)
        counted = before
        if processes is None:
            processes = 0 if size < SMALL_BYTES else PROCESSES
        try:
            async with importers(job, processes) as crew:
                async for chunk, counts in crew.work(todo):
                    counted = counted + counts
                    progress(Progress("importing", chunk.end, size, counted))
            await _finish(conn, run_id, clock)
        finally:
            # A stopped import tells what it refused so far; when the database is gone it cannot.
            if rejects_path is not None and not conn.is_closed():
                await write_rejects(conn, run_id, path, shape, rejects_path)
        seconds = monotonic() - begun
        total = await _totals(conn, run_id)
    return ImportReport(
        run_id,
        total.read,
        total.inserted,
        total.updated,
        total.unchanged,
        total.rejected,
        before.read,
        seconds,
        (total.read - before.read) / seconds if seconds else 0.0,
    )


@asynccontextmanager
async def _only_import(database_url: str) -> AsyncIterator[Connection]:
    """The run's own connection, which holds the lock until it closes or dies. Raises ImportFailed."""
    try:
        conn = await connect(database_url)
    except (OSError, asyncpg.PostgresError) as error:
        raise ImportFailed(f"the database does not answer ({type(error).__name__})") from error
    try:
        if not await conn.fetchval("SELECT pg_try_advisory_lock($1)", IMPORT_LOCK):
            raise ImportFailed("another import is running")
        yield conn
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise ImportFailed(sentence(error)) from error
    finally:
        await conn.close()


async def _begin(
    conn: Connection, fingerprint: bytes, size: int, batch_rows: int, clock: Clock
) -> tuple[uuid.UUID, int]:
    """The unfinished run of this very file with the batches it was cut into, or a new one."""
    unfinished = await conn.fetchrow(_UNFINISHED, fingerprint)
    if unfinished is not None:
        return unfinished["run_id"], unfinished["batch_size"]
    run_id = new_id()
    await conn.execute(_BEGIN, run_id, fingerprint, size, batch_rows, clock.now())
    return run_id, batch_rows


async def _totals(conn: Connection, run_id: uuid.UUID) -> Counts:
    row: Any = await conn.fetchrow(_TOTALS, run_id)
    return Counts(**dict(row))


async def _finish(conn: Connection, run_id: uuid.UUID, clock: Clock) -> None:
    """Ends the run. This commit waits for the disk, and with it all the batches before it."""
    async with conn.transaction():
        await conn.execute(_FORGET, run_id)
        await conn.execute(_FINISH, run_id, clock.now())

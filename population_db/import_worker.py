"""One importer: prepares a batch by itself, writes it when its turn comes.

Preparing (reading, checking, digests, sealing) is nearly all of our processor time and needs nobody else, so
several processes do it side by side. Writing goes in the file's order, one batch at a time: so the first of
two rows with one number is the one that counts, in every run alike.
"""

import asyncio
import gc
import signal
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import BinaryIO, Self

from core.clock import Clock, vietnam_day
from core.database import RawTx, Tx
from core.outbox import Event, Outbox
from population_db.import_batch import ReadBatch, Stamp, plan, read_batch
from population_db.import_look import Connection, connect, look
from population_db.import_reader import Chunk, Shape
from population_db.import_store import OVERTAKEN, Counts, Overtaken, SealedBatch, seal, store
from population_db.sealing import ContentMacs
from privacy.vault.api import KeyEncryptionKeys, Vault

ATTEMPTS = 20
"""How often a batch is planned again when others write the same persons meanwhile."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every importer of a run is told; goes to other processes, so it holds no open thing.

    open_keys: gives the key-encryption keys (a function or partial that can be pickled; keys themselves are
    never sent). events: topic → names of the handlers the composition root registered for it. clock: can be
    pickled too.
    """

    path: Path
    shape: Shape
    database_url: str = field(repr=False)
    open_keys: Callable[[], KeyEncryptionKeys]
    events: Mapping[str, tuple[str, ...]]
    run_id: uuid.UUID
    clock: Clock


class Importer:
    """Prepares and writes batches over one connection."""

    def __init__(self, job: Job, conn: Connection, vault: Vault, file: BinaryIO) -> None:
        self._job = job
        self._conn = conn
        self._vault = vault
        self._macs = ContentMacs(vault)
        self._file = file
        self._outbox = _outbox(job)
        self._read: ReadBatch | None = None
        self._sealed: SealedBatch | None = None

    @classmethod
    async def start(cls, job: Job) -> Self:
        """Connects and unwraps the keys. Raises VaultError, OSError, asyncpg errors."""
        conn = await connect(job.database_url)
        try:
            vault = await Vault.load(RawTx(conn), job.open_keys())
            return cls(job, conn, vault, job.path.open("rb"))
        except BaseException:
            await conn.close()
            raise

    async def close(self) -> None:
        self._file.close()
        await self._conn.close()

    async def prepare(self, chunk: Chunk) -> None:
        """Everything that can be done before the turn comes."""
        self._read = read_batch(self._file, self._job.shape, chunk, self._vault, vietnam_day(self._job.clock.now()))
        await self._plan()

    async def write(self) -> Counts | None:
        """Writes the prepared batch. None when it was written before. Raises Overtaken after ATTEMPTS."""
        for _ in range(ATTEMPTS):
            if self._sealed is None:
                raise RuntimeError("prepare a batch first")
            try:
                counts = await store(self._conn, self._outbox, self._sealed)
                self._read = self._sealed = None
                return counts
            except (Overtaken, *OVERTAKEN):
                await self._plan()
        raise Overtaken("others keep changing the same persons")

    async def _plan(self) -> None:
        if self._read is None:
            raise RuntimeError("prepare a batch first")
        found = await look(self._conn, self._read, self._job.run_id)
        plans = plan(self._read, found, self._vault, self._macs, self._job.run_id)
        stamp = Stamp(self._job.run_id, self._job.clock.now())
        self._sealed = await seal(self._conn, self._vault, self._macs, plans, stamp)


async def _elsewhere(tx: Tx, event: Event) -> None:
    raise LookupError("events of an import are handled by the worker process, not by the importer")


def _outbox(job: Job) -> Outbox:
    """Writes events for handlers by name; the handlers themselves live in the worker process."""
    outbox = Outbox(job.clock)
    for topic, names in job.events.items():
        for name in names:
            outbox.register(topic, name, _elsewhere)
    return outbox


def run_importer(job: Job, pipe: Pipe) -> None:
    """The main function of an importing process: says ready, then does what the pipe asks.

    Asked: a Chunk (prepare it), "write" (the turn has come), or nothing more (end of the pipe: the parent is
    done, or gone). Answers: True when prepared, the Counts when written, or the sentence of what went wrong.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it lets the batch end
    asyncio.run(_serve(job, pipe))


async def _serve(job: Job, pipe: Pipe) -> None:
    try:
        importer = await Importer.start(job)
    except Exception as error:
        with suppress(ConnectionError):  # the parent has heard it from another already
            pipe.send(sentence(error))
        return
    try:
        pipe.send(True)
        # Batches are thousands of small objects without cycles: looking for cycles while they are built took
        # a quarter of the time. Between batches there is little to look at.
        gc.freeze()
        gc.disable()
        while True:
            asked = pipe.recv()
            try:
                if isinstance(asked, Chunk):
                    await importer.prepare(asked)
                    pipe.send(True)
                else:
                    pipe.send(await importer.write())
                    gc.collect()
            except Exception as error:
                pipe.send(sentence(error))
                return
    except (EOFError, ConnectionError):
        pass  # the parent is done, or gone
    finally:
        await importer.close()


def sentence(error: Exception) -> str:
    """What went wrong, in one line: the lines after it are the database's detail, which quotes rows."""
    return f"{type(error).__name__}: {error}".splitlines()[0]

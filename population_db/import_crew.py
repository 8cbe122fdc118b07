"""The importers of a run: in this process, or several side by side, writing in the file's order."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import SpawnProcess
from typing import Any, Protocol, TypeVar

from population_db.import_reader import Chunk
from population_db.import_store import Counts
from population_db.import_worker import Importer, Job, run_importer, sentence

Done = TypeVar("Done")

PROCESSES = max(2, min(4, os.cpu_count() or 2))
"""More do not help: batches are written one at a time, and PostgreSQL needs a processor too."""

GOODBYE_SECONDS = 60.0
"""How long a process may take to end the batch it is writing."""


class ImportFailed(Exception):
    """The import stopped; the text says why. What was written stays, the next run goes on behind it."""


class Crew(Protocol):
    """Takes batches in order and gives what each came to, in order."""

    def work(self, todo: Iterator[Chunk]) -> AsyncIterator[tuple[Chunk, Counts]]: ...


@asynccontextmanager
async def importers(job: Job, processes: int) -> AsyncIterator[Crew]:
    """A crew of that many processes; 0: this process alone. Ended, however the block ends."""
    if processes == 0:
        alone = _Alone(await _or_failed(Importer.start(job)))
        try:
            yield alone
        finally:
            await alone.importer.close()
        return
    members: list[_Member] = []
    try:
        members.extend(_Member(job) for _ in range(processes))
        for member in members:
            await member.answer()
        yield _Together(members)
    finally:
        for member in members:
            member.pipe.close()
        await asyncio.shield(asyncio.to_thread(_see_off, members))


async def _or_failed(step: Awaitable[Done]) -> Done:
    """The step, its errors told as those of a process are."""
    try:
        return await step
    except Exception as error:
        raise ImportFailed(sentence(error)) from error


class _Alone:
    def __init__(self, importer: Importer) -> None:
        self.importer = importer

    async def work(self, todo: Iterator[Chunk]) -> AsyncIterator[tuple[Chunk, Counts]]:
        for chunk in todo:
            await _or_failed(self.importer.prepare(chunk))
            counts = await _or_failed(self.importer.write())
            if counts is not None:
                yield chunk, counts


class _Member:
    """An importing process and our end of the pipe to it."""

    def __init__(self, job: Job) -> None:
        # spawn, not fork: a fork of a process with threads and open connections inherits their locks.
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(target=run_importer, args=(job, theirs), daemon=True)
        self.process.start()
        theirs.close()

    async def answer(self) -> Any:
        """The next answer. Raises ImportFailed when the process says what went wrong, or is gone."""
        try:
            await _readable(self.pipe)
            said = self.pipe.recv()
        except (EOFError, ConnectionError):
            raise ImportFailed("an importing process ended before its time") from None
        if isinstance(said, str):
            raise ImportFailed(said)
        return said


class _Together:
    def __init__(self, members: list[_Member]) -> None:
        self._members = members

    async def work(self, todo: Iterator[Chunk]) -> AsyncIterator[tuple[Chunk, Counts]]:
        """Round and round: while one writes, the others prepare what comes next."""
        waiting = [(member, chunk) for member, chunk in zip(self._members, islice(todo, len(self._members)))]  # noqa: B905
        for member, chunk in waiting:
            member.pipe.send(chunk)
        while waiting:
            member, chunk = waiting.pop(0)
            await member.answer()
            member.pipe.send("write")
            counts = await member.answer()
            following = next(todo, None)
            if following is not None:
                member.pipe.send(following)
                waiting.append((member, following))
            if counts is not None:
                yield chunk, counts


async def _readable(pipe: Pipe) -> None:
    """Waits for an answer without a thread, so that it can be cancelled."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(pipe.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(pipe.fileno())


def _see_off(members: list[_Member]) -> None:
    for member in members:
        member.process.join(GOODBYE_SECONDS)
        if member.process.is_alive():
            member.process.kill()
            member.process.join()
        member.process.close()

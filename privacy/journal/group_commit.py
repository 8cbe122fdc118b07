"""Group commit: callers that come at once share one transaction.

While one batch is being committed the next gathers; a lone call starts at once, no timer delays it. The
batch runs in a task of its own, so a caller that is cancelled takes nothing down with it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog

from core.errors import Unavailable

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")

MAX_BATCH = 256
"""Members of one transaction: enough to use a commit well, few enough to answer in milliseconds."""
MAX_WAITING = 4_096
"""Calls in the queue; beyond that the answer is 503 at once, never a queue without end."""
BATCH_TIMEOUT_SECONDS = 10.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Waiting(Generic[Ask, Answer]):
    ask: Ask
    answer: "asyncio.Future[Answer]" = field(repr=False)


def not_writable(private: str) -> Unavailable:
    """What every waiter gets when the batch is not surely committed: nothing was answered."""
    return Unavailable(
        "journal-unavailable",
        "The service is interrupted for a moment. Please try again.",
        private=private,
    )


class GroupCommit(Generic[Ask, Answer]):
    """Runs `commit(asks) -> answers or exceptions, one per ask` for whoever waits.

    commit returns only after its transaction is committed; an exception it raises reaches every waiter of
    the batch as `Unavailable`.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Ask]], Awaitable[Sequence[Answer | Exception]]],
        *,
        batch_timeout_seconds: float = BATCH_TIMEOUT_SECONDS,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._commit = commit
        self._timeout_seconds = batch_timeout_seconds
        self._max_waiting = max_waiting
        self._queue: deque[_Waiting[Ask, Answer]] = deque()
        self._leader: asyncio.Task[None] | None = None
        self.batches = 0
        self.members = 0

    async def join(self, ask: Ask) -> Answer:
        """Waits for the batch that holds `ask`. Raises Unavailable, or what commit answered for it."""
        if len(self._queue) >= self._max_waiting:
            raise not_writable("the queue is full")
        waiting: _Waiting[Ask, Answer] = _Waiting(ask, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if self._leader is None or self._leader.done():
            self._leader = asyncio.create_task(self._drain(), name="journal-group-commit")
        return await waiting.answer

    async def settled(self) -> None:
        """Waits until nobody waits; for an orderly end."""
        while self._leader is not None and not self._leader.done():
            await asyncio.wait([self._leader])

    async def _drain(self) -> None:
        try:
            while self._queue:
                batch: list[_Waiting[Ask, Answer]] = []
                while self._queue and len(batch) < MAX_BATCH:
                    waiting = self._queue.popleft()
                    if not waiting.answer.done():  # cancelled before its turn: no answer, so no line
                        batch.append(waiting)
                if batch:
                    await self._run(batch)
        except BaseException:
            # The loop is ending: nobody may wait for a task that is gone.
            self._refuse([*self._queue], "the process is ending")
            self._queue.clear()
            raise

    async def _run(self, batch: list[_Waiting[Ask, Answer]]) -> None:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answers = await self._commit([waiting.ask for waiting in batch])
            if len(answers) != len(batch):
                raise RuntimeError("not as many answers as asks")
        except Exception as error:
            log.error("journal.batch_failed", count=len(batch), error=type(error).__name__, exc_info=error)
            self._refuse(batch, type(error).__name__)
            return
        except BaseException:
            self._refuse(batch, "the process is ending")
            raise
        self.batches += 1
        self.members += len(batch)
        for waiting, answer in zip(batch, answers, strict=True):
            if waiting.answer.done():  # cancelled meanwhile: its line stands, a line without an answer
                continue
            if isinstance(answer, Exception):
                waiting.answer.set_exception(answer)
            else:
                waiting.answer.set_result(answer)

    @staticmethod
    def _refuse(batch: Sequence[_Waiting[Ask, Answer]], private: str) -> None:
        for waiting in batch:
            if not waiting.answer.done():
                waiting.answer.set_exception(not_writable(private))

"""Gathered work: callers that come at once share one trip to the database or the cache.

While one batch is on its way the next gathers; a lone call starts at once, no timer delays it. What is
answered was read after it was asked for, so nothing is any older for it. The batch runs in a task of its own:
a caller that is cancelled takes nothing down with it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any, Generic, TypeVar

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")

MOST = 256
"""Asks of one batch."""
LANES = 4
"""Batches on their way at once, when the ones before take long."""
LONG_SECONDS = 0.010
"""From here on a batch that is on its way is not waited for: the next starts beside it."""


class Gathered(Generic[Ask, Answer]):
    """Runs `load(asks) -> answers or exceptions, one per ask in their order` for whoever asks.

    An exception that `load` raises reaches everybody who asked in that batch.
    """

    __slots__ = ("_lanes", "_load", "_queue", "_running", "_started_at")

    def __init__(self, load: Callable[[Sequence[Ask]], Awaitable[Sequence[Answer | Exception]]]) -> None:
        self._load = load
        self._queue: list[tuple[Ask, asyncio.Future[Answer]]] = []
        self._lanes: set[asyncio.Task[None]] = set()
        self._running = 0
        self._started_at = 0.0

    async def ask(self, ask: Ask) -> Answer:
        """The answer, from a batch that starts after now."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue.append((ask, future))
        running = self._running
        if not running or (running < LANES and monotonic() - self._started_at > LONG_SECONDS):
            self._running = running + 1
            lane = asyncio.ensure_future(self._drain())
            self._lanes.add(lane)  # the loop itself holds tasks weakly
            lane.add_done_callback(self._lanes.discard)
        return await future

    async def _drain(self) -> None:
        while self._queue:
            batch, self._queue = self._queue[:MOST], self._queue[MOST:]
            self._started_at = monotonic()
            try:
                answers = await self._load([ask for ask, _ in batch])
                if len(answers) != len(batch):
                    raise RuntimeError("not as many answers as asks")
            except Exception as error:
                for _, future in batch:
                    _answer(future, error)
            except BaseException:
                # The loop is ending: nobody may wait for a task that is gone.
                for _, future in (*batch, *self._queue):
                    future.cancel()
                self._queue = []
                self._running -= 1
                raise
            else:
                for (_, future), answer in zip(batch, answers, strict=True):
                    _answer(future, answer)
        self._running -= 1  # at once: the next ask has to start a lane, though this task is not quite over


def _answer(future: "asyncio.Future[Any]", answer: Any) -> None:
    if future.done():  # cancelled meanwhile
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)

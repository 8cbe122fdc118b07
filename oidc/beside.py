"""Writing beside the requests: one task per process, started when there is something, ended when all is written."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress


class Beside:
    """Runs `write` in a task of its own, one at a time. It has to go on until nothing waits, and never to raise."""

    def __init__(self, write: Callable[[], Coroutine[None, None, None]]) -> None:
        self._write = write
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There is something to write. Never waits."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write())

    async def written(self) -> None:
        """Waits until all that was told so far is written."""
        while self._task is not None and not self._task.done():
            await asyncio.shield(self._task)

    async def close(self) -> None:
        """At the end of the process; what is not written then is lost."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

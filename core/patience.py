"""How long our own servers are waited for, not counting the time in which this process itself stood still.

A machine that others use, or one that is moved to another host, stops for seconds. When it goes on, a plain timer is
over before an answer that lies in the socket is read, and a healthy server would be told to be out of order.
"""

import asyncio
from types import TracebackType

PARTS = 4
"""A standstill, however long, takes one part of the patience; the rest begins when the loop turns again."""


class Patience:
    """`async with Patience(seconds):` raises TimeoutError when it takes longer. For one use."""

    __slots__ = ("_left", "_part", "_timeout", "_timer")

    def __init__(self, seconds: float) -> None:
        self._part = seconds / PARTS
        self._left = PARTS
        self._timeout = asyncio.timeout(None)
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()
        self._wait_on()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._timeout.__aexit__(kind, error, trace)  # turns its own cancellation into TimeoutError

    def _wait_on(self) -> None:
        loop = asyncio.get_running_loop()
        self._left -= 1
        if self._left:
            self._timer = loop.call_later(self._part, self._wait_on)
        else:
            self._timeout.reschedule(loop.time() + self._part)

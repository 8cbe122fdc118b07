"""The connections of the raw door: taken and given back without a trip, a timer or a wrapper.

asyncpg's own pool costs some 40 µs of a core for each use of a connection (a proxy around each method, a task
and a timer around each step), as much as a query itself. This one hands out the connection as it is: the one
used last first, so that few stay warm under little load.

Nothing that outlives a transaction is ever set on a pooled connection (a test looks for it), so nothing is
reset in between. What is given back in the middle of something is thrown away, never handed on.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

from core.patience import Patience

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[Any]
else:
    Connection = asyncpg.Connection  # not generic when it runs

IDLE_SECONDS = 120.0
"""How long an unused connection is kept."""


class Connections:
    """At most `most` connections, opened when they are wanted. One per process and login, closed at its end."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], most: int) -> None:
        self._connect = connect
        self._most = most
        self._opened = 0
        self._idle: deque[tuple[Connection, float]] = deque()
        self._lent: set[Connection] = set()
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False
        self._all_back = asyncio.Event()

    def take_idle(self) -> Connection | None:
        """One that lies ready; None when it has to be waited for (`take`)."""
        while self._idle:
            conn, _ = self._idle.pop()
            if not conn.is_closed():
                self._lent.add(conn)
                return conn
            self._opened -= 1
        return None

    async def take(self, patience_seconds: float) -> Connection:
        """One of them; the caller gives it back. Raises TimeoutError, InterfaceError, what connecting raises."""
        async with Patience(patience_seconds):
            while True:
                if self._closed:
                    raise asyncpg.InterfaceError("the connections are closed")
                conn = self.take_idle()
                if conn is None:
                    conn = await (self._open() if self._opened < self._most else self._turn())
                if conn is not None:
                    return conn

    def give_back(self, conn: Connection) -> None:
        """A connection that was taken, in whatever state it is."""
        self._lent.discard(conn)
        if self._closed or conn.is_closed() or conn.is_in_transaction():
            # Ended or in the middle of something: the server rolls back what it did not commit.
            conn.terminate()
            self._opened -= 1
            if self._closed and not self._lent:
                self._all_back.set()
            self._hand_on(None)
        elif not self._hand_on(conn):
            self._idle.append((conn, monotonic()))
            if self._sweep is None:
                self._sweep = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._close_unused)

    def throw_away(self, conn: Connection) -> None:
        """As `give_back` for one whose last statement was broken off: nobody may get its answer."""
        conn.terminate()
        self.give_back(conn)

    @asynccontextmanager
    async def acquire(self, timeout: float = 5.0) -> AsyncIterator[Connection]:  # noqa: ASYNC109  as asyncpg's pool
        """A connection while the block runs."""
        conn = await self.take(timeout)
        try:
            yield conn
        except Exception:
            self.give_back(conn)
            raise
        except BaseException:
            self.throw_away(conn)
            raise
        self.give_back(conn)

    async def close(self) -> None:
        """Closes what lies idle in order, and waits for what is lent."""
        self._closed = True
        self._stop_sweeping()
        while self._idle:
            await self._idle.pop()[0].close()
        while self._hand_on(None):
            pass
        if self._lent:
            await self._all_back.wait()

    def terminate(self) -> None:
        """Ends all at once, without a word to the server."""
        self._closed = True
        self._stop_sweeping()
        for conn in (*(conn for conn, _ in self._idle), *self._lent):
            conn.terminate()
        self._idle.clear()

    async def _open(self) -> Connection:
        self._opened += 1
        try:
            conn = await self._connect()
        except BaseException:
            self._opened -= 1
            self._hand_on(None)
            raise
        self._lent.add(conn)
        return conn

    async def _turn(self) -> Connection | None:
        """What somebody gives back, to who waits longest; None when there is room for another one."""
        waiting: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            return await waiting
        except BaseException:
            if waiting.done() and not waiting.cancelled():  # given, but its taker is gone
                conn = waiting.result()
                if conn is None:
                    self._hand_on(None)
                else:
                    self.give_back(conn)
            raise

    def _hand_on(self, conn: Connection | None) -> bool:
        """Gives a connection, or the room for one, to whoever waits; False when nobody does."""
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                if conn is not None:
                    self._lent.add(conn)
                waiting.set_result(conn)
                return True
        return False

    def _close_unused(self) -> None:
        """Those that nobody needed for a while; they lie at the far end."""
        self._sweep = None
        while self._idle and monotonic() - self._idle[0][1] >= IDLE_SECONDS:
            conn, _ = self._idle.popleft()
            self._opened -= 1
            conn.terminate()
        if self._idle:
            self._sweep = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._close_unused)

    def _stop_sweeping(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

"""Trips to Redis on connections that are kept open: commands out in one write, their answers back in order.

The library's own way (a pool asked for each trip, a task and two timers around each write and read, hooks for
telemetry) cost 143 µs of a core for one GET through the cache, this one 72. Connecting, TLS, the password and the
protocol are the library's still. Not for commands that have to be done as one: those are its pipelines.

Nothing is sent twice: whether a command was done whose answer did not come, nobody can tell, and a mark that is claimed
again would look like a replay.
"""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from core.patience import Patience

PATIENCE_SECONDS = 2.0
"""For a whole trip, connecting included."""


def patience() -> Patience:
    """For one trip to Redis."""
    return Patience(PATIENCE_SECONDS)


class CacheTrips:
    """As many connections as there were trips at once. `close` at its end."""

    def __init__(self, pool: ConnectionPool) -> None:
        """pool: how to connect; none of its own connections is used."""
        self._how = pool.connection_kwargs
        self._kind = pool.connection_class
        self._idle: list[AbstractConnection] = []
        self._closed = False

    async def go(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """An answer for each, an exception for one that Redis refused. Raises RedisError, OSError (TimeoutError)."""
        async with patience():
            while self._idle:
                connection = self._idle.pop()
                if _is_open(connection):
                    return await self._by(connection, commands)
                await connection.disconnect(nowait=True)  # ended while it lay idle, e.g. by a restart of Redis
            return await self._by(self._kind(**self._how), commands)

    async def close(self) -> None:
        """Closes what lies idle now, and what is on its way when it is back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().disconnect(nowait=True)

    async def _by(self, connection: AbstractConnection, commands: Sequence[Sequence[Any]]) -> list[Any]:
        try:
            await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
            answers = [await _answer(connection) for _ in commands]
        except BaseException:
            # Answers may still be on their way: nobody else may get them.
            await connection.disconnect(nowait=True)
            raise
        if self._closed:
            await connection.disconnect(nowait=True)
        else:
            self._idle.append(connection)
        return answers


def _is_open(connection: AbstractConnection) -> bool:
    """Whether neither side has ended it, as far as is known here. `is_connected` says only that nobody here did."""
    reader, writer = connection._reader, connection._writer
    if reader is None or writer is None:
        return False
    return not (writer.is_closing() or reader.at_eof() or reader.exception())


async def _answer(connection: AbstractConnection) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as refused:
        return refused

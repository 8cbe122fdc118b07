"""Two doors to one schema.

Pages and administration go through a SQLModel session (`Database.page`); the few hot routes through a raw
asyncpg connection (`Database.raw`). Both show the same `Tx`, which runs the same `Query`: a SQLAlchemy Core
statement over the SQLModel columns, compiled once. So a use case is written once and does not care by which
door the request came in. One request uses one door, never both (a test holds this).

The transaction commits when the block ends well and also when a `Refusal` passes: counters, claims and
refusal lines have to stay. Any other exception rolls everything back. A database that does not answer is
`Unavailable`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Protocol

import asyncpg
import orjson
import sqlalchemy.exc
from sqlalchemy import event
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.engine.cursor import CursorResult
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import ClauseElement
from sqlmodel.ext.asyncio.session import AsyncSession

from core.connections import Connection, Connections
from core.database_gone import means_gone, raise_unavailable, unavailable
from core.errors import Refusal
from core.gathered_claims import GatheredClaims
from core.gathered_reads import GatheredReads

Row = Mapping[str, Any]

CLOSE_SECONDS = 5.0
PATIENCE_SECONDS = 5.0
"""How long a request waits for a connection."""

IDLE_TIMEOUT_MS = 30_000
"""No transaction may do nothing for longer."""

STATEMENT_TIMEOUT_MS = 15_000
"""No request may hold a statement longer; long work belongs to the worker, which sets its own."""

_DIALECT = PGDialect_asyncpg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


class Query:
    """A Core statement, compiled once, that both doors can run.

    Values come by name through `bindparam("name")`. `IN` lists are written `col == func.any(bindparam(...))`,
    since an expanding parameter cannot be compiled once.
    """

    __slots__ = ("_compiled", "stmt")

    def __init__(self, stmt: Executable) -> None:
        self.stmt = stmt
        self._compiled: tuple[str, tuple[tuple[str, Any], ...]] | None = None

    def compiled(self) -> tuple[str, tuple[tuple[str, Any], ...]]:
        """SQL with `$n`, and per position the name and the value fixed in the statement."""
        if self._compiled is None:
            if not isinstance(self.stmt, ClauseElement):
                raise TypeError("a Core statement is needed")
            made: Any = self.stmt.compile(dialect=_DIALECT)
            if made.post_compile_params:
                raise ValueError("use = ANY(:list), not IN, so that the statement is compiled once")
            self._compiled = (
                str(made),
                tuple((name, made.params.get(name)) for name in made.positiontup or ()),
            )
        return self._compiled

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the SQL's positions."""
        return [values.get(name, fixed) for name, fixed in self.compiled()[1]]


class Reads(Protocol):
    """What can be read by: a transaction of either door, or statements that callers share (`Database.shared`)."""

    async def row(self, query: Query, /, **values: Any) -> Row | None:
        """The first row, or None."""
        ...

    async def rows(self, query: Query, /, **values: Any) -> Sequence[Row]:
        """All rows."""
        ...


class Tx(Reads, Protocol):
    """One transaction, by either door."""

    async def run(self, query: Query, /, **values: Any) -> int:
        """Runs a statement and gives the number of rows it touched."""
        ...

    async def run_many(self, query: Query, many: Iterable[Mapping[str, Any]], /) -> None:
        """Runs a statement once per mapping."""
        ...

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """An act: any exception, a refusal too, rolls back to here and passes on."""
        ...


class SessionTx:
    """The session door."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def row(self, query: Query, /, **values: Any) -> Row | None:
        found = (await self.session.exec(query.stmt, params=values)).mappings().first()  # type: ignore[call-overload]
        return None if found is None else dict(found)

    async def rows(self, query: Query, /, **values: Any) -> Sequence[Row]:
        result = await self.session.exec(query.stmt, params=values)  # type: ignore[call-overload]
        return [dict(found) for found in result.mappings().all()]

    async def run(self, query: Query, /, **values: Any) -> int:
        result = await self.session.exec(query.stmt, params=values)  # type: ignore[call-overload]
        if isinstance(result, CursorResult):
            return int(result.rowcount)
        return int(getattr(result, "rowcount", 0))

    async def run_many(self, query: Query, many: Iterable[Mapping[str, Any]], /) -> None:
        batch = [dict(values) for values in many]
        if batch:
            await self.session.exec(query.stmt, params=batch)  # type: ignore[call-overload]

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        async with self.session.begin_nested():
            yield


class RawTx:
    """The raw door: an asyncpg connection."""

    __slots__ = ("conn",)

    def __init__(self, conn: Connection) -> None:
        self.conn = conn

    async def row(self, query: Query, /, **values: Any) -> Row | None:
        sql, named = query.compiled()
        found: Row | None = await self.conn.fetchrow(sql, *[values.get(name, fixed) for name, fixed in named])
        return found

    async def rows(self, query: Query, /, **values: Any) -> Sequence[Row]:
        sql, named = query.compiled()
        found: Sequence[Row] = await self.conn.fetch(sql, *[values.get(name, fixed) for name, fixed in named])
        return found

    async def run(self, query: Query, /, **values: Any) -> int:
        sql, _ = query.compiled()
        status: str = await self.conn.execute(sql, *query.arguments(values))
        tail = status.rsplit(" ", 1)[-1]
        return int(tail) if tail.isdigit() else 0

    async def run_many(self, query: Query, many: Iterable[Mapping[str, Any]], /) -> None:
        sql, _ = query.compiled()
        await self.conn.executemany(sql, [query.arguments(values) for values in many])

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        await self.conn.execute("SAVEPOINT act")
        try:
            yield
        except BaseException:
            if not self.conn.is_closed():
                await self.conn.execute("ROLLBACK TO SAVEPOINT act; RELEASE SAVEPOINT act")
            raise
        await self.conn.execute("RELEASE SAVEPOINT act")


async def _prepare_connection(conn: Connection) -> None:
    for kind in ("json", "jsonb"):
        await conn.set_type_codec(
            kind,
            schema="pg_catalog",
            encoder=lambda value: orjson.dumps(value).decode(),
            decoder=orjson.loads,
        )


def _session_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://", 1).replace("postgres://", "postgresql+asyncpg://", 1)


class Database:
    """The pools of both doors for one login. Made once per process, closed at its end."""

    def __init__(self, engine: AsyncEngine, pool: Connections) -> None:
        self.engine = engine
        self.pool = pool
        self.shared = GatheredReads(self.raw_read)
        """For hot single reads: callers that run the same one at once share a trip. Raises Unavailable."""
        self.claims = GatheredClaims(self.raw_read)
        """For what is claimed by one hot statement: callers at once share a transaction. Raises Unavailable."""

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        sessions: int = 4,
        raw: int = 8,
        application_name: str = "dinhdanh",
        statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
        idle_timeout_ms: int = IDLE_TIMEOUT_MS,
    ) -> "Database":
        """Opens the pools lazily: a server that is down now makes requests `Unavailable`, not the start fail.

        url: `postgresql://login:password@host:port/name` or with `?host=/socket/dir`. sessions, raw: sizes
        of the two pools; the sum over all processes must stay under the server's `max_connections`.
        idle_timeout_ms: how long a transaction may do nothing; 0 for commands that ask a hardware token meanwhile.
        """
        server_settings = {
            "application_name": application_name,
            "statement_timeout": str(statement_timeout_ms),
            "idle_in_transaction_session_timeout": str(idle_timeout_ms),
            "timezone": "UTC",
        }
        engine = create_async_engine(
            _session_url(url),
            pool_size=sessions,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=False,
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
            connect_args={"server_settings": server_settings, "timeout": 5},
        )
        event.listen(engine.sync_engine, "checkout", _refuse_closed)

        async def connected() -> Connection:
            conn: Connection = await asyncpg.connect(url, timeout=5, server_settings=server_settings)
            await _prepare_connection(conn)
            return conn

        return cls(engine, Connections(connected, raw))

    async def close(self) -> None:
        """Gives the connections back in order; a server that does not answer any more is not waited for."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.engine.dispose(), CLOSE_SECONDS)
        try:
            await asyncio.wait_for(self.pool.close(), CLOSE_SECONDS)
        except TimeoutError:
            self.pool.terminate()

    @asynccontextmanager
    async def page(self) -> AsyncIterator[SessionTx]:
        """The session door: one transaction. Raises Unavailable."""
        session = AsyncSession(self.engine, expire_on_commit=False)
        try:
            try:
                yield SessionTx(session)
            except Refusal:
                await session.commit()
                raise
            await session.commit()
        except Refusal:
            raise
        except Exception as error:
            if means_gone(error):
                raise unavailable(error) from error
            raise
        finally:
            await _closed(session)

    def raw(self) -> "AbstractAsyncContextManager[RawTx]":
        """The raw door: one transaction. Raises Unavailable."""
        return _RawTransaction(self.pool)

    def raw_read(self) -> "AbstractAsyncContextManager[RawTx]":
        """The raw door without a transaction: single statements, each its own. For hot reads, and for what is
        claimed by one statement."""
        return _RawStatements(self.pool)


class _RawStatements:
    """A connection while the block runs. A class, for it is entered thousands of times a second."""

    __slots__ = ("_conn", "_pool")

    def __init__(self, pool: Connections) -> None:
        self._pool = pool

    async def __aenter__(self) -> RawTx:
        self._conn = await _taken(self._pool)
        return RawTx(self._conn)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, Exception):
            self._pool.give_back(self._conn)
            raise_unavailable(error)
        else:
            self._pool.throw_away(self._conn)


class _RawTransaction:
    """One transaction: committed when the block ends well or with a Refusal, rolled back otherwise."""

    __slots__ = ("_conn", "_pool")

    def __init__(self, pool: Connections) -> None:
        self._pool = pool

    async def __aenter__(self) -> RawTx:
        self._conn = await _taken(self._pool)
        try:
            await self._conn.execute("BEGIN;")
        except BaseException as gone:
            self._pool.throw_away(self._conn)
            raise_unavailable(gone)
            raise
        return RawTx(self._conn)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        conn = self._conn
        try:
            if error is None or isinstance(error, Refusal):
                await conn.execute("COMMIT;")
            elif not conn.is_closed():
                await conn.execute("ROLLBACK;")
        except BaseException as gone:
            self._pool.throw_away(conn)
            if error is not None and not isinstance(error, Refusal):
                raise_unavailable(error)
                return  # what was raised inside passes on; the server rolls back by itself
            raise_unavailable(gone)
            raise
        self._pool.give_back(conn)
        raise_unavailable(error)


async def _taken(pool: Connections) -> Connection:
    conn = pool.take_idle()
    if conn is not None:
        return conn
    try:
        return await pool.take(PATIENCE_SECONDS)
    except Exception as gone:
        raise_unavailable(gone)
        raise


def _refuse_closed(_: object, record: ConnectionPoolEntry, __: object) -> None:
    """A connection that the server closed while it lay idle is exchanged before anybody gets it.

    asyncpg notices the end by itself, so this costs no trip; its own pool looks the same way.
    """
    connection: Any = record.driver_connection
    if connection is None or connection.is_closed():
        raise sqlalchemy.exc.InvalidatePoolError


async def _closed(session: AsyncSession) -> None:
    try:
        await session.close()
    except Exception as error:
        # A broken connection cannot be rolled back; the pool drops it.
        if not means_gone(error):
            raise

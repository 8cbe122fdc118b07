"""Reads that callers share: who runs the same statement at once goes to the database in one trip together.

A trip costs a web process about 40 µs of a core, a member of a shared one about 10. Each read is a statement of
its own, as by `Database.raw_read`, and is run after it was asked for, so nothing is any older for it.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from core.database_gone import means_gone
from core.gather import Gathered

if TYPE_CHECKING:
    from core.database import Query, RawTx, Row

Arguments = list[Any]
Door = Callable[[], "AbstractAsyncContextManager[RawTx]"]


class GatheredReads:
    """`row` and `rows` as a transaction has them; for statements that change nothing and lock nothing."""

    __slots__ = ("_door", "_lanes")

    def __init__(self, door: Door) -> None:
        self._door = door
        self._lanes: dict[Query, Gathered[Arguments, Sequence[Row]]] = {}

    async def row(self, query: "Query", /, **values: Any) -> "Row | None":
        """The first row, or None. Raises Unavailable."""
        found = await self.rows(query, **values)
        return found[0] if found else None

    async def rows(self, query: "Query", /, **values: Any) -> "Sequence[Row]":
        """All rows. Raises Unavailable."""
        lane = self._lanes.get(query)
        if lane is None:
            lane = self._lanes[query] = Gathered(_Statement(self._door, query).load)
        return await lane.ask(query.arguments(values))


class _Statement:
    """One statement, alone or numbered so that the rows of many can be told apart."""

    __slots__ = ("_door", "_numbered", "_sql")

    def __init__(self, door: Door, query: "Query") -> None:
        self._door = door
        self._sql, named = query.compiled()
        self._numbered = f"SELECT ${len(named) + 1}::int4 AS number_of_ask, one.* FROM ({self._sql}) AS one"

    async def load(self, asked: Sequence[Arguments]) -> "Sequence[Sequence[Row] | Exception]":
        async with self._door() as tx:
            if len(asked) == 1:
                return [await tx.conn.fetch(self._sql, *asked[0])]
            try:
                return await self._together(tx, asked)
            except Exception as error:
                if means_gone(error):
                    raise
            # One of them cannot be run: it spoils nobody else's.
            return [await self._alone(tx, arguments) for arguments in asked]

    async def _together(self, tx: "RawTx", asked: Sequence[Arguments]) -> "Sequence[Sequence[Row]]":
        numbered = [(*arguments, number) for number, arguments in enumerate(asked)]
        found: list[list[Row]] = [[] for _ in asked]
        for row in await tx.conn.fetchmany(self._numbered, numbered):
            found[row[0]].append(row)
        return found

    async def _alone(self, tx: "RawTx", arguments: Arguments) -> "Sequence[Row] | Exception":
        try:
            rows: Sequence[Row] = await tx.conn.fetch(self._sql, *arguments)
            return rows
        except Exception as error:
            if means_gone(error):
                raise
            return error

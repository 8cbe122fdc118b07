"""Claims that callers share: who spends something by the same statement at once spends it in one transaction.

Each statement is a single one that changes at most one row and returns it, so that of two who want the same
thing exactly one gets the row, in one batch as in two. A batch is committed before anybody has an answer: it
costs one trip and one write to the disk, whatever its size.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.database_gone import means_gone
from core.gather import Gathered
from core.gathered_reads import Arguments, Door

if TYPE_CHECKING:
    from core.database import Query, RawTx, Row

Claim = tuple[bytes, Arguments]


class GatheredClaims:
    """One per login and process, on the raw door without a transaction of its own."""

    __slots__ = ("_door", "_lanes")

    def __init__(self, door: Door) -> None:
        self._door = door
        self._lanes: dict[Query, Gathered[Claim, Row | None]] = {}

    async def row(self, query: "Query", key: bytes, /, **values: Any) -> "Row | None":
        """The row that this caller alone changed; None when there is none to change any more. Raises Unavailable.

        query: an UPDATE, INSERT or DELETE with RETURNING. key: what the wanted row is found by; it sets the
        order in which rows are locked.
        """
        lane = self._lanes.get(query)
        if lane is None:
            lane = self._lanes[query] = Gathered(_Statement(self._door, query).load)
        return await lane.ask((key, query.arguments(values)))


class _Statement:
    """One statement, alone or, numbered so that the rows can be told apart, many times in one transaction."""

    __slots__ = ("_door", "_numbered", "_sql")

    def __init__(self, door: Door, query: "Query") -> None:
        self._door = door
        self._sql, named = query.compiled()
        if "RETURNING" not in self._sql:
            raise ValueError("a claim tells what it changed: RETURNING, the last clause of a statement")
        self._numbered = f"{self._sql}, ${len(named) + 1}::int4 AS number_of_ask"

    async def load(self, asked: Sequence[Claim]) -> "Sequence[Row | Exception | None]":
        async with self._door() as tx:
            if len(asked) == 1:
                return [await tx.conn.fetchrow(self._sql, *asked[0][1])]
            try:
                return await self._together(tx, asked)
            except Exception as error:
                if means_gone(error):
                    raise
            # One of them cannot be run, so nothing of the batch was done: it spoils nobody else's.
            return [await self._alone(tx, arguments) for _, arguments in asked]

    async def _together(self, tx: "RawTx", asked: Sequence[Claim]) -> "Sequence[Row | None]":
        # In one order everywhere: two batches that meet at two rows would wait for each other for ever.
        in_order = sorted(range(len(asked)), key=lambda number: asked[number][0])
        numbered = [(*asked[number][1], number) for number in in_order]
        found = {row["number_of_ask"]: row for row in await tx.conn.fetchmany(self._numbered, numbered)}
        return [found.get(number) for number in range(len(asked))]

    async def _alone(self, tx: "RawTx", arguments: Arguments) -> "Row | Exception | None":
        try:
            row: Row | None = await tx.conn.fetchrow(self._sql, *arguments)
            return row
        except Exception as error:
            if means_gone(error):
                raise
            return error

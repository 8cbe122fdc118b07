"""Counting tries in PostgreSQL, before the password is looked at: one atomic statement per lane."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from core.database import Query, Tx
from identity.attempts import DAY, Schedule

# The row is made or counted up only when it may be tried now. In a race the second waits for the first's
# row and then sees its next_try_at, so no two tries pass where one may.
_CLAIM = Query(
    text(
        """
        INSERT INTO identity.sign_in_attempts AS a (mac, lane, tries, last_at, next_try_at)
        VALUES (:mac, :lane, 1, :now, CAST(:now AS timestamptz) + (CAST(:waits AS interval[]))[1])
        ON CONFLICT (mac, lane) DO UPDATE SET
            tries = CASE WHEN a.last_at < :forgotten THEN 1 ELSE a.tries + 1 END,
            last_at = :now,
            next_try_at = CAST(:now AS timestamptz) + (CAST(:waits AS interval[]))[
                CASE WHEN a.last_at < :forgotten THEN 1
                     ELSE LEAST(a.tries + 1, cardinality(CAST(:waits AS interval[]))) END]
        WHERE a.next_try_at <= :now
        RETURNING a.tries
        """
    )
)
_NEXT = Query(text("SELECT next_try_at FROM identity.sign_in_attempts WHERE mac = :mac AND lane = :lane"))
_EMPTY = Query(text("DELETE FROM identity.sign_in_attempts WHERE mac = :mac AND lane = ANY(:lanes)"))
# The outer condition is asked again of a row that was counted up meanwhile; the list is not.
_SWEEP = Query(
    text(
        """
        DELETE FROM identity.sign_in_attempts WHERE last_at < :before AND next_try_at < :before
            AND (mac, lane) IN (
                SELECT mac, lane FROM identity.sign_in_attempts WHERE last_at < :before AND next_try_at < :before
                ORDER BY last_at LIMIT 20)
        """
    )
)


@dataclass(frozen=True, slots=True)
class Lane:
    """name: at most 80 characters, nothing of a person in clear."""

    name: str
    schedule: Schedule


async def claim(tx: Tx, mac: bytes, lanes: Sequence[Lane], now: datetime) -> datetime | None:
    """Counts one try in every lane, in order; None when it may be made.

    Else the instant of the next allowed one: the lanes before the refusing one stay counted, which slows
    nobody but the one who tried. The caller's transaction has to commit either way.
    """
    for lane in lanes:
        values: dict[str, Any] = {
            "mac": mac,
            "lane": lane.name,
            "now": now,
            "waits": lane.schedule.table(),
            "forgotten": now - lane.schedule.forget_after,
        }
        if await tx.row(_CLAIM, **values) is None:
            row = await tx.row(_NEXT, mac=mac, lane=lane.name)
            return now + timedelta(seconds=1) if row is None else row["next_try_at"]
    return None


async def empty(tx: Tx, mac: bytes, lanes: Sequence[str]) -> None:
    """Forgets the tries of these lanes: the right password came by them."""
    await tx.run(_EMPTY, mac=mac, lanes=list(lanes))


async def sweep(tx: Tx, now: datetime) -> int:
    """Removes up to 20 rows that no schedule remembers any more; each failed try pays for its own rows."""
    return await tx.run(_SWEEP, before=now - DAY)

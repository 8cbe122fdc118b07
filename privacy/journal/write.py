"""Writing lines: one by one in a caller's transaction, or a batch in one statement."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert

from core.database import Query, RawTx, Tx
from privacy.journal.line import Draft
from privacy.journal.tables import JournalLine, JournalPending

_LINES: Any = JournalLine.__table__  # type: ignore[attr-defined]
_PENDING: Any = JournalPending.__table__  # type: ignore[attr-defined]


def _insert(table: Any) -> Query:
    return Query(insert(table).values({column.name: bindparam(column.name) for column in table.columns}))


_INSERT_LINE = _insert(_LINES)
_INSERT_PENDING = _insert(_PENDING)

_ARRAYS = (
    ("person_id", "uuid"),
    ("recorded_at", "timestamptz"),
    ("line_id", "uuid"),
    ("schema_version", "int2"),
    ("kind", "text"),
    ("action", "text"),
    ("outcome", "text"),
    ("agency", "text"),
    ("purpose", "text"),
    ("actor_kind", "text"),
    ("actor_id", "text"),
    ("sealed", "bytea"),
    ("leaf_hash", "bytea"),
)
_NAMES = tuple(name for name, _ in _ARRAYS)
# One statement for both tables: a batch costs one trip, whatever its size.
_INSERT_BATCH = (
    f"WITH batch ({', '.join(_NAMES)}) AS MATERIALIZED ("
    f"SELECT * FROM unnest({', '.join(f'${at}::{kind}[]' for at, (_, kind) in enumerate(_ARRAYS, 1))})), "
    f"lines AS (INSERT INTO privacy.journal_lines ({', '.join(_NAMES[:-1])}) "
    f"SELECT {', '.join(_NAMES[:-1])} FROM batch) "
    "INSERT INTO privacy.journal_pending (line_id, recorded_at, leaf_hash) "
    "SELECT line_id, recorded_at, leaf_hash FROM batch"
)


async def write_one(tx: Tx, columns: dict[str, Any], leaf_hash: bytes) -> None:
    """Adds one line and its pending leaf, by either door."""
    await tx.run(_INSERT_LINE, **columns)
    await tx.run(_INSERT_PENDING, line_id=columns["line_id"], recorded_at=columns["recorded_at"], leaf_hash=leaf_hash)


async def write_batch(tx: RawTx, rows: Sequence[dict[str, Any]], leaf_hashes: Sequence[bytes]) -> None:
    """Adds a batch of lines and their pending leaves in one statement."""
    arrays: list[list[Any]] = [[row[name] for row in rows] for name in _NAMES[:-1]]
    status: str = await tx.conn.execute(_INSERT_BATCH, *arrays, list(leaf_hashes))
    if status != f"INSERT 0 {len(rows)}":
        raise RuntimeError(f"a batch of {len(rows)} lines gave {status!r}")


def subjects(drafts: Sequence[Draft]) -> set[UUID]:
    """Whose keys a batch needs."""
    return {draft.person_id for draft in drafts}

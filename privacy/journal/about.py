"""Reading a person's lines, for his history."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Text, Uuid, bindparam, func, select, tuple_

from core.database import Query, Tx
from privacy.journal.line import KINDS, StoredLine
from privacy.journal.protocols import PersonKeys
from privacy.journal.seal_line import open_line
from privacy.journal.tables import JournalLine

MAX_PAGE = 500
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)

_C: Any = JournalLine.__table__.c  # type: ignore[attr-defined]
_before = bindparam("before", type_=DateTime(timezone=True))
# The pair is the key of the page; the plain comparison beside it lets the planner leave out later months.
_ABOUT = Query(
    select(*_C)
    .where(
        _C.person_id == bindparam("person_id"),
        _C.recorded_at <= _before,
        tuple_(_C.recorded_at, _C.line_id) < tuple_(_before, bindparam("before_line", type_=Uuid)),
        _C.kind == func.any(bindparam("kinds", type_=ARRAY(Text))),
    )
    .order_by(_C.recorded_at.desc(), _C.line_id.desc())
    .limit(bindparam("limit"))
)


async def lines_about(
    tx: Tx,
    keys: PersonKeys,
    person_id: UUID,
    *,
    before: datetime | None,
    before_line: UUID,
    limit: int,
    kinds: Iterable[str] | None = None,
) -> list[StoredLine]:
    """A page of a person's lines, newest first, opened; costs the same on the first page and the last."""
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"a page has 1..{MAX_PAGE} lines")
    rows = await tx.rows(
        _ABOUT,
        person_id=person_id,
        before=before or _NEVER,
        before_line=before_line,
        kinds=sorted(KINDS if kinds is None else kinds),
        limit=limit,
    )
    if not rows:
        return []
    key = (await keys.find_person_keys(tx, [person_id])).get(person_id)
    return [open_line(row, key) for row in rows]

"""One line against its leaf: opens the seal, compares each clear column with the sealed copy, hashes.

Reads the raw row and the sealed JSON itself; shares no hashing and no comparing with the code that writes.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from json import loads
from typing import Any
from uuid import UUID

from core.database import Row
from privacy.journal.protocols import PersonKey
from privacy.journal.verify_report import Tally
from privacy.journal.verify_tree import leaf_of

SALT = 32
TEXT_COLUMNS = ("kind", "action", "outcome", "agency", "purpose", "actor_kind", "actor_id")


class LineChecks:
    """Checks lines and tells the tally."""

    def __init__(self, tally: Tally, lawfully_erased: Collection[UUID]) -> None:
        self._tally = tally
        self._erased = lawfully_erased

    def rebuilt_leaf(self, line_id: UUID, rows: list[Row], keys: Mapping[UUID, PersonKey]) -> bytes | None:
        """The leaf hash computed from the raw row; None when the line is gone or does not open."""
        place = f"line {line_id}"
        if not rows:
            self._tally.find("line-missing", place, "the tree holds it, the table does not")
            return None
        if len(rows) > 1:
            self._tally.find("line-twice", place, f"{len(rows)} rows have this line_id")
        row = rows[0]
        key = keys.get(row["person_id"])
        if key is None:
            if row["person_id"] in self._erased:
                self._tally.erased += 1
            else:
                self._tally.find("line-unopenable", place, f"the key of person {row['person_id']} is gone")
            return None
        try:
            content = key.unseal(b"privacy.journal_lines\x00" + line_id.bytes, row["sealed"])
        except ValueError:
            self._tally.find("line-changed", place, "sealed: the content does not open; it, or person_id, was changed")
            return None
        self._compare(place, row, content)
        return leaf_of(content)

    def _compare(self, place: str, row: Row, content: bytes) -> None:
        try:
            sealed = loads(content[SALT:])
            changed = _changed_columns(row, sealed)
        except (ValueError, KeyError, TypeError):
            self._tally.find("line-changed", place, "sealed: not a canonical line")
            return
        for column in changed:
            self._tally.find("line-changed", place, f"{column}: is not what was sealed with the line")


def _changed_columns(row: Row, sealed: dict[str, Any]) -> list[str]:
    changed = [column for column in TEXT_COLUMNS if row[column] != sealed[column]]
    changed += [column for column in ("line_id", "person_id") if row[column] != UUID(sealed[column])]
    if row["recorded_at"] != datetime.fromisoformat(sealed["recorded_at"]):
        changed.append("recorded_at")
    if row["schema_version"] != sealed["schema_version"]:
        changed.append("schema_version")
    return changed

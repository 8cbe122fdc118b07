"""What an import does with a checked row, given what the registry holds. Pure: no database, no keys.

Policy, in one place:

- The number is the key of a row; a former number finds the person as well, so a changed number is a change.
- A group the row does not speak about stays. A group it speaks about is replaced as a whole.
- Same content, same or earlier as-of date: nothing is written, whatever the source. Same content, later
  as-of date: a new version, since the date is told with every answer and tells how fresh the answer is.
- Other content with an earlier as-of date than the stored: refused, the registry knows better. With the
  same date: a correction, written.
- A death is not undone by a file.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from population_db.import_fields import Bad
from population_db.import_row import CheckedRow, FormerNumber


@dataclass(frozen=True, slots=True)
class Known:
    """What the registry says about a number: whose it is, and in which import that person first came."""

    person_id: uuid.UUID
    number_status: str
    status: str
    version: int
    run_id: uuid.UUID | None
    run_line: int | None


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """The current version of a group in the registry."""

    version: int
    content_mac: bytes
    source: str
    as_of: date


class SameContent(Protocol):
    """Compares a stored digest with a content."""

    def same(self, stored: bytes, person_id: uuid.UUID, group: str, encoded: bytes) -> bool: ...


@dataclass(slots=True)
class GroupWrite:
    """A version to write, in place of version - 1 when that is not 0."""

    group: str
    version: int
    encoded: bytes = field(repr=False)
    source: str
    as_of: date


@dataclass(slots=True)
class NumberWrites:
    """Numbers to add (with their status) and whether the active one is to be cancelled first."""

    add: tuple[tuple[str, str, FormerNumber | None], ...] = field(repr=False)
    cancel: FormerNumber | None
    cancel_without_successor: bool = False

    def __bool__(self) -> bool:
        return bool(self.add or self.cancel or self.cancel_without_successor)


def whose(row: CheckedRow, found: Mapping[str, Known]) -> Known | None:
    """The person a row is about, None when he is new. found: of the row's numbers. Raises Bad."""
    known = [found[number] for number in (row.number, *(one.number for one in row.former)) if number in found]
    if len({one.person_id for one in known}) > 1:
        raise Bad("two-persons", "number")
    return known[0] if known else None


def first_versions(row: CheckedRow) -> list[GroupWrite]:
    """The groups of a new person."""
    return [GroupWrite(group, 1, content, *row.sources[group]) for group, content in row.encoded.items()]


def next_versions(
    row: CheckedRow, person_id: uuid.UUID, stored: Mapping[str, StoredGroup], macs: SameContent
) -> list[GroupWrite]:
    """The group versions a row brings to a known person. Raises Bad."""
    writes = []
    for group, content in row.encoded.items():
        source, as_of = row.sources[group]
        old = stored.get(group)
        if old is None:
            writes.append(GroupWrite(group, 1, content, source, as_of))
            continue
        if macs.same(old.content_mac, person_id, group, content):
            if as_of <= old.as_of:
                continue
        elif as_of < old.as_of:
            raise Bad("older", group)
        writes.append(GroupWrite(group, old.version + 1, content, source, as_of))
    return writes


def number_writes(row: CheckedRow, found: Mapping[str, Known], active: Sequence[str]) -> NumberWrites:
    """How a known person's numbers change. active: statuses of the numbers he has. Raises Bad."""
    present = found.get(row.number)
    if present is not None and present.number_status == "cancelled" and row.number_status == "active":
        raise Bad("number-cancelled", "number")
    add: list[tuple[str, str, FormerNumber | None]] = []
    cancel = None
    for one in row.former:
        known = found.get(one.number)
        if known is None:
            add.append((one.number, "cancelled", one))
        elif known.number_status == "active":
            cancel = one
    if present is None:
        if row.number_status == "active" and "active" in active and cancel is None:
            raise Bad("other-active", "number")
        add.append((row.number, row.number_status, None))
    ended = present is not None and present.number_status == "active" and row.number_status == "cancelled"
    return NumberWrites(tuple(add), cancel, ended)


def life_status(row: CheckedRow, known: Known | None) -> str:
    """The person's status after the row. Raises Bad."""
    if row.life is None:
        if known is None:
            raise Bad("civil-missing", "full_name")
        return known.status
    if known is not None and known.status == "dead" and row.life != "dead":
        raise Bad("dead-alive", "life_status")
    return row.life


def repeated(known: Known, line: int, run_id: uuid.UUID, seen_line: int | None) -> bool:
    """Whether this run met the person before, on another line."""
    return (known.run_id == run_id and known.run_line != line) or (seen_line is not None and seen_line != line)

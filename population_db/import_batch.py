"""A batch on its way into the registry: rows read and checked, then planned, sealed and written as COPY rows.

No database here: `look` is what the registry answered (import_store). Preparing the same batch again with a
newer answer gives the batch to write instead.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import BinaryIO

from core.ids import new_id
from population_db.import_decide import (
    GroupWrite,
    Known,
    NumberWrites,
    StoredGroup,
    first_versions,
    life_status,
    next_versions,
    number_writes,
    repeated,
    whose,
)
from population_db.import_fields import Bad
from population_db.import_reader import Chunk, Shape, raw_rows, values_of
from population_db.import_row import CheckedRow, assemble
from population_db.sealing import HOUSEHOLD, NUMBER, ContentMacs
from privacy.vault.api import Vault


@dataclass(frozen=True, slots=True)
class Reject:
    """A refused row: where it stands and why, nothing of what it says."""

    line: int
    offset: int
    code: str
    field: str


@dataclass(slots=True)
class Row:
    """A checked row of the batch."""

    line: int
    offset: int
    said: CheckedRow


@dataclass(slots=True)
class ReadBatch:
    """What a chunk holds, before the registry is asked."""

    chunk: Chunk
    rows: list[Row]
    rejects: list[Reject]
    macs: dict[bytes, str] = field(repr=False)
    """Digest (active key version) → number, of every number in the batch."""
    key_version: int


@dataclass(slots=True)
class Look:
    """What the registry holds about a batch. All empty when everybody is new."""

    known: dict[str, Known] = field(default_factory=dict, repr=False)
    seen: dict[str, int] = field(default_factory=dict, repr=False)
    groups: dict[uuid.UUID, dict[str, StoredGroup]] = field(default_factory=dict)
    numbers: dict[uuid.UUID, list[str]] = field(default_factory=dict)
    households: dict[uuid.UUID, uuid.UUID] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """What to write for one row. known: None for a new person. household: to enter, None to stay."""

    row: Row
    person_id: uuid.UUID
    known: Known | None
    status: str
    groups: list[GroupWrite]
    numbers: NumberWrites
    household: uuid.UUID | None

    @property
    def changes(self) -> bool:
        return bool(
            self.known is None
            or self.groups
            or self.numbers
            or self.household is not None
            or self.status != self.known.status
        )


@dataclass(slots=True)
class Plans:
    """A batch decided: what to write, and what is refused on top of what was refused while reading."""

    read: ReadBatch
    new: list[Plan]
    changed: list[Plan]
    unchanged: list[Plan]
    rejects: list[Reject]
    households: dict[uuid.UUID, tuple[int, bytes]]

    @property
    def rows_read(self) -> int:
        return len(self.new) + len(self.changed) + len(self.unchanged) + len(self.rejects)


def read_batch(file: BinaryIO, shape: Shape, chunk: Chunk, vault: Vault, today: date) -> ReadBatch:
    """Reads and checks the rows of a chunk."""
    rows: list[Row] = []
    rejects: list[Reject] = []
    numbers: set[str] = set()
    for raw in raw_rows(file, chunk):
        try:
            said = assemble(values_of(shape, raw.data), today)
            mine = (said.number, *[one.number for one in said.former])
            if not numbers.isdisjoint(mine):
                raise Bad("repeated-number", "number")
            numbers.update(mine)
            rows.append(Row(raw.line, raw.offset, said))
        except Bad as bad:
            rejects.append(Reject(raw.line, raw.offset, bad.code, bad.field))
    blinds = {number: vault.blind(NUMBER, number) for number in numbers}
    key_version = next((blind.key_version for blind in blinds.values()), 0)
    return ReadBatch(chunk, rows, rejects, {blind.mac: number for number, blind in blinds.items()}, key_version)


def household_id(mac: bytes) -> uuid.UUID:
    """The identifier of a household seen for the first time: from the digest of its key, so that two batches
    with members of one household need not ask each other. A UUID of version 8 (RFC 9562 §5.8).
    """
    value = int.from_bytes(mac[:16], "big") & ~(0xF << 76) & ~(0x3 << 62)
    return uuid.UUID(int=value | 0x8 << 76 | 0x2 << 62)


def plan(read: ReadBatch, look: Look, vault: Vault, macs: ContentMacs, run_id: uuid.UUID) -> Plans:
    """Decides about every row of a batch."""
    households: dict[str, uuid.UUID] = {}
    plans = Plans(read, [], [], [], list(read.rejects), {})
    planned: set[uuid.UUID] = set()
    for row in read.rows:
        try:
            one = _plan_row(row, look, macs, run_id)
            if one.known is not None:
                if one.person_id in planned:
                    raise Bad("repeated-number", "number")
                planned.add(one.person_id)
        except Bad as bad:
            plans.rejects.append(Reject(row.line, row.offset, bad.code, bad.field))
            continue
        if (key := row.said.household) is not None:
            if key not in households:
                blind = vault.blind(HOUSEHOLD, key)
                households[key] = household_id(blind.mac)
                plans.households[households[key]] = (blind.key_version, blind.mac)
            if look.households.get(one.person_id) != households[key]:
                one.household = households[key]
        (plans.new if one.known is None else plans.changed if one.changes else plans.unchanged).append(one)
    return plans


def _plan_row(row: Row, look: Look, macs: ContentMacs, run_id: uuid.UUID) -> Plan:
    said = row.said
    known = whose(said, look.known) if look.known else None
    status = life_status(said, known)
    if known is None:
        add = [(one.number, "cancelled", one) for one in said.former]
        numbers = NumberWrites((*add, (said.number, said.number_status, None)), None)
        return Plan(row, new_id(), None, status, first_versions(said), numbers, None)
    if repeated(known, row.line, run_id, look.seen.get(said.number)):
        raise Bad("repeated-number", "number")
    person_id = known.person_id
    groups = next_versions(said, person_id, look.groups.get(person_id, {}), macs)
    numbers = number_writes(said, look.known, look.numbers.get(person_id, ()))
    return Plan(row, person_id, known, status, groups, numbers, None)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What all rows of a run carry: whose run, and when the batch was prepared."""

    run_id: uuid.UUID
    at: datetime


def touches_index(plans: Iterable[Plan]) -> list[Plan]:
    """The changed plans whose search rows may have to follow."""
    return [one for one in plans if any(write.group in ("civil", "residence") for write in one.groups)]

"""The rows of a planned batch for COPY: sealed, indexed, encoded."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache

from population_db import import_copy as cell
from population_db.import_batch import Plan, Plans, Stamp
from population_db.import_copy import CopyRows
from population_db.import_decide import NumberWrites
from population_db.sealing import (
    NUMBER,
    ContentMacs,
    IndexEntry,
    index_entries,
    seal_group,
    seal_number,
)
from privacy.vault.api import PERSON_KEYS_COPY, PersonKey, Vault

SCHEMA = "population_db"


class BatchRows:
    """The COPY rows of one batch, table by table, in the order they are to be written."""

    def __init__(self, vault: Vault, macs: ContentMacs, stamp: Stamp) -> None:
        self._vault = vault
        self._macs = macs
        self._stamp = stamp
        self._at = cell.instant(stamp.at)
        self.persons = CopyRows(
            SCHEMA,
            "persons",
            ("person_id", "run_line", "status", "status_since", "version", "recorded_at", "run_id"),
        )
        self.keys = CopyRows(*PERSON_KEYS_COPY)
        self.numbers = CopyRows(
            SCHEMA,
            "person_numbers",
            ("person_id", "ordinal", "sealed", "status", "cancelled_on", "reason", "recorded_at"),
        )
        self.number_index = CopyRows(SCHEMA, "number_index", ("person_id", "mac", "key_version", "status"))
        self.search_index = CopyRows(SCHEMA, "search_index", ("person_id", "mac", "key_version", "kind"))
        self.groups = CopyRows(
            SCHEMA,
            "person_groups",
            (
                *("person_id", "group_code", "version", "sealed", "content_mac"),
                *("source", "as_of", "valid_from", "recorded_at", "superseded_at"),
            ),
        )
        self.members = CopyRows(
            SCHEMA, "household_members", ("person_id", "household_id", "valid_from", "valid_to", "recorded_at")
        )
        self.seen = CopyRows(SCHEMA, "import_seen", ("mac", "line", "run_id"))
        self._tails = _Tails(stamp)

    def tables(self) -> list[CopyRows]:
        """All that have rows; persons first, since the others are checked against them."""
        every = (
            *(self.persons, self.keys, self.numbers, self.number_index),
            *(self.search_index, self.groups, self.members, self.seen),
        )
        return [table for table in every if table.rows]

    def add_all(self, plans: Plans, keys: Mapping[uuid.UUID, PersonKey]) -> None:
        """Everything but the search rows of changed persons (`add_search_rows`).

        keys: person keys of the changed persons whose contacts are written.
        """
        for plan in plans.new:
            self._add_new(plan)
        for plan in plans.changed:
            self._add_groups(plan, cell.uid(plan.person_id), keys.get(plan.person_id))
            self._add_membership(plan, cell.uid(plan.person_id))
            self._add_seen(plan)
        for plan in plans.unchanged:
            self._add_seen(plan)

    def _add_new(self, plan: Plan) -> None:
        person_id, vault = plan.person_id, self._vault
        uid = cell.uid(person_id)
        self.persons.add(uid, cell.int8(plan.row.line), self._tails.person(plan.status))
        self.keys.add(uid, cell.blob(vault.new_person_key(person_id)))
        self.add_numbers(person_id, plan.numbers, first_ordinal=1)
        self._add_groups(plan, uid, None)
        self.add_search_rows(person_id, index_entries(vault, plan.row.said.search))
        self._add_membership(plan, uid)

    def add_numbers(self, person_id: uuid.UUID, numbers: NumberWrites, first_ordinal: int) -> None:
        """A person's numbers, each with its index rows."""
        uid = cell.uid(person_id)
        for ordinal, (digits, status, former) in enumerate(numbers.add, first_ordinal):
            sealed = cell.blob(seal_number(self._vault, person_id, ordinal, digits))
            if former is None:
                tail = self._tails.number(status)
            else:
                tail = cell.text(status) + cell.day(former.cancelled_on) + cell.text(former.reason) + self._at
            self.numbers.add(uid, cell.int2(ordinal), sealed, tail)
            for blind in self._vault.blinds(NUMBER, digits):
                self.number_index.add(uid, cell.blob(blind.mac), _index_tail(blind.key_version, status))

    def add_search_rows(self, person_id: uuid.UUID, entries: Iterable[IndexEntry]) -> None:
        uid = cell.uid(person_id)
        for kind, blind in entries:
            self.search_index.add(uid, cell.blob(blind.mac), _index_tail(blind.key_version, kind))

    def _add_groups(self, plan: Plan, uid: bytes, key: PersonKey | None) -> None:
        for write in plan.groups:
            sealed = seal_group(self._vault, plan.person_id, write.group, write.version, write.encoded, key)
            self.groups.add(
                uid,
                self._tails.group_head(write.group, write.version),
                cell.blob(sealed),
                cell.blob(self._macs.mac(plan.person_id, write.group, write.encoded)),
                self._tails.group(write.source, write.as_of),
            )

    def _add_membership(self, plan: Plan, uid: bytes) -> None:
        if plan.household is not None:
            since = membership_since(plan)
            self.members.add(uid, cell.uid(plan.household), cell.day(since), cell.NULL, self._at)

    def _add_seen(self, plan: Plan) -> None:
        mac = self._vault.blind(NUMBER, plan.row.said.number).mac
        self.seen.add(cell.blob(mac), cell.int8(plan.row.line), self._tails.run)


def membership_since(plan: Plan) -> date:
    """From when a row's household holds: the as-of date of its residence group, else of any."""
    sources = plan.row.said.sources
    return (sources.get("residence") or next(iter(sources.values())))[1]


@lru_cache(maxsize=256)
def _index_tail(key_version: int, last: str) -> bytes:
    return cell.int2(key_version) + cell.text(last)


class _Tails:
    """Cells that repeat from row to row, encoded once per batch."""

    def __init__(self, stamp: Stamp) -> None:
        self._at = cell.instant(stamp.at)
        self.run = cell.uid(stamp.run_id)
        self._kept: dict[tuple[object, ...], bytes] = {}

    def person(self, status: str) -> bytes:
        found = self._kept.get((status,))
        if found is None:
            found = cell.text(status) + self._at + cell.int4(1) + self._at + self.run
            self._kept[(status,)] = found
        return found

    def number(self, status: str) -> bytes:
        found = self._kept.get(("number", status))
        if found is None:
            found = cell.text(status) + cell.NULL + cell.NULL + self._at
            self._kept["number", status] = found
        return found

    def group_head(self, group: str, version: int) -> bytes:
        found = self._kept.get((group, version))
        if found is None:
            found = cell.text(group) + cell.int4(version)
            self._kept[group, version] = found
        return found

    def group(self, source: str, as_of: date) -> bytes:
        found = self._kept.get((source, as_of))
        if found is None:
            on = cell.day(as_of)
            found = cell.text(source) + on + on + self._at + cell.NULL
            self._kept[source, as_of] = found
        return found

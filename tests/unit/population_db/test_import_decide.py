"""What an import does with a row, given what the registry holds: the policy of `import_decide`, case by case."""

import uuid
from dataclasses import replace
from datetime import date

import pytest

from population_db.import_decide import (
    Known,
    StoredGroup,
    first_versions,
    life_status,
    next_versions,
    number_writes,
    repeated,
    whose,
)
from population_db.import_fields import Bad
from population_db.import_row import CheckedRow, FormerNumber

AN, BINH = uuid.UUID(int=1), uuid.UUID(int=2)
OLD, NEW, OTHER = "001190000001", "001190000002", "001190000003"
RUN = uuid.UUID(int=9)
ROW = CheckedRow(
    number=NEW,
    number_status="active",
    former=(),
    household=None,
    sources={"civil": ("civil-status", date(2025, 3, 1)), "contact": ("self", date(2025, 3, 1))},
    encoded={"civil": b"A", "contact": b"B"},
    life="alive",
    search=[],
)
FORMER = FormerNumber(OLD, date(2024, 1, 1), "wrong-sex")


class Equal:
    """Digests that are the content itself."""

    def same(self, stored: bytes, person_id: uuid.UUID, group: str, encoded: bytes) -> bool:
        return stored == encoded


def known(person_id: uuid.UUID, number_status: str = "active", status: str = "alive") -> Known:
    return Known(person_id, number_status, status, 1, RUN, 7)


def stored(content: bytes, as_of: date, source: str = "civil-status", version: int = 1) -> StoredGroup:
    return StoredGroup(version, content, source, as_of)


def test_a_new_person_has_first_versions_of_what_the_row_says() -> None:
    assert whose(ROW, {}) is None
    writes = first_versions(ROW)
    assert [(write.group, write.version, write.encoded, write.source) for write in writes] == [
        ("civil", 1, b"A", "civil-status"),
        ("contact", 1, b"B", "self"),
    ]


def test_a_former_number_finds_the_person() -> None:
    row = replace(ROW, former=(FORMER,))
    found = {OLD: known(AN)}
    assert whose(row, found) == found[OLD]
    writes = number_writes(row, found, ["active"])
    assert writes.cancel == FORMER
    assert writes.add == ((NEW, "active", None),)


def test_numbers_of_two_persons_are_refused() -> None:
    with pytest.raises(Bad, match="two-persons"):
        whose(replace(ROW, former=(FORMER,)), {OLD: known(AN), NEW: known(BINH)})


def test_a_second_active_number_is_refused() -> None:
    row = replace(ROW, former=(FormerNumber(OLD, None, None),))
    with pytest.raises(Bad, match="other-active"):
        number_writes(row, {OLD: known(AN, "cancelled")}, ["cancelled", "active"])


def test_a_cancelled_number_is_not_revived() -> None:
    with pytest.raises(Bad, match="number-cancelled"):
        number_writes(ROW, {NEW: known(AN, "cancelled")}, ["cancelled"])


def test_a_number_is_cancelled_without_a_successor() -> None:
    writes = number_writes(replace(ROW, number_status="cancelled"), {NEW: known(AN)}, ["active"])
    assert writes.cancel_without_successor
    assert not writes.add


def test_a_former_number_that_was_not_known_is_added_as_cancelled() -> None:
    writes = number_writes(replace(ROW, former=(FORMER,)), {NEW: known(AN)}, ["active"])
    assert writes.add == ((OLD, "cancelled", FORMER),)
    assert writes.cancel is None


def test_known_numbers_bring_nothing() -> None:
    row = replace(ROW, former=(FORMER,))
    assert not number_writes(row, {NEW: known(AN), OLD: known(AN, "cancelled")}, ["cancelled", "active"])


@pytest.mark.parametrize(
    ("old", "version"),
    [
        (stored(b"A", date(2025, 3, 1)), None),  # said again
        (stored(b"A", date(2025, 3, 1), source="police-archive"), None),  # the same from another source
        (stored(b"A", date(2026, 3, 1)), None),  # known later already
        (stored(b"A", date(2024, 3, 1), version=4), 5),  # confirmed at a later date
        (stored(b"X", date(2024, 3, 1), version=4), 5),  # changed
        (stored(b"X", date(2025, 3, 1)), 2),  # corrected the same day
    ],
)
def test_a_group_is_written_when_it_says_something_new(old: StoredGroup, version: int | None) -> None:
    held = {"civil": old, "contact": stored(b"B", date(2025, 3, 1))}
    writes = next_versions(ROW, AN, held, Equal())
    assert [(write.group, write.version) for write in writes] == ([] if version is None else [("civil", version)])


def test_other_content_with_an_earlier_date_is_refused() -> None:
    with pytest.raises(Bad, match="older") as refused:
        next_versions(ROW, AN, {"civil": stored(b"X", date(2025, 3, 2))}, Equal())
    assert refused.value.field == "civil"


def test_a_group_that_was_never_recorded_is_added() -> None:
    writes = next_versions(ROW, AN, {"civil": stored(b"A", date(2025, 3, 1))}, Equal())
    assert [(write.group, write.version) for write in writes] == [("contact", 1)]


def test_a_new_person_needs_his_civil_fields() -> None:
    with pytest.raises(Bad, match="civil-missing"):
        life_status(replace(ROW, life=None), None)
    assert life_status(replace(ROW, life=None), known(AN, status="missing")) == "missing"


def test_a_file_does_not_raise_the_dead() -> None:
    with pytest.raises(Bad, match="dead-alive"):
        life_status(ROW, known(AN, status="dead"))
    assert life_status(replace(ROW, life="dead"), known(AN, status="dead")) == "dead"
    assert life_status(ROW, known(AN, status="missing")) == "alive"


@pytest.mark.parametrize(
    ("run", "line", "seen", "again"),
    [
        (uuid.UUID(int=8), 7, None, False),  # came in an earlier run
        (RUN, 7, None, False),  # this very row, planned again
        (RUN, 8, None, True),  # new in this run, on line 7
        (uuid.UUID(int=8), 8, 5, True),  # met in this run, on line 5
        (uuid.UUID(int=8), 5, 5, False),
    ],
)
def test_a_number_counts_once_in_a_file(run: uuid.UUID, line: int, seen: int | None, again: bool) -> None:
    assert repeated(known(AN), line, run, seen) is again

"""An official's family is found though numbers changed since the records were written. Pure."""

import uuid
from datetime import date
from typing import Any

import pytest

from consent.kinship import are_related, numbers_of_relatives
from population_db.api import FieldValue, Record

ME, OTHER, MOTHER = (uuid.UUID(int=number) for number in (1, 2, 3))
MINE_OLD, MINE_NEW, OTHERS_OLD, OTHERS_NEW, MOTHERS_OLD, MOTHERS_NEW = (f"00109000000{n}" for n in range(6))
HOLDERS = {
    MINE_OLD: ME,
    MINE_NEW: ME,
    OTHERS_OLD: OTHER,
    OTHERS_NEW: OTHER,
    MOTHERS_OLD: MOTHER,
    MOTHERS_NEW: MOTHER,
}
NOBODYS = "001090000099"


def record(person_id: uuid.UUID, **values: Any) -> Record:
    held = {code: FieldValue(value, "civil-status", date(2026, 1, 1)) for code, value in values.items()}
    return Record(person_id, "alive", 1, held)


@pytest.mark.parametrize(
    ("mine", "others"),
    [
        ({"father": {"number": OTHERS_OLD}}, {"personal_number": OTHERS_NEW}),
        ({"personal_number": MINE_NEW}, {"children": [{"number": NOBODYS}, {"number": MINE_OLD}]}),
        ({"spouse": {"number": OTHERS_OLD}}, {"spouse": {"number": MINE_OLD}}),
        ({"mother": {"number": MOTHERS_OLD}}, {"mother": {"number": MOTHERS_NEW}}),
        ({"mother": {"number": NOBODYS}}, {"father": {"number": NOBODYS}}),
        ({"residence_file_number": "F1"}, {"residence_file_number": "F1"}),
    ],
)
def test_related_whatever_number_stands_in_the_record(mine: dict[str, Any], others: dict[str, Any]) -> None:
    one, other = record(ME, **mine), record(OTHER, **others)
    assert are_related(one, other, HOLDERS)
    assert are_related(other, one, HOLDERS)


@pytest.mark.parametrize(
    ("mine", "others"),
    [
        ({}, {}),
        ({"mother": {"full_name": "Trần Thị Bé"}}, {"mother": {"full_name": "Trần Thị Bé"}}),
        ({"spouse": {"number": MOTHERS_OLD}}, {"children": [{"number": MOTHERS_NEW}]}),
        ({"residence_file_number": "F1"}, {"residence_file_number": "F2"}),
    ],
)
def test_strangers(mine: dict[str, Any], others: dict[str, Any]) -> None:
    assert not are_related(record(ME, **mine), record(OTHER, **others), HOLDERS)


def test_the_numbers_to_be_resolved_are_those_of_both() -> None:
    one = record(ME, father={"number": OTHERS_OLD}, mother={"full_name": "Không số"})
    assert numbers_of_relatives([one, record(OTHER, children=[{"number": MINE_OLD}])]) == {OTHERS_OLD, MINE_OLD}

"""Whether a person is family or household of an official, and where he lives. Pure.

Told from both records by personal numbers: who stands in the other's family or household, who shares a
parent, who shares the residence file (a household has one). Relatives that are recorded by name alone are
not found; the journal shows such looks all the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from population_db.api import Record

PLACES = ("permanent_residence", "current_residence")
PARENTS = ("father", "mother")
RELATIVES = (*PARENTS, "spouse", "children", "representative", "represented", "household_head", "household_members")
KIN_FIELDS = ("personal_number", "residence_file_number", *PLACES, *RELATIVES)
"""What has to be read of both."""


def places_of(record: Record) -> tuple[tuple[str, str | None], ...]:
    """(province, commune) of the permanent and the current residence."""
    found = []
    for code in PLACES:
        place = record.get(code)
        if isinstance(place, Mapping) and place.get("province"):
            found.append((str(place["province"]), place.get("commune")))
    return tuple(found)


def are_related(one: Record, other: Record) -> bool:
    """Family, household or the same residence file."""
    mine, theirs = one.get("personal_number"), other.get("personal_number")
    if mine in set(_numbers(other, RELATIVES)) or theirs in set(_numbers(one, RELATIVES)):
        return True
    if not set(_numbers(one, PARENTS)).isdisjoint(_numbers(other, PARENTS)):
        return True
    file = one.get("residence_file_number")
    return file is not None and file == other.get("residence_file_number")


def _numbers(record: Record, codes: Iterable[str]) -> Iterator[str]:
    for code in codes:
        value: Any = record.get(code)
        for person in value if isinstance(value, list) else [value]:
            if isinstance(person, Mapping) and person.get("number"):
                yield str(person["number"])

"""Whether a person is family or household of an official, and where he lives. Pure.

Told from both records by personal numbers: who stands in the other's family or household, who shares a
parent, who shares the residence file (a household has one). A record names relatives by the number they had
when it was written, so numbers are compared by the person who has or had them. Relatives that are recorded
by name alone are not found; the journal shows such looks all the same.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from population_db.api import Record

PLACES = ("permanent_residence", "current_residence")
PARENTS = ("father", "mother")
RELATIVES = (*PARENTS, "spouse", "children", "representative", "represented", "household_head", "household_members")
KIN_FIELDS = ("residence_file_number", *PLACES, *RELATIVES)
"""What has to be read of both."""


def places_of(record: Record) -> tuple[tuple[str, str | None], ...]:
    """(province, commune) of the permanent and the current residence."""
    found = []
    for code in PLACES:
        place = record.get(code)
        if isinstance(place, Mapping) and place.get("province"):
            found.append((str(place["province"]), place.get("commune")))
    return tuple(found)


def numbers_of_relatives(records: Iterable[Record]) -> set[str]:
    """Every number that stands in the family or household of one of them."""
    return {number for record in records for number in _numbers(record, RELATIVES)}


def are_related(one: Record, other: Record, holders: Mapping[str, uuid.UUID]) -> bool:
    """Family, household or the same residence file. holders: who has or had each number of a relative."""

    def people(record: Record, codes: Iterable[str]) -> set[uuid.UUID | str]:
        # A number that is nobody's is compared as it stands.
        return {holders.get(number, number) for number in _numbers(record, codes)}

    if one.person_id in people(other, RELATIVES) or other.person_id in people(one, RELATIVES):
        return True
    if not people(one, PARENTS).isdisjoint(people(other, PARENTS)):
        return True
    file = one.get("residence_file_number")
    return file is not None and file == other.get("residence_file_number")


def _numbers(record: Record, codes: Iterable[str]) -> Iterator[str]:
    for code in codes:
        value: Any = record.get(code)
        for person in value if isinstance(value, list) else [value]:
            if isinstance(person, Mapping) and person.get("number"):
                yield str(person["number"])

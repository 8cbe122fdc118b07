"""The least answer that serves: match, then fields. (Predicates come between them, with budgets of their own.)

Pure: takes what was read from the registry and what was allowed, and gives what goes out. It is the last
gate: a field that is not both asked for and allowed cannot pass, whatever was read.
"""

import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Literal

from core.record import record
from population_db.api import FieldValue, PartialDate, same_date, same_name

MatchResult = Literal["match", "no-match", "not-held"]

NAMES = frozenset({"full_name", "other_name"})
DATES = frozenset({"birth_date", "death_date"})
PLACES = frozenset({"permanent_residence", "temporary_residence", "current_residence"})
PLACE_KEYS = frozenset({"commune", "province"})
"""Addresses are compared by codes: a text of an address has too many right spellings to say "no"."""
PEOPLE = frozenset({"father", "mother", "spouse", "representative", "household_head"})
LISTS_OF_PEOPLE = frozenset({"children", "represented", "household_members"})
PERSON_KEYS = frozenset({"number", "full_name"})
TEXTS = frozenset(
    {
        "sex", "nationality", "personal_number", "marital_status", "life_status", "residence_file_number",
        "relation_to_head", "phone", "email", "ethnicity", "religion", "blood_group",
    }
)  # fmt: skip

MATCHABLE = NAMES | DATES | PLACES | PEOPLE | LISTS_OF_PEOPLE | TEXTS | {"old_id_numbers"}
"""Fields that can be asked as a match; the others have no sensible "same"."""


@record
class Matched:
    """The answer to one asked value. source and as_of are absent when nothing is held."""

    result: MatchResult
    source: str | None
    as_of: date | None


def match(held: Mapping[str, FieldValue], asked: Mapping[str, Any], allowed: Collection[str]) -> Mapping[str, Matched]:
    """Per asked and allowed field: the same, not the same, or not held. ValueError names a field whose
    asked value has an unfit shape (see `match_fault`)."""
    return MappingProxyType(
        {code: _matched(code, held.get(code), value) for code, value in asked.items() if code in allowed}
    )


def pick(held: Mapping[str, FieldValue], asked: Collection[str], allowed: Collection[str]) -> Mapping[str, FieldValue]:
    """The held values of asked and allowed fields, in the order asked; absent ones are not held."""
    return MappingProxyType({code: held[code] for code in asked if code in allowed and _is_held(held.get(code))})


def match_fault(code: str, value: Any) -> str | None:
    """What is wrong with the value asked for a field, or None. It never repeats the value."""
    if code in NAMES:
        return _fault_of_text(value) or _fault(lambda: same_name(value, value))
    if code in DATES:
        return _fault_of_text(value) or _fault(lambda: PartialDate.parse(value))
    if code in PLACES:
        return _fault_of_object(value, PLACE_KEYS)
    if code in PEOPLE or code in LISTS_OF_PEOPLE:
        fault = _fault_of_object(value, PERSON_KEYS)
        if fault is None and "full_name" in value:
            fault = _fault(lambda: same_name(value["full_name"], value["full_name"]))
        return fault
    if code in TEXTS or code == "old_id_numbers":
        return _fault_of_text(value)
    return "This field cannot be asked as a match."


def _matched(code: str, held: FieldValue | None, asked: Any) -> Matched:
    fault = match_fault(code, asked)
    if fault is not None:
        raise ValueError(f"{code}: {fault}")
    if held is None or not _is_held(held):
        return Matched("not-held", None, None)
    return Matched("match" if _same(code, held.value, asked) else "no-match", held.source, held.as_of)


def _is_held(held: FieldValue | None) -> bool:
    return held is not None and held.value is not None and held.value not in ("", [], {})


def _same(code: str, held: Any, asked: Any) -> bool:
    if code in NAMES:
        return same_name(held, asked)
    if code in DATES:
        return same_date(PartialDate.parse(held), PartialDate.parse(asked))
    if code in PLACES:
        return all(held.get(key) == value for key, value in asked.items())
    if code in PEOPLE:
        return _same_person(held, asked)
    if code in LISTS_OF_PEOPLE:
        return any(_same_person(one, asked) for one in held)
    if code == "old_id_numbers":
        return asked.strip() in held
    return _plain(held) == _plain(asked)


def _same_person(held: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    number, name = asked.get("number"), asked.get("full_name")
    if number is not None and held.get("number") != number:
        return False
    return name is None or (bool(held.get("full_name")) and same_name(held["full_name"], name))


def _plain(value: Any) -> str:
    return " ".join(unicodedata.normalize("NFC", str(value)).casefold().split())


def _fault_of_text(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "A text is needed."


def _fault_of_object(value: Any, keys: frozenset[str]) -> str | None:
    fits = isinstance(value, dict) and value and set(value) <= keys
    if not fits or not all(isinstance(item, str) and item.strip() for item in value.values()):
        return f"An object with one or more of {', '.join(sorted(keys))} is needed."
    return None


def _fault(work: Callable[[], object]) -> str | None:
    try:
        work()
    except ValueError as error:
        return f"{str(error).capitalize()}."
    return None

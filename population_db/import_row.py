"""One row of an import file, checked: shape, values, and the row against itself.

No database, no keys, no clock: the day is handed in. What comes out is what gets sealed, so two rows that
say the same come out the same, whatever the order of their members.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

from population_db import import_fields as check
from population_db.fields import GROUPS, codes_of
from population_db.import_fields import Bad, Check, code, list_of, record, short_text
from population_db.sealing import encode, index_values

MARITAL = ("single", "married", "divorced", "widowed")
LIFE = ("alive", "dead", "missing", "renounced")
BLOOD = ("A", "B", "AB", "O", "A+", "B+", "AB+", "O+", "A-", "B-", "AB-", "O-")

_PERSON: Mapping[str, Check] = {
    "full_name": check.name,
    "number": check.number,
    "old_id_number": check.old_id,
    "nationality": check.nationality,
    "birth_date": check.partial_date,
    "relation": short_text,
    "relation_to_head": short_text,
}
_person = record(_PERSON, needs=("full_name",))
_absence = record(
    {"text": check.text, "from": check.partial_date, "to": check.partial_date, "reason": check.text},
)
_card = record(
    {"issued_on": check.whole_date, "issued_by": check.text, "expires_on": check.whole_date},
)

VALUE_CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "full_name": check.name,
        "other_name": check.name,
        "birth_date": check.partial_date,
        "sex": check.one_of("male", "female"),
        "nationality": check.nationality,
        "birth_place": check.place,
        "birth_registration_place": check.place,
        "home_village": check.place,
        "personal_number": check.number,
        "old_id_numbers": list_of(check.old_id, most=10),
        "card": _card,
        "marital_status": check.one_of(*MARITAL),
        "life_status": check.one_of(*LIFE),
        "death_date": check.partial_date,
        "father": _person,
        "mother": _person,
        "spouse": _person,
        "representative": _person,
        "children": list_of(_person),
        "represented": list_of(_person),
        "permanent_residence": check.address,
        "temporary_residence": check.address,
        "current_residence": check.address,
        "temporary_absence": _absence,
        "residence_file_number": check.text,
        "household_head": _person,
        "household_members": list_of(_person),
        "relation_to_head": short_text,
        "phone": check.phone,
        "email": check.email,
        "ethnicity": short_text,
        "religion": short_text,
        "blood_group": check.one_of(*BLOOD),
    }
)

_CODES = tuple((group, codes_of(group)) for group in GROUPS)
_NUMBER_STATUS = check.one_of("active", "cancelled")
_FORMER = list_of(
    record({"number": check.number, "cancelled_on": check.whole_date, "reason": code}, needs=("number",)), most=10
)
_SOURCE = record({"source": code, "as_of": check.whole_date}, needs=("source", "as_of"))
_SOURCES = record(dict.fromkeys(GROUPS, _SOURCE))
_ABOUT_THE_ROW: Mapping[str, Check] = {
    "number": check.number,
    "number_status": _NUMBER_STATUS,
    "former_numbers": _FORMER,
    "household": check.text,
    "sources": _SOURCES,
    "test_note": check.text,
}
_CHECKS: Mapping[str, Check] = {**VALUE_CHECKS, **_ABOUT_THE_ROW}
COLUMNS = frozenset(_CHECKS)
"""Every name a row may use."""

NESTED = frozenset(
    (
        *("birth_place", "birth_registration_place", "home_village", "old_id_numbers", "card"),
        *("father", "mother", "spouse", "children", "representative", "represented"),
        *("permanent_residence", "temporary_residence", "current_residence", "temporary_absence"),
        *("household_head", "household_members", "former_numbers", "sources"),
    )
)
"""Names whose cells hold JSON text in a CSV file."""


@dataclass(frozen=True, slots=True)
class FormerNumber:
    number: str = field(repr=False)
    cancelled_on: date | None
    reason: str | None


@dataclass(slots=True)
class CheckedRow:
    """A row that may be stored, small: its contents are encoded at once and the parsed row is let go, which
    halves the time, since a batch of parsed rows does not fit into any cache.

    encoded: group → content as it will be sealed, only groups the row speaks about. life: of its civil
    group. search: what it is found by (kind, value); only when it speaks about civil.
    """

    number: str = field(repr=False)
    number_status: str
    former: tuple[FormerNumber, ...]
    household: str | None = field(repr=False)
    sources: dict[str, tuple[str, date]]
    encoded: dict[str, bytes] = field(repr=False)
    life: str | None
    search: list[tuple[str, str]] = field(repr=False)


def check_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """Checks every value by itself. Raises Bad with code and field; the first thing that is wrong is told."""
    checked = {}
    for name, value in row.items():
        one = _CHECKS.get(name)
        if one is None:
            # The name is not repeated: it may be a value in the wrong place.
            raise Bad("unknown-field")
        if value is not None:
            try:
                checked[name] = one(value)
            except Bad as bad:
                raise Bad(bad.code, name) from None
    return checked


def assemble(values: Mapping[str, Any], today: date) -> CheckedRow:
    """Sorts checked values into groups and checks the row against itself. Raises Bad."""
    number = values.get("number")
    if number is None:
        raise Bad("missing", "number")
    groups = {}
    for group, codes in _CODES:
        content = {code: values[code] for code in codes if code in values}
        if content:
            groups[group] = content
    if not groups:
        raise Bad("empty-row")
    status = values.get("number_status", "active")
    residence = groups.get("residence", {})
    if residence:
        _check_residence(residence)
    civil = groups.get("civil")
    if civil is not None:
        _check_civil(civil, number, status, today)
    return CheckedRow(
        number,
        status,
        _former(values["former_numbers"], number) if "former_numbers" in values else (),
        values.get("household"),
        _sources(values.get("sources", {}), groups, today),
        {group: encode(content) for group, content in groups.items()},
        None if civil is None else civil["life_status"],
        [] if civil is None else index_values(civil, residence),
    )


def _check_residence(residence: dict[str, Any]) -> None:
    for name in ("permanent_residence", "temporary_residence", "current_residence"):
        home = residence.get(name)
        if home is None or "commune" not in home:
            continue
        if home.get("province") != check.province_of_commune(home["commune"]):
            raise Bad("commune-province", name)


def _check_civil(civil: dict[str, Any], number: str, status: str, today: date) -> None:
    for needed in ("full_name", "birth_date", "sex"):
        if needed not in civil:
            raise Bad("missing", needed)
    birth: str = civil["birth_date"]
    if birth > today.isoformat()[: len(birth)]:
        raise Bad("birth-future", "birth_date")
    if civil.setdefault("personal_number", number) != number:
        raise Bad("personal-number", "personal_number")
    life = civil.setdefault("life_status", "alive")
    death: str | None = civil.get("death_date")
    if death is not None:
        shared = min(len(birth), len(death))
        if life not in ("dead", "missing") or death[:shared] < birth[:shared] or death > today.isoformat():
            raise Bad("death-date", "death_date")
    elif life == "dead":
        raise Bad("death-date", "life_status")
    if status == "active":
        # A cancelled number is often cancelled because it said the wrong year or sex.
        digit = int(number[3])
        if f"{19 + digit // 2}{number[4:6]}" != birth[:4]:
            raise Bad("number-birth-year", "number")
        if (civil["sex"] == "female") != (digit % 2 == 1):
            raise Bad("number-sex", "number")


def _former(given: Any, number: str) -> tuple[FormerNumber, ...]:
    former = tuple(
        FormerNumber(
            one["number"],
            check.calendar_day(one["cancelled_on"]) if "cancelled_on" in one else None,
            one.get("reason"),
        )
        for one in given
    )
    if len({number, *(one.number for one in former)}) != len(former) + 1:
        raise Bad("former-number", "former_numbers")
    return former


def _sources(given: Mapping[str, Any], groups: Mapping[str, Any], today: date) -> dict[str, tuple[str, date]]:
    sources = {}
    for group in groups:
        said = given.get(group)
        if said is None:
            raise Bad("source-missing", group)
        as_of = check.calendar_day(said["as_of"])
        if as_of > today:
            raise Bad("as-of-future", group)
        sources[group] = (said["source"], as_of)
    return sources

"""Who may consent alone: 16 years by the day in Viet Nam, no representative."""

from datetime import date

import pytest

from consent.capacity import incapacity
from population_db.api import PartialDate

TODAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("birth", "reason"),
    [
        ("2010-11-02", None),  # sixteen today
        ("2010-11-03", "under-age"),  # tomorrow
        ("2010-10", None),
        ("2010-11", "under-age"),  # may be as late as the thirtieth
        ("2009", None),
        ("2010", "under-age"),
        ("1941", None),
        ("2026-11-02", "under-age"),
        ("2026-11-03", "age-unknown"),
        (None, "age-unknown"),
    ],
)
def test_age(birth: str | None, reason: str | None) -> None:
    parsed = PartialDate.parse(birth) if birth else None
    assert incapacity(parsed, False, TODAY) == reason


def test_a_represented_person_does_not_consent_alone() -> None:
    assert incapacity(PartialDate.parse("1980-01-01"), True, TODAY) == "under-guardianship"
    assert incapacity(PartialDate.parse("2020-01-01"), True, TODAY) == "under-age"


def test_born_on_a_leap_day() -> None:
    birth = PartialDate.parse("2008-02-29")
    assert incapacity(birth, False, date(2024, 2, 28)) == "under-age"
    assert incapacity(birth, False, date(2024, 2, 29)) is None

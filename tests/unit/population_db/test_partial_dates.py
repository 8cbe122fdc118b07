"""Partial dates: nothing is made up, the youngest age is taken."""

from datetime import UTC, date, datetime

import pytest

from population_db.partial_dates import PartialDate, age_at, age_on, may_be_same_date, same_date


@pytest.mark.parametrize(
    ("text", "iso", "vietnamese"),
    [
        ("1960", "1960", "1960"),
        ("1960-05", "1960-05", "05/1960"),
        ("1960-05-17", "1960-05-17", "17/05/1960"),
        ("17/05/1960", "1960-05-17", "17/05/1960"),
        ("7/5/1960", "1960-05-07", "07/05/1960"),
        ("5/1960", "1960-05", "05/1960"),
        (" 2000-02-29 ", "2000-02-29", "29/02/2000"),
    ],
)
def test_forms(text: str, iso: str, vietnamese: str) -> None:
    parsed = PartialDate.parse(text)
    assert (parsed.iso, parsed.vietnamese) == (iso, vietnamese)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "60",
        "1960-13",
        "1960-00",
        "1960-5",
        "31/02/1960",
        "1900-02-29",
        "1849",
        "2200",
        "17-05-1960",
        "1960/05/17",
        "١٩٦٠",
        "1960-05-17T00:00",
    ],
)
def test_what_is_no_date(bad: str) -> None:
    with pytest.raises(ValueError):
        PartialDate.parse(bad)


def test_a_day_needs_a_month() -> None:
    with pytest.raises(ValueError):
        PartialDate(1960, None, 3)


def test_same_needs_the_same_precision() -> None:
    year, month, day = (PartialDate.parse(t) for t in ("1960", "1960-05", "1960-05-17"))
    assert same_date(day, PartialDate.parse("17/05/1960"))
    assert same_date(year, PartialDate(1960))
    assert not same_date(year, day)
    assert not same_date(month, day)
    assert may_be_same_date(year, day)
    assert may_be_same_date(month, day)
    assert not may_be_same_date(PartialDate(1960, 6), day)


@pytest.mark.parametrize(
    ("birth", "day", "age"),
    [
        ("2008-11-22", date(2026, 11, 21), 17),
        ("2008-11-22", date(2026, 11, 22), 18),
        ("2008-02-29", date(2026, 2, 28), 17),
        ("2008-02-29", date(2026, 3, 1), 18),
        ("2008", date(2026, 12, 30), 17),
        ("2008", date(2026, 12, 31), 18),
        ("2008-04", date(2026, 4, 29), 17),
        ("2008-04", date(2026, 4, 30), 18),
        ("2008-12", date(2026, 12, 30), 17),
        ("2026", date(2026, 6, 1), 0),
        ("2026-11-22", date(2026, 11, 22), 0),
    ],
)
def test_the_youngest_certain_age(birth: str, day: date, age: int) -> None:
    assert age_on(PartialDate.parse(birth), day) == age


def test_no_age_before_birth() -> None:
    with pytest.raises(ValueError):
        age_on(PartialDate(2026, 11, 23), date(2026, 11, 22))


def test_the_day_is_the_one_in_viet_nam() -> None:
    birth = PartialDate.parse("2008-11-22")
    assert age_at(birth, datetime(2026, 11, 21, 16, 59, tzinfo=UTC)) == 17
    assert age_at(birth, datetime(2026, 11, 21, 17, 0, tzinfo=UTC)) == 18


def test_months_end_where_they_end() -> None:
    assert PartialDate(2024, 2).latest() == date(2024, 2, 29)
    assert PartialDate(2025, 12).latest() == date(2025, 12, 31)
    assert PartialDate(2025).earliest() == date(2025, 1, 1)
    assert PartialDate.of(date(2025, 3, 4)).complete

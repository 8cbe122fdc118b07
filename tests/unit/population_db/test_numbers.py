"""The number: its structure, and that it hides itself."""

import pytest

from population_db.numbers import Number, century_and_sex_digit, check_against, parse_number
from population_db.partial_dates import PartialDate


def test_the_example_of_the_decree_s_commentators() -> None:
    number = parse_number("087084000999")
    assert (number.prefix, number.sex, number.birth_year) == ("087", "male", 1984)


def test_it_never_shows_itself_by_accident() -> None:
    number = parse_number(" 079 190 000123 ")
    assert number.digits == "079190000123"
    assert number.masked == "0791*****123"
    for shown in (repr(number), str(number), f"{number}", f"{number!r}", f"{[number]}"):
        assert "90000" not in shown


@pytest.mark.parametrize(
    ("digit", "sex", "year"),
    [(0, "male", 1990), (1, "female", 1990), (2, "male", 2090), (3, "female", 2090), (9, "female", 2390)],
)
def test_century_and_sex(digit: int, sex: str, year: int) -> None:
    number = parse_number(f"001{digit}90123456")
    assert (number.sex, number.birth_year) == (sex, year)
    assert century_and_sex_digit(year, number.sex) == str(digit)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "12345678901",
        "1234567890123",
        "07919000012a",
        "٠٧٩١٩٠٠٠٠١٢٣",
        "003090123456",
        "000090123456",
        "097090123456",
        "07919000\n0123",
    ],
)
def test_what_is_no_number(bad: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_number(bad)
    assert not any(c.isdigit() for c in str(refused.value))


def test_births_registered_abroad_and_all_63_old_codes() -> None:
    assert parse_number("999301123456").prefix == "999"
    assert Number("074092000014") == parse_number("074092000014")


def test_contradictions_are_told_without_values() -> None:
    number = parse_number("036190990001")
    assert check_against(number, PartialDate.parse("1990"), "female") == []
    problems = check_against(number, PartialDate.parse("1991-01-01"), "male")
    assert len(problems) == 2
    assert "199" not in " ".join(problems)


@pytest.mark.parametrize("year", [1899, 2400])
def test_years_without_a_digit(year: int) -> None:
    with pytest.raises(ValueError):
        century_and_sex_digit(year, "male")

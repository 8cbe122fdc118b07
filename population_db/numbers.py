"""The personal identification number (số định danh cá nhân), twelve digits PPP G YY RRRRRR.

PPP: the province where the birth was registered, by its code of before July 2025, or a country. G: century
and sex. YY: birth year. The rest is random; there is no check digit (Decree 137/2015 art. 13, Circular
07/2016 art. 7; Law 26/2023 art. 12). So a mistyped number is often a valid one: nobody is found by number
alone. The province says nothing about where the person lives.
"""

import re
from dataclasses import dataclass
from typing import Literal

from population_db.partial_dates import PartialDate
from population_db.units import units

Sex = Literal["male", "female"]

_TWELVE_DIGITS = re.compile(r"[0-9]{12}")
_FIRST_FOREIGN_PREFIX = 100
"""Prefixes of three digits from here on are countries (annex 2 of Circular 07/2016); the list itself was not
found, so any is taken."""


@dataclass(frozen=True, slots=True, repr=False)
class Number:
    """A well-formed number. Printed, logged or formatted it shows masked; `digits` is the number itself.

    ValueError when it is not twelve digits with a known province or a country in front.
    """

    digits: str

    def __post_init__(self) -> None:
        if not _TWELVE_DIGITS.fullmatch(self.digits):
            raise ValueError("the number is not twelve digits")
        prefix = self.digits[:3]
        if int(prefix) < _FIRST_FOREIGN_PREFIX and prefix not in units().number_prefixes:
            raise ValueError("the number begins with no known province")

    @property
    def masked(self) -> str:
        """For screens and logs: `0790*****123`."""
        return f"{self.digits[:4]}*****{self.digits[-3:]}"

    @property
    def prefix(self) -> str:
        """Three digits: where the birth was registered, an old province (until July 2025) or a country."""
        return self.digits[:3]

    @property
    def sex(self) -> Sex:
        return "female" if int(self.digits[3]) % 2 else "male"

    @property
    def birth_year(self) -> int:
        return 1900 + 100 * (int(self.digits[3]) // 2) + int(self.digits[4:6])

    def __repr__(self) -> str:
        return f"Number({self.masked})"

    def __str__(self) -> str:
        return self.masked


def parse_number(text: str) -> Number:
    """Read a number as people type it (spaces around and between digits are allowed).

    ValueError with a reason that does not repeat the text.
    """
    return Number(text.replace(" ", "").strip())


def century_and_sex_digit(birth_year: int, sex: Sex) -> str:
    """The digit G for a birth year 1900–2399. ValueError outside."""
    century = birth_year // 100 - 19
    if not 0 <= century <= 4:
        raise ValueError("numbers are given to people born from 1900 to 2399")
    return str(2 * century + (1 if sex == "female" else 0))


def check_against(number: Number, birth_date: PartialDate, sex: str) -> list[str]:
    """What in the number contradicts the record; empty when nothing does. No values are repeated.

    A contradiction is no proof of an error in the row: sex and birth year can have been set anew while the
    number stayed. The caller decides.
    """
    problems = []
    if number.birth_year != birth_date.year:
        problems.append("the number's birth year is not the record's")
    if number.sex != sex:
        problems.append("the number's sex is not the record's")
    return problems

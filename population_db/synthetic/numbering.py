"""Numbers, phones and card numbers for people who do not exist, each given out once.

The six last digits of a number run through a full cycle of a band, so they look random and cannot repeat; only
a counter per province, century, sex and year is kept. The bands keep three kinds of synthetic people apart: a
generated population, the neighbours of the sandbox, the personas.
"""

from dataclasses import dataclass
from hashlib import blake2b
from math import gcd

from population_db.numbers import Sex, century_and_sex_digit


@dataclass(frozen=True, slots=True)
class Band:
    """Last six digits (or last seven of a phone) from `first`, so many of them."""

    first: int
    size: int


GENERATED = Band(0, 980_000)
NEIGHBOURS = Band(980_000, 10_000)
PERSONAS = Band(990_000, 10_000)

_PHONES = {GENERATED: Band(0, 9_800_000), NEIGHBOURS: Band(9_800_000, 100_000), PERSONAS: Band(9_900_000, 100_000)}
PHONE_PREFIX = "+8495"
"""095 was given back in 2012 and belongs to no network."""


class Numbering:
    """Gives out numbers of one band for one seed. ValueError when a year and sex of a province is used up."""

    def __init__(self, seed: int, band: Band = GENERATED) -> None:
        self._seed = seed
        self._band = band
        self._given: dict[str, int] = {}
        self._cycles: dict[str, tuple[int, int]] = {}
        self._phones = 0

    def number(self, prefix: str, birth_year: int, sex: Sex) -> str:
        """A new number PPP G YY RRRRRR."""
        head = f"{prefix}{century_and_sex_digit(birth_year, sex)}{birth_year % 100:02d}"
        return f"{head}{self._next(head, self._band):06d}"

    def phone(self) -> str:
        """A new phone number in E.164 form, in a range that is assigned to nobody; after ten million they repeat."""
        band = _PHONES[self._band]
        self._phones += 1
        multiplier, start = self._cycle("phone", band)
        return f"{PHONE_PREFIX}{band.first + (self._phones * multiplier + start) % band.size:07d}"

    def file_number(self, commune: str) -> str:
        """A residence file number: commune, then a running number there."""
        count = self._given[commune] = self._given.get(commune, 0) + 1
        return f"{commune}-{count:06d}"

    def _next(self, head: str, band: Band) -> int:
        count = self._given.get(head, 0)
        if count >= band.size:
            raise ValueError("all numbers of a province, year and sex are given out")
        self._given[head] = count + 1
        multiplier, start = self._cycle(head, band)
        return band.first + (count * multiplier + start) % band.size

    def _cycle(self, name: str, band: Band) -> tuple[int, int]:
        cycle = self._cycles.get(name)
        if cycle is None:
            digest = blake2b(f"{self._seed}/{name}".encode(), digest_size=16).digest()
            multiplier = int.from_bytes(digest[:8], "little") % band.size
            while gcd(multiplier, band.size) != 1:
                multiplier += 1
            cycle = self._cycles[name] = multiplier, int.from_bytes(digest[8:], "little") % band.size
        return cycle

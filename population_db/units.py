"""Administrative units of Viet Nam: provinces and communes of today, and what stood before July 2025.

Read once from the text files in `data/`, then immutable. Codes are text: 2 digits for a province, 5 for a
commune (Decision 19/2025/QĐ-TTg), 3 for one of the 63 old provinces, as in numbers. The code of a province
and the old code of the same name differ for seven provinces, so one is never made from the other.

Does not know who lives where, and never guesses an old address's new one: communes were split.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import TypeVar

from population_db.spelling import plain


class UnknownUnit(ValueError):
    """No unit has this code (on this day)."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as the law names it from `valid_from` until the day before `valid_to` (None: in force)."""

    code: str
    kind: str
    """tỉnh, thành phố; xã, phường, đặc khu; before July 2025 also thị trấn."""
    name: str
    """Without the kind: "Hà Nội", "Ba Đình"."""
    valid_from: date
    valid_to: date | None

    @property
    def full_name(self) -> str:
        """With the kind, as in addresses: "Thành phố Hà Nội", "Phường Ba Đình"."""
        kind = self.kind[0].upper() + self.kind[1:]
        return self.name if self.name.startswith(kind + " ") else f"{kind} {self.name}"

    def in_force(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


AnyUnit = TypeVar("AnyUnit", bound=Unit)


@dataclass(frozen=True, slots=True)
class Province(Unit):
    """One of the 34; `number_prefixes` are the old provinces it holds, its namesake first."""

    number_prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Commune(Unit):
    """One of the 3,321 (xã, phường, đặc khu); 245 of their names repeat, so show the province with it."""

    province_code: str


@dataclass(frozen=True, slots=True)
class OldProvince:
    """One of the 63 provinces until July 2025."""

    prefix: str
    kind: str
    name: str
    successor: str

    @property
    def full_name(self) -> str:
        return f"{self.kind[0].upper()}{self.kind[1:]} {self.name}"


@dataclass(frozen=True, slots=True)
class OldCommune:
    """A commune until July 2025, for reading and writing old addresses of three tiers."""

    code: str
    kind: str
    name: str
    district: str
    """With its kind: "Quận Ba Đình"."""
    prefix: str
    successors: tuple[str, ...]
    """Communes of today that hold a part of it; empty where not known."""

    @property
    def full_name(self) -> str:
        kind = self.kind[0].upper() + self.kind[1:]
        return self.name if self.name.startswith(kind + " ") else f"{kind} {self.name}"


class Units:
    """All units. `on` is a day; without it, what is in force after the last change in the file."""

    def __init__(
        self,
        provinces: tuple[Province, ...],
        communes: tuple[Commune, ...],
        old_provinces: tuple[OldProvince, ...],
    ) -> None:
        self.provinces = tuple(p for p in provinces if p.valid_to is None)
        """The 34 in force, by code."""
        self.communes = tuple(c for c in communes if c.valid_to is None)
        """The 3,321 in force, by code."""
        self.old_provinces: Mapping[str, OldProvince] = MappingProxyType({p.prefix: p for p in old_provinces})
        self.number_prefixes = frozenset(self.old_provinces)
        """The 63 three-digit codes that numbers begin with, for ever."""
        self._provinces = _by_code(provinces)
        self._communes = _by_code(communes)
        self._communes_of: dict[str, tuple[Commune, ...]] = {p.code: () for p in self.provinces}
        for commune in self.communes:
            self._communes_of[commune.province_code] += (commune,)

    def province(self, code: str, on: date | None = None) -> Province:
        """By two-digit code. UnknownUnit when there is none."""
        return _pick(self._provinces, code, on)

    def commune(self, code: str, on: date | None = None) -> Commune:
        """By five-digit code. UnknownUnit when there is none."""
        return _pick(self._communes, code, on)

    def communes_of(self, province_code: str) -> tuple[Commune, ...]:
        """The communes in force of a province, by code. UnknownUnit when there is no such province."""
        return self._communes_of[self.province(province_code).code]

    def province_of_number_prefix(self, prefix: str) -> Province:
        """The province of today that holds an old province: "024" (Bắc Giang) is Bắc Ninh, 24.

        Where a birth was registered, never where somebody lives. UnknownUnit for countries and others.
        """
        old = self.old_provinces.get(prefix)
        if old is None:
            raise UnknownUnit("no province has this number prefix")
        return self.province(old.successor)

    def find_provinces(self, text: str) -> tuple[Province, ...]:
        """Provinces in force of this name, with or without kind and accents."""
        return tuple(p for p in self.provinces if _named(p, text))

    def find_communes(self, text: str, province_code: str | None = None) -> tuple[Commune, ...]:
        """Communes in force of this name, with or without kind and accents; exact accents come first."""
        among = self.communes if province_code is None else self.communes_of(province_code)
        found = [c for c in among if _named(c, text)]
        return tuple(sorted(found, key=lambda c: (text.casefold() not in _spellings(c), c.code)))


@lru_cache(maxsize=1)
def units() -> Units:
    """The units of the files in `data/`, read at the first call (a few hundredths of a second)."""
    old = tuple(
        OldProvince(row["prefix"], row["kind"], row["name"], row["successor"])
        for row in read_table("provinces_before_2025_07.csv")
    )
    provinces = tuple(
        Province(row["code"], row["kind"], row["name"], *_validity(row), _prefixes(row, old))
        for row in read_table("provinces.csv")
    )
    communes = tuple(
        Commune(row["code"], row["kind"], row["name"], *_validity(row), row["province"])
        for row in read_table("communes.csv")
    )
    return Units(provinces, communes, old)


@lru_cache(maxsize=1)
def old_communes() -> tuple[OldCommune, ...]:
    """Some 10,000 communes until July 2025, by code; read at the first call."""
    return tuple(
        OldCommune(
            row["code"],
            row["kind"],
            row["name"],
            row["district"],
            row["province"],
            tuple(row["successors"].split()),
        )
        for row in read_table("communes_before_2025_07.csv")
    )


def read_table(name: str, folder: str = "data") -> Iterator[dict[str, str]]:
    """The rows of a data file of this package: CSV with `#` lines on source and licence at its head."""
    with files("population_db").joinpath(folder, name).open(encoding="utf-8") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))


@lru_cache(maxsize=16_384)
def _folded(text: str) -> str:
    return " ".join(plain(word) for word in text.replace("'", "").split())


def _named(unit: Unit, text: str) -> bool:
    return _folded(text) in (_folded(unit.name), _folded(unit.full_name))


def _spellings(unit: Unit) -> tuple[str, str]:
    return unit.name.casefold(), unit.full_name.casefold()


def _validity(row: dict[str, str]) -> tuple[date, date | None]:
    until = row["valid_to"]
    return date.fromisoformat(row["valid_from"]), date.fromisoformat(until) if until else None


def _prefixes(row: dict[str, str], old: tuple[OldProvince, ...]) -> tuple[str, ...]:
    held = [p for p in old if p.successor == row["code"]]
    return tuple(p.prefix for p in sorted(held, key=lambda p: (p.name != row["name"], p.prefix)))


def _by_code(rows: tuple[AnyUnit, ...]) -> dict[str, list[AnyUnit]]:
    found: dict[str, list[AnyUnit]] = {}
    for row in rows:
        found.setdefault(row.code, []).append(row)
    return found


def _pick(by_code: dict[str, list[AnyUnit]], code: str, on: date | None) -> AnyUnit:
    for unit in reversed(by_code.get(code, ())):
        if unit.in_force(on) if on else unit.valid_to is None:
            return unit
    raise UnknownUnit("no unit has this code" + (" on this day" if on else ""))

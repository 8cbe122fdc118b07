"""Where synthetic people come from and live: real units, invented house numbers.

A place is a commune of today together with one of the communes it was made of, so that who was born before
July 2025 has an address of three tiers and a number prefix that fit it.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from population_db.synthetic.draw import Draw, Weighted
from population_db.units import Commune, OldCommune, Units, old_communes, read_table, units

TWO_TIERS_FROM = date(2025, 7, 1).toordinal()
_SHARE_OF_KIND = {"phường": 25, "thị trấn": 15, "xã": 10}
_ISLAND_SHARE = 3

_STREETS = (
    "Trần Hưng Đạo",
    "Lê Lợi",
    "Nguyễn Huệ",
    "Hai Bà Trưng",
    "Lý Thường Kiệt",
    "Quang Trung",
    "Nguyễn Trãi",
    "Phan Đình Phùng",
    "Lê Hồng Phong",
    "Hùng Vương",
    "Nguyễn Du",
    "Bà Triệu",
    "Ngô Quyền",
    "Đinh Tiên Hoàng",
    "Phan Bội Châu",
    "Võ Thị Sáu",
    "Nguyễn Thị Minh Khai",
    "Điện Biên Phủ",
    "Cách Mạng Tháng Tám",
    "30 Tháng 4",
)
_HAMLETS = {"north": ("Thôn", "Xóm"), "centre": ("Thôn", "Xóm"), "south": ("Ấp", "Ấp")}
_QUARTERS = {"north": "Tổ dân phố", "centre": "Tổ dân phố", "south": "Khu phố"}
_HIGHLAND = frozenset("002 004 006 008 010 011 012 014 015 020 017".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Place:
    """A commune of today and the commune it was there before."""

    commune: str
    commune_name: str
    province: str
    province_name: str
    prefix: str
    old_text: str
    """Three tiers, as written until July 2025."""
    new_text: str
    """Two tiers, as written since."""
    region: str
    urban: bool

    def text(self, day: int) -> str:
        """As a paper of that day writes it."""
        return self.new_text if day >= TWO_TIERS_FROM else self.old_text


@dataclass(frozen=True, slots=True)
class Places:
    """All places, with the odds of living there and of moving there."""

    provinces: Weighted[str]
    movers: Weighted[str]
    of_province: dict[str, Weighted[Place]]
    of_commune: dict[str, tuple[Place, ...]]

    def home(self, draw: Draw) -> Place:
        """Where a family is from."""
        return draw.weighted(self.of_province[draw.weighted(self.provinces)])

    def elsewhere(self, draw: Draw) -> Place:
        """Where somebody moves for work: to the big cities mostly."""
        return draw.weighted(self.of_province[draw.weighted(self.movers)])

    def near(self, draw: Draw, place: Place) -> Place:
        """Another place in the same province."""
        return draw.weighted(self.of_province[place.province])


def street(draw: Draw, place: Place) -> str:
    """The first part of an address: house and street, or hamlet."""
    if place.urban:
        if draw.chance(6500):
            return f"Số {draw.between(1, 480)}, đường {draw.pick(_STREETS)}"
        return f"{_QUARTERS[place.region]} {draw.between(1, 24)}"
    if place.prefix in _HIGHLAND and draw.chance(7000):
        return f"Bản {draw.between(1, 14)}"
    return f"{draw.pick(_HAMLETS[place.region])} {draw.between(1, 16)}"


@lru_cache(maxsize=1)
def places() -> Places:
    """Read and join the unit files, once."""
    known = units()
    rows = {row["code"]: row for row in read_table("provinces.csv", "synthetic/data")}
    old_of: dict[str, list[OldCommune]] = defaultdict(list)
    for old in old_communes():
        for code in old.successors:
            old_of[code].append(old)
    of_province: dict[str, list[tuple[Place, int]]] = defaultdict(list)
    of_commune: dict[str, tuple[Place, ...]] = {}
    for commune in known.communes:
        made = _places_of(known, commune, old_of[commune.code], rows[commune.province_code]["region"])
        of_commune[commune.code] = tuple(place for place, _ in made)
        of_province[commune.province_code].extend(made)
    return Places(
        Weighted((code, int(row["thousands"])) for code, row in rows.items()),
        Weighted((code, int(row["movers"])) for code, row in rows.items()),
        {code: Weighted(pairs) for code, pairs in of_province.items()},
        of_commune,
    )


def _places_of(known: Units, commune: Commune, before: list[OldCommune], region: str) -> list[tuple[Place, int]]:
    province = known.province(commune.province_code)
    common = (commune.code, commune.full_name, province.code, province.full_name)
    urban = commune.kind == "phường"
    new_text = f"{commune.full_name}, {province.full_name}"
    if not before:
        return [(Place(*common, province.number_prefixes[0], new_text, new_text, region, urban), 10)]
    made = []
    for old in before:
        old_province = known.old_provinces[old.prefix]
        text = f"{old.full_name}, {old.district}, {old_province.full_name}"
        share = _ISLAND_SHARE if commune.kind == "đặc khu" else _SHARE_OF_KIND[old.kind]
        made.append((Place(*common, old.prefix, text, new_text, region, urban), share))
    return made

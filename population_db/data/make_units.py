"""Writes the unit files of this folder again from a wheel of `vietnam-provinces`.

For whoever brings the units up to date; the service never runs it and does not depend on the package:

    pip download --no-deps --python-version 3.12 --only-binary=:all: vietnam-provinces
    python population_db/data/make_units.py vietnam_provinces-*.whl 2026-11-22

The second argument is the day of retrieval. What the law changed and the package does not yet have stands
below, each with its resolution.
"""

import csv
import importlib
import sys
from collections import Counter
from pathlib import Path
from typing import Any, TextIO

from population_db.spelling import law_tones

FOLDER = Path(__file__).parent
TWO_TIERS_FROM = "2025-07-01"
"""Resolution 202/2025/QH15, Decision 19/2025/QĐ-TTg: 34 provinces, no districts."""
CITIES_FROM = {"75": "2026-04-30", "22": "2026-09-01", "24": "2026-09-20"}
"""Provinces that became cities: Đồng Nai (resolution 30/2026/QH16), Quảng Ninh (36/2026/QH16), Bắc Ninh
(39/2026/QH16). The package's lookup names them as cities, its JSON files not yet; neither has the dates."""
WARDS_FROM = {
    # Resolution 237/NQ-UBTVQH16: ten communes of Đồng Nai.
    **dict.fromkeys(
        ("25270", "25357", "25363", "26116", "26170", "26248", "26326", "26368", "26425", "26485"),
        "2026-04-30",
    ),
    # Resolution 388/NQ-UBTVQH16: twelve communes of Bắc Ninh.
    **dict.fromkeys(
        ("07294", "07375", "07399", "07444", "07840", "09193"),
        "2026-09-20",
    ),
    **dict.fromkeys(
        ("09292", "09313", "09319", "09454", "09475", "09496"),
        "2026-09-20",
    ),
}
"""Communes (xã) that became wards (phường); the package does not have these changes."""
OLD_NAMES = {"046": "Thừa Thiên Huế"}
"""The package has the city of Huế (from 2025-01-01); numbers and papers were given by the province."""

LICENCE = """\
Names, kinds and codes of administrative units are facts set by law (Decision 19/2025/QĐ-TTg and the
# resolutions named); laws and figures are outside copyright (Law on Intellectual Property of Viet Nam, art.
# 15). The package they were read from is GPL-3.0-or-later; none of its code is used or shipped."""


def main(wheel: str, retrieved: str) -> None:
    sys.path.insert(0, wheel)
    package = importlib.import_module("vietnam_provinces")
    source = f"PyPI vietnam-provinces {package.__version__}, its data of {package.__data_version__}"
    lookup = importlib.import_module("vietnam_provinces._lookup")
    legacy = importlib.import_module("vietnam_provinces.legacy._lookup")
    successors = importlib.import_module("vietnam_provinces._ward_conversion_2025").OLD_TO_NEW
    successor = _successors(successors)

    with _open("provinces.csv") as file:
        _head(file, "The 34 provinces and cities since July 2025.", source, retrieved, CORRECTED_PROVINCES)
        _rows(file, ["code", "kind", "name", "valid_from", "valid_to"], _provinces(lookup))
    with _open("communes.csv") as file:
        _head(file, "The 3,321 communes since July 2025.", source, retrieved, CORRECTED_COMMUNES)
        _rows(file, ["code", "kind", "name", "province", "valid_from", "valid_to"], _communes(lookup))
    with _open("provinces_before_2025_07.csv") as file:
        _head(
            file,
            "The 63 provinces until July 2025: the first three digits of numbers.",
            source,
            retrieved,
            OLD,
        )
        rows = (
            (
                f"{code:03d}",
                "tỉnh" if f"{code:03d}" in OLD_NAMES else _kind(old),
                OLD_NAMES.get(f"{code:03d}") or _bare(old.name),
                f"{successor[code]:02d}",
            )
            for code, old in sorted(legacy.PROVINCE_MAPPING.items())
        )
        _rows(file, ["prefix", "kind", "name", "successor"], rows)
    with _open("communes_before_2025_07.csv") as file:
        _head(
            file,
            "Communes and districts until July 2025, for old addresses.",
            source,
            retrieved,
            OLD_COMMUNES,
        )
        _rows(
            file,
            ["code", "kind", "name", "district", "province", "successors"],
            _old_communes(legacy, successors),
        )


CORRECTED_PROVINCES = """\
Added here: from when Đồng Nai (2026-04-30, resolution 30/2026/QH16), Quảng Ninh (2026-09-01, 36/2026/QH16)
# and Bắc Ninh (2026-09-20, 39/2026/QH16) are cities: nine cities and 25 provinces. valid_to is exclusive; an
# empty one means in force."""
CORRECTED_COMMUNES = """\
Corrected here: ten wards of Đồng Nai since 2026-04-30 (237/NQ-UBTVQH16) and twelve of Bắc Ninh since
# 2026-09-20 (388/NQ-UBTVQH16), which the package still has as communes: 2,599 xã, 709 phường, 13 đặc khu, as
# the National Statistics Office counts them; tone marks as in the law's texts (Hòa, not Hoà); a plain
# apostrophe in Ea H'Leo and the like. Compared code by code with the open data set
# thanglequoc/vietnamese-provinces-database (MIT) of July 2026: the same but for Ba Chẽ, 06978 there, a slip
# that the data set mended later. valid_to is exclusive; an empty one means in force."""
OLD = """\
Corrected here: 046 is named Thừa Thiên Huế, as it was when numbers were given; it was a city of the name
# Huế from 2025-01-01. successor: the province of today that holds it."""
OLD_COMMUNES = """\
The last state before the reform, as the package has it. successors: the communes of today that hold a part,
# many to many; empty where the package does not know. Not complete: a place missing here can have existed."""


def _successors(moved: Any) -> dict[int, int]:
    """Old province → the province of today that holds most of its communes (some at a border went elsewhere)."""
    pairs = Counter(
        (entry.old_ward.province_code, new.province_code) for entry in moved.values() for new in entry.new_wards
    )
    return {old: new for (old, new), _ in reversed(pairs.most_common())}


def _provinces(lookup: Any) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for code, unit in sorted(lookup.PROVINCE_MAPPING.items()):
        name, key = _bare(unit.name), f"{code:02d}"
        if since := CITIES_FROM.get(key):
            rows.append((key, "tỉnh", name, TWO_TIERS_FROM, since))
            rows.append((key, "thành phố", name, since, ""))
        else:
            rows.append((key, _kind(unit), name, TWO_TIERS_FROM, ""))
    return rows


def _communes(lookup: Any) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for code, unit in sorted(lookup.WARD_MAPPING.items()):
        name, key, province = _bare(unit.name), f"{code:05d}", f"{int(unit.province_code):02d}"
        if since := WARDS_FROM.get(key):
            rows.append((key, "xã", name, province, TWO_TIERS_FROM, since))
            rows.append((key, "phường", name, province, since, ""))
        else:
            rows.append((key, _kind(unit), name, province, TWO_TIERS_FROM, ""))
    return rows


def _old_communes(legacy: Any, successors: Any) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for code, unit in sorted(legacy.WARD_MAPPING.items()):
        district = legacy.DISTRICT_MAPPING[int(unit.district_code)]
        moved = successors.get(code)
        rows.append(
            (
                f"{code:05d}",
                _kind(unit),
                _bare(unit.name),
                _spelled(district.name),
                f"{int(district.province_code):03d}",
                " ".join(f"{new.code:05d}" for new in moved.new_wards) if moved else "",
            )
        )
    return rows


KINDS = ("thành phố", "thị trấn", "đặc khu", "phường", "tỉnh", "xã")


def _kind(unit: Any) -> str:
    return next(kind for kind in KINDS if unit.name.lower().startswith(kind + " "))


def _bare(full_name: str) -> str:
    kind = next(kind for kind in KINDS if full_name.lower().startswith(kind + " "))
    rest = full_name[len(kind) + 1 :]
    return _spelled(full_name if rest.isdigit() else rest)


def _spelled(name: str) -> str:
    return law_tones(name.replace("’", "'"))


def _open(name: str) -> TextIO:
    return (FOLDER / name).open("w", encoding="utf-8", newline="\n")


def _head(file: TextIO, title: str, source: str, retrieved: str, corrected: str) -> None:
    file.write(f"# {title}\n# Source: {source}; retrieved {retrieved}.\n# {corrected}\n# {LICENCE}\n")


def _rows(file: TextIO, head: list[str], rows: Any) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    written = sum(1 for row in rows if writer.writerow(row))
    sys.stdout.write(f"{Path(file.name).name}: {written} rows\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

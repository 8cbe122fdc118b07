"""The generator: the same bytes for ever, and rows that an import takes."""

import io
import json
import os
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from population_db.generate import generate, generate_file, rows
from population_db.names import same_name
from population_db.numbers import check_against, parse_number
from population_db.partial_dates import PartialDate
from population_db.synthetic.draw import Draw, Weighted
from population_db.synthetic.numbering import GENERATED, NEIGHBOURS, PERSONAS, PHONE_PREFIX, Band, Numbering
from population_db.units import units

GOLDEN = "076b2ce15ea63b5a95a700b627571b16e9ae9ba139d20f1dc6e2e213d8349a38"
"""SHA-256 of `--people 2000 --seed 1`. A change here changes everybody's test data: say so in the changelog."""


def _bytes(people: int, seed: int) -> bytes:
    out = io.BytesIO()
    assert generate(people, seed, out) == people
    return out.getvalue()


def test_the_golden_file() -> None:
    assert sha256(_bytes(2_000, 1)).hexdigest() == GOLDEN


def test_the_same_bytes_whatever_the_hash_seed_and_process() -> None:
    here = _bytes(300, 5)
    for hash_seed in ("0", "4711"):
        script = "import sys; from population_db.generate import generate; generate(300, 5, sys.stdout.buffer)"
        made = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "America/Lima", "LC_ALL": "C"},
            cwd=Path(__file__).parents[3],
            check=True,
            capture_output=True,
        )
        assert made.stdout == here


def test_seeds_give_different_people() -> None:
    assert _bytes(50, 1) != _bytes(50, 2)


@pytest.mark.parametrize("people", [0, 1, 2, 17, 333])
def test_exactly_so_many(people: int) -> None:
    lines = _bytes(people, 9).splitlines()
    assert len(lines) == people
    assert len({json.loads(line)["number"] for line in lines}) == people


def test_json_is_plain() -> None:
    for line in _bytes(100, 3).decode().splitlines():
        assert json.dumps(json.loads(line), ensure_ascii=False, separators=(",", ":")) == line


def test_a_file_appears_whole_and_progress_is_told(tmp_path: Path) -> None:
    out, told = tmp_path / "people.jsonl", list[int]()
    assert generate_file(1_500, 1, out, told.append) == 1_500
    assert told == [1_000, 1_500]
    assert len(out.read_bytes().splitlines()) == 1_500
    assert [p.name for p in tmp_path.iterdir()] == ["people.jsonl"]


def test_a_stopped_run_leaves_no_file(tmp_path: Path) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_file(1_500, 1, tmp_path / "people.jsonl", stop)
    assert list(tmp_path.iterdir()) == []


def test_a_negative_number_of_people() -> None:
    with pytest.raises(ValueError):
        generate(-1, 1, io.BytesIO())


def test_every_row_is_marked_and_reaches_nobody() -> None:
    for row in rows(2_000, 4):
        assert row["test_note"] == "synthetic"
        assert row.get("phone", PHONE_PREFIX).startswith(PHONE_PREFIX)
        assert row.get("email", ".example").endswith(".example")


def test_numbers_fit_birth_and_sex_and_nobody_shares_one() -> None:
    numbers = Counter[str]()
    for row in rows(5_000, 6):
        number = parse_number(row["number"])
        assert check_against(number, PartialDate.parse(row["birth_date"]), row["sex"]) == []
        numbers.update([number.digits, *(former["number"] for former in row.get("former_numbers", ()))])
    assert max(numbers.values()) == 1


def test_a_mover_s_number_keeps_the_province_of_birth() -> None:
    moved = 0
    for row in rows(3_000, 1):
        if row["number"].startswith("999"):
            continue
        born = units().province_of_number_prefix(row["number"][:3])
        assert born.code == row["birth_registration_place"]["province"]
        moved += born.code != row.get("permanent_residence", {}).get("province", born.code)
    assert moved > 150


def test_old_places_are_written_as_then() -> None:
    for row in rows(1_000, 8):
        if row["number"].startswith("999"):
            continue
        commas = row["birth_place"]["text"].count(",")
        assert commas in ((1,) if row["birth_date"] >= "2025-07-01" else (1, 2))
        if "permanent_residence" in row:
            place = row["permanent_residence"]
            assert units().commune(place["commune"]).province_code == place["province"]
            assert place["text"].endswith(f"{place['commune_name']}, {place['province_name']}")


def test_the_population_looks_like_one() -> None:
    population = list(rows(20_000, 1))
    alive = [row for row in population if row["life_status"] == "alive"]
    ages = [2026 - int(row["birth_date"][:4]) for row in alive]
    assert 0.19 < sum(age < 15 for age in ages) / len(ages) < 0.27
    assert 0.06 < sum(age >= 65 for age in ages) / len(ages) < 0.12
    assert 0.48 < sum(row["sex"] == "female" for row in alive) / len(alive) < 0.52
    surnames = Counter(row["full_name"].split()[0] for row in alive)
    assert [name for name, _ in surnames.most_common(4)] == ["Nguyễn", "Trần", "Lê", "Phạm"]
    assert 0.22 < surnames["Nguyễn"] / len(alive) < 0.34
    assert 0.75 < sum(row["ethnicity"] == "Kinh" for row in alive) / len(alive) < 0.92
    assert {row["permanent_residence"]["province"] for row in alive if "permanent_residence" in row} == {
        p.code for p in units().provinces
    }
    assert 2.9 < len(alive) / len({row["household"] for row in alive if "household" in row}) < 3.9


def test_the_odd_cases_are_there() -> None:
    population = list(rows(20_000, 1))
    assert {row["life_status"] for row in population} == {"alive", "dead", "missing", "renounced"}
    assert sum(len(row["birth_date"]) < 10 for row in population) > 200
    for field in (
        "former_numbers",
        "other_name",
        "temporary_residence",
        "temporary_absence",
        "representative",
        "represented",
        "blood_group",
    ):
        assert sum(field in row for row in population) > 20, field
    names = [row["full_name"] for row in population]
    assert any("\u00d0" in name for name in names)
    assert any(name.startswith("H'") for name in names)
    assert any(" A " in name for name in names)
    assert any(len(row.get("old_id_numbers", ())) == 2 for row in population)
    assert any(row["number"].startswith("999") for row in population)
    assert any(row.get("spouse", {}).get("nationality", "VN") != "VN" for row in population)
    twins = [
        (a, b)
        for a, b in pairwise(population)
        if a.get("mother") == b.get("mother") and a["birth_date"] == b["birth_date"] and len(a["birth_date"]) == 10
    ]
    assert twins
    assert any(not same_name(a["full_name"], b["full_name"]) for a, b in twins)


def test_draws_are_fixed_for_ever() -> None:
    draw = Draw(1, "test")
    assert [draw.below(1000) for _ in range(5)] == [338, 330, 509, 332, 87]
    assert Draw(1, "test").below(1000) != Draw(2, "test").below(1000)


def test_weights_are_kept() -> None:
    draw, choice = Draw(1, "weights"), Weighted([("a", 1), ("b", 3), ("never", 0)])
    seen = Counter(draw.weighted(choice) for _ in range(4_000))
    assert set(seen) == {"a", "b"}
    assert 2_850 < seen["b"] < 3_150


def test_a_band_is_run_through_once() -> None:
    small = Numbering(1, Band(7, 30))
    given = [small.number("001", 1990, "male") for _ in range(30)]
    assert sorted(int(number[6:]) for number in given) == list(range(7, 37))
    with pytest.raises(ValueError):
        small.number("001", 1990, "male")


def test_bands_do_not_touch() -> None:
    bands = sorted((GENERATED, NEIGHBOURS, PERSONAS), key=lambda band: band.first)
    assert bands[0].first == 0
    assert [b.first + b.size for b in bands] == [bands[1].first, bands[2].first, 1_000_000]

"""Families and households of synthetic populations hold together, whatever the seed."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from population_db.generate import rows
from population_db.partial_dates import PartialDate
from population_db.relations import RELATIONS
from population_db.synthetic.personas import sandbox_population

Row = dict[str, Any]

slow = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _year(row: Row) -> int:
    return int(row["birth_date"][:4])


def _age(row: Row) -> int:
    return 2026 - _year(row)


def _check(population: list[Row]) -> None:
    by_number = {row["number"]: row for row in population}
    _check_families(population, by_number)
    _check_households(population, by_number)
    _check_dates(population)


def _check_families(population: list[Row], by_number: dict[str, Row]) -> None:
    for row in population:
        for role, sex in (("father", "male"), ("mother", "female")):
            parent = row.get(role)
            if parent is None or "number" not in parent:
                continue
            listed = by_number[parent["number"]]
            assert listed["sex"] == sex
            assert listed["full_name"] == parent["full_name"]
            assert 15 <= _year(row) - _year(listed) <= 70
            assert row["number"] in [child.get("number") for child in listed["children"]]
        for child in row.get("children", ()):
            if "number" in child:
                listed = by_number[child["number"]]
                role = "father" if row["sex"] == "male" else "mother"
                assert listed[role]["number"] == row["number"]
                assert (listed["full_name"], listed["birth_date"]) == (child["full_name"], child["birth_date"])
        spouse = row.get("spouse")
        if spouse is not None and "number" in spouse:
            other = by_number[spouse["number"]]
            assert other["sex"] != row["sex"]
            if other["life_status"] != "dead" and row["life_status"] != "dead":
                assert other["spouse"]["number"] == row["number"]
                assert other["marital_status"] == row["marital_status"] == "married"
        if row["marital_status"] in ("single", "widowed", "divorced"):
            assert spouse is None
        ward = row.get("representative")
        if ward is not None:
            assert row["number"] in [one["number"] for one in by_number[ward["number"]]["represented"]]
            assert _age(by_number[ward["number"]]) >= 18
        for one in row.get("represented", ()):
            assert by_number[one["number"]]["representative"]["number"] == row["number"]


def _check_households(population: list[Row], by_number: dict[str, Row]) -> None:
    for row in population:
        if "household" not in row:
            assert row["life_status"] != "alive"
            continue
        assert row["life_status"] == "alive"
        members = row["household_members"]
        assert members[0]["number"] == row["household_head"]["number"]
        assert [m["relation"] for m in members].count("head") == 1
        assert {m["relation"] for m in members} <= RELATIONS.keys()
        assert row["relation_to_head"] == next(m["relation"] for m in members if m["number"] == row["number"])
        head = by_number[row["household_head"]["number"]]
        assert _age(head) >= 18
        for member in members:
            other = by_number[member["number"]]
            assert other["household"] == row["household"]
            assert other["household_members"] == members
            assert other["full_name"] == member["full_name"]
            assert other["residence_file_number"] == row["residence_file_number"]
            assert other["permanent_residence"]["text"] == row["permanent_residence"]["text"]
        if row["relation_to_head"] in ("wife", "husband"):
            assert head["spouse"]["number"] == row["number"]
        if row["relation_to_head"] == "child":
            assert head["number"] in (row.get("father", {}).get("number"), row.get("mother", {}).get("number"))


def _check_dates(population: list[Row]) -> None:
    for row in population:
        born = PartialDate.parse(row["birth_date"]).earliest().isoformat()
        for day in (row.get("death_date"), row.get("card", {}).get("issued_on")):
            assert day is None or born < day <= "2026-11-01"
        assert ("death_date" in row) == (row["life_status"] in ("dead", "missing"))
        if _age(row) < 18 and row["life_status"] == "alive":
            cared = [row.get(role, {}).get("number") for role in ("father", "mother", "representative")]
            assert any(cared)
        for source in row["sources"].values():
            assert born <= source["as_of"] <= "2026-11-01"
        for home in ("permanent_residence", "temporary_residence", "current_residence"):
            if home in row:
                assert born < row[home]["since"] <= row["sources"]["residence"]["as_of"]


@slow
@given(st.integers(0, 2**31))
def test_generated_people_hold_together(seed: int) -> None:
    _check(list(rows(250, seed)))


def test_a_large_population_holds_together() -> None:
    _check(list(rows(8_000, 1)))


def test_the_sandbox_holds_together() -> None:
    _check(sandbox_population())

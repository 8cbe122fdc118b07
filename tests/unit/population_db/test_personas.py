"""The personas: a contract with whoever builds against the sandbox."""

import json

from population_db.synthetic.personas import NEIGHBOUR_COUNT, PERSONAS, persona, personas, sandbox_population

ROWS = {row["number"]: row for row in personas()}


def _row(key: str) -> dict[str, object]:
    return ROWS[persona(key).number]


def test_keys_and_numbers_are_single() -> None:
    assert len({p.key for p in PERSONAS}) == len({p.number for p in PERSONAS}) == len(PERSONAS)
    assert all(p.number in ROWS and ROWS[p.number]["full_name"] == p.full_name for p in PERSONAS)
    assert all(p.key.isalnum() and p.key.isascii() for p in PERSONAS)
    assert all(vi and en for p in PERSONAS for vi, en in [p.special])


def test_they_are_always_the_same() -> None:
    assert json.dumps(personas()) == json.dumps(personas())


def test_only_the_living_and_grown_have_accounts() -> None:
    for one in PERSONAS:
        row = ROWS[one.number]
        if row["life_status"] != "alive" or str(row["birth_date"]) > "2012-11":
            assert one.level == 0
        assert not one.has_totp or one.level == 2


def test_an_and_her_family() -> None:
    an, binh, khoi = _row("An"), _row("Binh"), _row("Khoi")
    assert an["spouse"] == {"full_name": "Trần Quốc Bình", "number": binh["number"], "nationality": "VN"}
    assert [child["number"] for child in an["children"]] == [khoi["number"], "001323990101"]  # type: ignore[attr-defined]
    assert an["household"] == binh["household"] == khoi["household"] == _row("Dung")["household"]
    assert an["mother"]["number"] == persona("Quy").number  # type: ignore[index]
    assert an["father"]["number"] == persona("Phuc").number  # type: ignore[index]
    assert str(an["number"]).startswith("036")
    assert an["permanent_residence"]["province"] == "01"  # type: ignore[index]


def test_what_makes_each_special() -> None:
    assert _row("Dung")["birth_date"] == "1947"
    assert _row("Phuc")["life_status"] == "dead"
    assert _row("Phuc")["death_date"] == "2025-02-18"
    assert "phone" not in _row("Quy")
    assert "contact" not in _row("Quy")["sources"]  # type: ignore[operator]
    assert _row("Giang")["former_numbers"][0]["reason"] == "wrong-sex"  # type: ignore[index]
    assert _row("Hoa")["birth_date"] == _row("Hoa2")["birth_date"]
    assert _row("Lan")["representative"]["number"] == persona("Van").number  # type: ignore[index]
    assert _row("Van")["represented"][0]["number"] == persona("Lan").number  # type: ignore[index]
    assert _row("Uyen")["permanent_residence"]["province"] == "24"  # type: ignore[index]
    assert str(_row("Uyen")["number"]).startswith("024")
    assert _row("Tam")["ethnicity"] == "Ê Đê"
    assert _row("Chau")["current_residence"] == _row("Chau")["temporary_residence"]
    assert "phone" not in _row("Khoi")
    assert "phone" not in _row("Phuc")


def test_the_sandbox_has_neighbours_with_numbers_of_their_own() -> None:
    population = sandbox_population()
    assert len(population) == len(ROWS) + NEIGHBOUR_COUNT
    assert len({row["number"] for row in population}) == len(population)
    phones = [row["phone"] for row in population if "phone" in row]
    assert len(set(phones)) == len(phones)
    assert all(int(row["number"][-6:]) >= 980_000 for row in population)
    assert all(row["test_note"] == "synthetic" for row in population)

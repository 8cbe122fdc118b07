"""Rows of import files: what is taken, what is refused and why, and that the quick way agrees with the plain one."""

import copy
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from population_db.fields import FIELDS
from population_db.generate import rows
from population_db.import_fields import Bad, number
from population_db.import_reasons import REASONS, reason_text
from population_db.import_row import COLUMNS, NESTED, VALUE_CHECKS, CheckedRow, assemble, check_values
from population_db.import_shape import quick_json, quick_mapping
from population_db.numbers import Number

TODAY = date(2026, 11, 2)
HANOI = {"text": "12 phố Huế, Phường Hai Bà Trưng, Thành phố Hà Nội", "province": "01"}
ELSEWHERE = {"text": "12 phố Huế", "province": "79", "commune": "00004"}
ROW: dict[str, Any] = {
    "number": "001190012345",
    "full_name": "Nguyễn Thị Hương",
    "birth_date": "1990-05-17",
    "sex": "female",
    "nationality": "VN",
    "permanent_residence": HANOI,
    "phone": "+84912345678",
    "sources": {
        "civil": {"source": "civil-status", "as_of": "2025-03-01"},
        "residence": {"source": "residence", "as_of": "2025-08-01"},
        "contact": {"source": "self", "as_of": "2025-08-01"},
    },
}


def checked(row: dict[str, Any]) -> CheckedRow:
    return assemble(check_values(row), TODAY)


def with_(**changes: Any) -> dict[str, Any]:
    row = copy.deepcopy(ROW)
    row.update(changes)
    return row


def test_a_row_is_sorted_into_its_groups() -> None:
    row = checked(ROW)
    assert set(row.encoded) == {"civil", "residence", "contact"}
    assert orjson.loads(row.encoded["civil"]) == {
        "full_name": "Nguyễn Thị Hương",
        "birth_date": "1990-05-17",
        "sex": "female",
        "nationality": "VN",
        "personal_number": "001190012345",
        "life_status": "alive",
    }
    assert row.sources["residence"] == ("residence", date(2025, 8, 1))
    assert row.search == [
        ("name-date", "nguyen thi huong|1990-05-17"),
        ("name-year-province", "nguyen thi huong|1990|01"),
    ]


def test_the_same_content_is_the_same_bytes_whatever_the_order() -> None:
    turned = dict(reversed(ROW.items())) | {"permanent_residence": dict(reversed(HANOI.items()))}
    assert checked(turned).encoded == checked(ROW).encoded


def test_every_field_of_the_catalogue_can_be_imported() -> None:
    assert set(VALUE_CHECKS) == set(FIELDS)
    assert NESTED < COLUMNS


def test_printing_a_row_shows_nothing_of_it() -> None:
    shown = repr(checked(with_(household="H1", former_numbers=[{"number": "001290012345"}])))
    assert not any(secret in shown for secret in ("001190012345", "Hương", "huong", "H1", "001290012345", "912"))


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"full_name": '=HYPERLINK("http://x.example","Nguyễn")'}, "formula", "full_name"),
        ({"full_name": "@SUM(A1)"}, "formula", "full_name"),
        ({"full_name": "+Nguyễn An"}, "formula", "full_name"),
        ({"full_name": " =1+1"}, "formula", "full_name"),
        ({"permanent_residence": {"text": "=cmd|' /C calc'!A0"}}, "formula", "permanent_residence"),
        ({"religion": "-2+3"}, "formula", "religion"),
        ({"full_name": "Nguyễn Văn 5"}, "name", "full_name"),
        ({"full_name": "Nguyễn\u200bAn"}, "name", "full_name"),
        ({"full_name": ""}, "name", "full_name"),
        ({"full_name": ["Nguyễn"]}, "not-text", "full_name"),
        ({"full_name": "A" * 151}, "name", "full_name"),
        ({"birth_date": "1990-02-30"}, "date", "birth_date"),
        ({"birth_date": "1990-13"}, "date", "birth_date"),
        ({"birth_date": "2026-12-01", "number": "001326012345"}, "birth-future", "birth_date"),
        ({"sex": "F"}, "not-in-list", "sex"),
        ({"nationality": "Vietnam"}, "nationality", "nationality"),
        ({"number": "00119001234"}, "number", "number"),
        ({"number": "٠٠١١٩٠٠١٢٣٤٥"}, "number", "number"),
        ({"number": "003190012345"}, "number-province", "number"),
        ({"number": 1190012345}, "number", "number"),
        ({"number": None}, "missing", "number"),
        ({"number": "001191012345"}, "number-birth-year", "number"),
        ({"number": "001390012345"}, "number-birth-year", "number"),
        ({"number": "001090012345"}, "number-sex", "number"),
        ({"personal_number": "001190012346"}, "personal-number", "personal_number"),
        ({"former_numbers": [{"number": "001190012345"}]}, "former-number", "former_numbers"),
        ({"former_numbers": [{"number": "001190012346", "reason": "Nguyễn"}]}, "code", "former_numbers"),
        ({"old_id_numbers": ["12345678"]}, "old-id", "old_id_numbers"),
        ({"old_id_numbers": "123456789"}, "not-list", "old_id_numbers"),
        ({"life_status": "dead"}, "death-date", "life_status"),
        ({"death_date": "2020-01-01"}, "death-date", "death_date"),
        ({"life_status": "dead", "death_date": "1980"}, "death-date", "death_date"),
        ({"life_status": "dead", "death_date": "2027"}, "death-date", "death_date"),
        ({"permanent_residence": {"text": "x", "province": "02"}}, "province", "permanent_residence"),
        (
            {"permanent_residence": {"text": "x", "province": "79", "commune": "00004"}},
            "commune-province",
            "permanent_residence",
        ),
        ({"permanent_residence": {"text": "x", "commune": "99999"}}, "commune", "permanent_residence"),
        ({"permanent_residence": {"text": "x", "street": "y"}}, "unknown-member", "permanent_residence"),
        ({"permanent_residence": {"province": "01"}}, "member-missing", "permanent_residence"),
        ({"permanent_residence": "Hà Nội"}, "not-object", "permanent_residence"),
        ({"father": {"full_name": "Lê\x00An"}}, "name", "father"),
        ({"household_members": [{"full_name": "An"}] * 61}, "too-long", "household_members"),
        ({"phone": "0912345678"}, "phone", "phone"),
        ({"email": "a@b"}, "email", "email"),
        ({"residence_file_number": "a\tb"}, "control-character", "residence_file_number"),
        ({"residence_file_number": "x" * 301}, "too-long", "residence_file_number"),
        ({"residence_file_number": "  "}, "empty", "residence_file_number"),
        ({"blood_group": "C"}, "not-in-list", "blood_group"),
        ({"number_status": "lost"}, "not-in-list", "number_status"),
        ({"shoe_size": "42"}, "unknown-field", ""),
        ({"sources": {}}, "source-missing", "civil"),
        ({"ethnicity": "Kinh"}, "source-missing", "sensitive"),
        ({"sources": {"civil": {"source": "Sở Tư pháp", "as_of": "2025-03-01"}}}, "code", "sources"),
        (
            {"sources": ROW["sources"] | {"civil": {"source": "civil-status", "as_of": "2026-11-03"}}},
            "as-of-future",
            "civil",
        ),
        ({"full_name": None}, "missing", "full_name"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason(changes: dict[str, Any], code: str, field: str) -> None:
    row = with_(**changes)
    with pytest.raises(Bad) as refused:
        checked(row)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert reason_text(code, field)
    assert quick_mapping(row) is None or _assembles_to(row, code), "the quick way must not let it in"


def _assembles_to(row: dict[str, Any], code: str) -> bool:
    values = quick_mapping(row)
    assert values is not None
    with pytest.raises(Bad) as refused:
        assemble(values, TODAY)
    return refused.value.code == code


def test_a_row_with_nothing_but_a_number_is_refused() -> None:
    with pytest.raises(Bad, match="empty-row"):
        checked({"number": "001190012345", "sources": {}})


def test_a_cancelled_number_may_contradict_the_record() -> None:
    assert checked(with_(number="001090012345", number_status="cancelled")).number_status == "cancelled"


@pytest.mark.parametrize("birth", ["1990", "1990-05"])
def test_partial_birth_dates_stay_partial(birth: str) -> None:
    row = checked(with_(birth_date=birth))
    assert orjson.loads(row.encoded["civil"])["birth_date"] == birth
    assert row.search[0] == ("name-date", f"nguyen thi huong|{birth}")


def test_names_are_stored_composed_and_with_the_vietnamese_d() -> None:
    decomposed = checked(with_(full_name="Nguye\u0302\u0303n Thi\u0323 Hu\u031bo\u031bng"))
    assert decomposed.encoded == checked(ROW).encoded
    assert "Đinh".encode() in checked(with_(full_name="\u00d0inh Hương")).encoded["civil"]


def test_reasons_repeat_no_value_and_exist_for_every_code() -> None:
    assert all(text and text == text.strip() for text in REASONS.values())


@given(st.from_regex(r"[0-9]{12}", fullmatch=True))
def test_numbers_are_taken_as_the_number_type_takes_them(digits: str) -> None:
    def taken(check: Any) -> bool:
        try:
            check(digits)
        except (ValueError, Bad):
            return False
        return True

    assert taken(number) == taken(Number)


def test_generated_rows_go_the_quick_way_and_say_the_same_there() -> None:
    slow = 0
    for row in rows(600, seed=3):
        plain = assemble(check_values(row), TODAY)
        quick = quick_json(orjson.dumps(row))
        slow += quick is None
        if quick is not None:
            assert assemble(quick, TODAY) == plain
    assert slow < 30


_LETTERS = st.text(st.sampled_from("AaĂăÂâĐđÊêÔôƠơƯưỳỹ Ð='-.0\u0301\u00a0\u200b\n@ạbcz"), max_size=12)
_RELATIVE = st.fixed_dictionaries({}, optional={"full_name": _LETTERS, "birth_date": _LETTERS})
_NUMBER = st.from_regex(r"0[0-9]{11}", fullmatch=True)
_VALUES = {
    "full_name": _LETTERS,
    "other_name": _LETTERS,
    "birth_date": st.from_regex(r"[12][0-9]{3}(-[0-3][0-9](-[0-3][0-9])?)?", fullmatch=True),
    "death_date": st.from_regex(r"(19|20)[0-9]{2}-(02-29|[01][0-9]-3[01])", fullmatch=True),
    "nationality": st.from_regex(r"[A-Za-z]{2}", fullmatch=True),
    "residence_file_number": _LETTERS,
    "phone": st.from_regex(r"\+?[0-9]{6,16}", fullmatch=True),
    "email": st.from_regex(r"[a-z.=]{1,5}@[a-z-]{1,5}\.[a-z]{1,3}", fullmatch=True),
    "permanent_residence": st.fixed_dictionaries({"text": _LETTERS}, optional={"since": _LETTERS, "x": _LETTERS}),
    "children": st.lists(
        st.fixed_dictionaries({}, optional={"full_name": _LETTERS, "birth_date": _LETTERS}), max_size=2
    ),
    "old_id_numbers": st.lists(st.from_regex(r"[0-9]{8,10}", fullmatch=True), max_size=2),
    "sex": st.sampled_from(["male", "female", "x", 1, None]),
}


@given(st.fixed_dictionaries({"number": _NUMBER}, optional=_VALUES))
def test_what_the_quick_way_takes_the_plain_way_takes_unchanged(row: dict[str, Any]) -> None:
    row = {"sources": {}, **row}
    quick = quick_json(orjson.dumps(row))
    assert (quick is None) == (quick_mapping(row) is None)
    if quick is not None:
        assert check_values(row) == quick == row

"""The least answer: what matches, what does not, and that nothing passes unasked."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.minimise import MATCHABLE, match, match_fault, pick
from population_db.api import FIELDS, FieldValue

AS_OF = date(2025, 3, 1)
HELD = {
    code: FieldValue(value, "civil-status", AS_OF)
    for code, value in {
        "full_name": "Võ Thị Hoà",
        "birth_date": "1960-05-17",
        "sex": "female",
        "old_id_numbers": ["012345678"],
        "permanent_residence": {"text": "Số 1", "commune": "00004", "province": "01"},
        "mother": {"full_name": "Lê Thị Quý", "number": "036162990013"},
        "children": [{"full_name": "Trần Minh Khôi", "number": "001220990008"}, {"full_name": "Trần An"}],
        "email": "Hoa@example.vn",
        "blood_group": None,
        "represented": [],
    }.items()
}


def result(code: str, asked: Any) -> str:
    return match(HELD, {code: asked}, {code})[code].result


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        ("full_name", "VÕ THỊ HÒA"),
        ("full_name", "Võ  Thị Hoà"),
        ("birth_date", "1960-05-17"),
        ("birth_date", "17/05/1960"),
        ("sex", "female"),
        ("old_id_numbers", "012345678"),
        ("permanent_residence", {"commune": "00004"}),
        ("permanent_residence", {"commune": "00004", "province": "01"}),
        ("mother", {"number": "036162990013"}),
        ("mother", {"full_name": "Lê Thị Quí"}),
        ("children", {"full_name": "Trần An"}),
        ("children", {"number": "001220990008", "full_name": "Trần Minh Khôi"}),
        ("email", "hoa@example.vn"),
    ],
)
def test_the_same(code: str, asked: Any) -> None:
    assert result(code, asked) == "match"


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        ("full_name", "Võ Thị Hoa"),  # another tone is another name
        ("full_name", "Vo Thi Hoa"),
        ("birth_date", "1960"),
        ("birth_date", "1960-05"),
        ("birth_date", "1960-05-18"),
        ("sex", "male"),
        ("old_id_numbers", "012345679"),
        ("permanent_residence", {"commune": "00007", "province": "01"}),
        ("mother", {"number": "036162990013", "full_name": "Lê Thị An"}),
        ("mother", {"number": "036162990014"}),
        ("children", {"number": "001220990008", "full_name": "Trần An"}),  # two halves of two children
    ],
)
def test_not_the_same(code: str, asked: Any) -> None:
    assert result(code, asked) == "no-match"


@pytest.mark.parametrize(
    ("code", "asked"), [("blood_group", "A"), ("religion", "Phật giáo"), ("represented", {"full_name": "An"})]
)
def test_nothing_held_is_neither_yes_nor_no(code: str, asked: Any) -> None:
    given = match(HELD, {code: asked}, {code})[code]
    assert (given.result, given.source, given.as_of) == ("not-held", None, None)


def test_source_and_day_come_along() -> None:
    given = match(HELD, {"sex": "male"}, {"sex"})["sex"]
    assert (given.source, given.as_of) == ("civil-status", AS_OF)


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        ("full_name", ""),
        ("full_name", "An 2"),
        ("full_name", ["An"]),
        ("birth_date", "yesterday"),
        ("birth_date", "1960-02-30"),
        ("birth_date", 1960),
        ("permanent_residence", "Số 1"),
        ("permanent_residence", {}),
        ("permanent_residence", {"text": "Số 1"}),
        ("permanent_residence", {"commune": 4}),
        ("mother", {"nationality": "VN"}),
        ("mother", {"full_name": "=1+1"}),
        ("sex", None),
        ("card", {"issued_on": "2021-01-01"}),
        ("temporary_absence", "x"),
    ],
)
def test_an_unfit_value_is_refused_without_repeating_it(code: str, asked: Any) -> None:
    fault = match_fault(code, asked)
    assert fault is not None
    assert not asked or str(asked) not in fault
    with pytest.raises(ValueError, match=code):
        match(HELD, {code: asked}, {code})


def test_what_can_be_matched_is_in_the_catalogue() -> None:
    assert FIELDS.keys() >= MATCHABLE


CODES = st.lists(st.sampled_from(sorted(FIELDS)), unique=True)


@given(asked=CODES, allowed=CODES, held=CODES)
def test_nothing_passes_that_is_not_asked_and_allowed_and_held(
    asked: list[str], allowed: list[str], held: list[str]
) -> None:
    record = {code: FieldValue("x", "test", AS_OF) for code in held}
    given = pick(record, asked, allowed)
    assert set(given) == set(asked) & set(allowed) & set(held)
    assert list(given) == [code for code in asked if code in given]


@given(asked=CODES, allowed=CODES)
def test_no_match_is_told_of_a_field_that_is_not_allowed(asked: list[str], allowed: list[str]) -> None:
    values = {code: "female" for code in asked if code == "sex"}
    assert set(match(HELD, values, allowed)) == set(values) & set(allowed)

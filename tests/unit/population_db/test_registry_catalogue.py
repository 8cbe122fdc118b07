"""The catalogue of fields, and what the registry's objects show when they are printed."""

import uuid
from datetime import date

import pytest

from population_db.api import FIELDS, GROUPS, FieldValue, PersonRef, Record, codes_of, groups_of

LAW_ART_9 = 33
"""Fields of ours for the 26 items of Law 26/2023/QH15 art. 9; some items hold several."""


def test_every_field_has_a_group_and_labels_in_both_languages() -> None:
    assert len(FIELDS) == LAW_ART_9
    for code, spec in FIELDS.items():
        assert spec.code == code
        assert spec.group in GROUPS
        assert spec.label_vi
        assert spec.label_en
        assert spec.label_vi != spec.label_en
    assert len({spec.label_vi for spec in FIELDS.values()}) == len(FIELDS)
    assert len({spec.label_en for spec in FIELDS.values()}) == len(FIELDS)


def test_sensitive_is_what_the_decree_lists() -> None:
    assert {code for code, spec in FIELDS.items() if spec.sensitive} == {"ethnicity", "religion", "blood_group"}


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        FIELDS["shoe_size"] = FIELDS["sex"]  # type: ignore[index]


def test_groups_of_names_each_group_once_in_order() -> None:
    assert groups_of(["phone", "sex", "email", "birth_date"]) == ("civil", "contact")
    assert groups_of([]) == ()
    with pytest.raises(ValueError, match="shoe_size"):
        groups_of(["sex", "shoe_size"])


def test_codes_of_a_group() -> None:
    assert codes_of("contact") == ("phone", "email")
    assert sum(len(codes_of(group)) for group in GROUPS) == len(FIELDS)


def test_a_printed_record_shows_no_value() -> None:
    value = FieldValue("Nguyễn Thị Hương", "civil-status", date(2025, 3, 1))
    record = Record(uuid.UUID(int=1), "alive", 1, {"full_name": value})
    assert "Hương" not in f"{record} {record!r} {value} {value!r}"
    assert record.get("full_name") == "Nguyễn Thị Hương"
    assert record.get("phone") is None


@pytest.mark.parametrize(
    ("status", "current", "allowed"),
    [("alive", True, True), ("alive", False, False), ("dead", True, False), ("missing", True, False)],
)
def test_only_the_living_sign_in_and_only_with_the_number_of_today(status: str, current: bool, allowed: bool) -> None:
    number_status = "active" if current else "cancelled"
    assert PersonRef(uuid.UUID(int=1), status, number_status, current, 1).may_sign_in is allowed

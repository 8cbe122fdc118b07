"""Values of the record in words: coded values translated, numbers of others masked, nothing invented."""

from typing import Any

import pytest

from population_db.present import present


def upper(text: str) -> str:
    return text.upper()


@pytest.mark.parametrize(
    ("code", "value", "lines"),
    [
        ("birth_date", "1990-09-02", ["02/09/1990"]),
        ("birth_date", "1947", ["1947"]),
        ("birth_date", "1962-05", ["05/1962"]),
        ("sex", "female", ["FEMALE"]),
        ("marital_status", "widowed", ["WIDOWED"]),
        ("phone", "+84912345678", ["0912 345 678"]),
        ("nationality", "VN", ["VIET NAM"]),
        ("relation_to_head", "wife", ["WIFE"]),
        ("full_name", "Nguyễn Thị An", ["Nguyễn Thị An"]),
        ("father", {"full_name": "Nguyễn Văn Phúc", "number": "036060990012"}, ["Nguyễn Văn Phúc · 0360*****012"]),
        (
            "household_members",
            [{"full_name": "A", "relation": "head"}, {"full_name": "B", "relation": "lodger"}],
            ["A · HEAD OF HOUSEHOLD", "B · LODGER"],
        ),
        (
            "permanent_residence",
            {"text": "Số 15", "commune_name": "Phường Cầu Giấy", "province_name": "Thành phố Hà Nội"},
            ["Số 15, Phường Cầu Giấy, Thành phố Hà Nội"],
        ),
        ("old_id_numbers", ["166359555"], ["166359555"]),
        ("email", None, []),
        ("children", [], []),
    ],
)
def test_lines(code: str, value: Any, lines: list[str]) -> None:
    assert present(code, value, upper) == lines

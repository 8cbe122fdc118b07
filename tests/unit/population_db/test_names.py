"""Names: what is stored, what is the same, what comes first."""

import unicodedata

import pytest

from population_db.names import MAX_LENGTH, fold, normalise, same_name, sort_key, split
from population_db.spelling import law_tones


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("Nguyễn Văn A", "Nguyễn Văn A"),
        ("  Nguyễn   Văn \u00a0A ", "Nguyễn Văn A"),
        (unicodedata.normalize("NFD", "Đặng Thị Hường"), "Đặng Thị Hường"),
        ("\u00d0ỗ Quang", "Đỗ Quang"),
        ("\u0189ỗ Quang", "Đỗ Quang"),
        ("H\u2019Hen Niê", "H'Hen Niê"),
        ("ĐOÀN THỊ ĐIỂM", "ĐOÀN THỊ ĐIỂM"),
        ("Hoà", "Hoà"),
        ("Lê\u2013Văn", "Lê-Văn"),
        ("Anna-Lena O'Brien Jr.", "Anna-Lena O'Brien Jr."),
        ("Y Moan Ênuôl", "Y Moan Ênuôl"),
        ("Bliă Kƀuôr", "Bliă Kƀuôr"),
    ],
)
def test_the_legal_form_is_kept(given: str, stored: str) -> None:
    assert normalise(given) == stored


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "   ",
        "Nguyễn Văn 2",
        "Nguyễn Văn \u0662",
        "Nguyễn\tVăn A",
        "Nguyễn\nVăn A",
        "Nguyễn\u200bVăn A",
        "Nguyễn \u202eVăn A",
        "\x00",
        '=HYPERLINK("http://x")',
        "-An",
        "'An",
        "@An",
        "An;B",
        "<b>An</b>",
        "Нгуен",
        "Nguyễn V\u0430n",
        "阮文",
        "A" * (MAX_LENGTH + 1),
        "A" * 100_000,
    ],
)
def test_what_is_no_name_is_refused_without_repeating_it(bad: str) -> None:
    with pytest.raises(ValueError) as refused:
        normalise(bad)
    assert len(bad.strip()) < 4 or bad.strip() not in str(refused.value)
    assert len(str(refused.value)) < 80


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Nguyễn Thị Hoà", "Nguyễn Thị Hòa"),
        ("NGUYỄN THỊ THUÝ", "nguyễn thị thúy"),
        ("Lí Thị Mĩ", "Lý Thị Mỹ"),
        ("Đỗ Quí", "Đỗ Quý"),
        ("Qúy", "Quý"),
        ("\u00d0ỗ An", "Đỗ An"),
        ("H\u2019Hen Niê", "H'hen NIÊ"),
        (unicodedata.normalize("NFD", "Hường"), "Hường"),
    ],
)
def test_one_name_in_two_spellings(a: str, b: str) -> None:
    assert same_name(a, b)
    assert fold(a) == fold(b)
    assert sort_key(a) == sort_key(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Hoa", "Hòa"),
        ("Hoa", "Hoà"),
        ("Hồng", "Hông"),
        ("Đào", "Dao"),
        ("Vi", "Vy"),
        ("Thủy", "Thúy"),
        ("Nguyễn Văn An", "Nguyễn An"),
        ("An Nguyễn", "Nguyễn An"),
        ("Ngân", "Ngan"),
    ],
)
def test_every_accent_counts(a: str, b: str) -> None:
    assert not same_name(a, b)


def test_the_search_key_has_no_accents() -> None:
    assert fold("Đặng Thị Hường") == "dang thi huong"
    assert fold("H'Hen Niê") == "hhen nie"
    assert fold("Ưng Hoàng Phúc") == "ung hoang phuc"
    assert fold("nguyen thi ly") == fold("Nguyễn Thị Lí")


def test_order_is_by_given_name_then_family_then_middle() -> None:
    expected = [
        "Đỗ An",
        "Nguyễn Văn An",
        "Nguyễn Xuân An",
        "Trần Bảo An",
        "Lê Thị Ánh",
        "Lê Văn Ân",
        "Dương Ba",
        "Đương Ba",
        "Nguyễn Bà",
        "Nguyễn Bả",
        "Nguyễn Bã",
        "Nguyễn Bá",
        "Nguyễn Bạ",
        "Lê Dung",
        "Lê Đức",
        "Nguyễn Hoa",
        "Nguyễn Hòa",
        "Nguyễn Hoan",
        "Lê Ô",
        "Lê Ơn",
        "Phạm Quý",
        "Phạm Ưng",
    ]
    keys = [sort_key(name) for name in expected]
    assert sorted(keys) == keys
    assert all(key.isascii() for key in keys)


def test_highland_names_sort_by_their_given_name() -> None:
    assert split("Y Moan Ênuôl") == (["Moan"], ["Ênuôl"], ["Y"])
    assert split("H'Hen Niê Kđăm") == (["Hen"], ["Niê", "Kđăm"], [])
    assert split("Giàng A Páo") == (["Páo"], ["Giàng"], ["A"])
    assert split("Thút") == (["Thút"], [], [])


def test_the_law_s_place_of_the_tone() -> None:
    assert law_tones("Thanh Hoá") == "Thanh Hóa"
    assert law_tones("Lệ Thuỷ") == "Lệ Thủy"
    assert law_tones("Hoè Khoẻ") == "Hòe Khỏe"
    for right in ("Quý", "Hoàn Kiếm", "Quỳnh", "Thủy", "Ô Chợ Dừa", "Hà Giang"):
        assert law_tones(right) == right

"""Units against the figures of the law: 34 provinces, 3,321 communes, 63 old codes."""

from collections import Counter
from datetime import date

import pytest

from population_db.spelling import law_tones
from population_db.units import UnknownUnit, old_communes, units

# Communes per province: Decision 19/2025/QĐ-TTg, unchanged in number since.
COMMUNES = {
    **{"01": 126, "04": 56, "08": 124, "11": 45, "12": 38, "14": 75, "15": 99, "19": 92, "20": 65},
    **{"22": 54, "24": 99, "25": 148, "31": 114, "33": 104, "37": 129, "38": 166, "40": 130, "42": 69},
    **{"44": 78, "46": 40, "48": 94, "51": 96, "52": 135, "56": 65, "66": 102, "68": 124, "75": 95},
    **{"79": 168, "80": 96, "82": 102, "86": 124, "91": 102, "92": 103, "96": 64},
}
# New province → old number prefixes, its namesake first (Resolution 202/2025/QH15).
PREFIXES = {
    **{"01": "001", "04": "004", "08": "008 002", "11": "011", "12": "012", "14": "014", "15": "010 015"},
    **{"19": "019 006", "20": "020", "22": "022", "24": "027 024", "25": "025 017 026", "31": "031 030"},
    **{"33": "033 034", "37": "037 035 036", "38": "038", "40": "040", "42": "042", "44": "045 044"},
    **{"46": "046", "48": "048 049", "51": "051 062", "52": "064 052", "56": "056 058", "66": "066 054"},
    **{"68": "068 060 067", "75": "075 070", "79": "079 074 077", "80": "072 080", "82": "087 082"},
    **{"86": "086 083 084", "91": "089 091", "92": "092 093 094", "96": "096 095"},
}
CITIES = {"01", "22", "24", "31", "46", "48", "75", "79", "92"}


def test_each_province_has_its_communes() -> None:
    known = units()
    assert {p.code: len(known.communes_of(p.code)) for p in known.provinces} == COMMUNES
    assert len(known.communes) == sum(COMMUNES.values()) == 3_321


def test_kinds_are_counted_as_the_statistics_office_counts_them_since_september_2026() -> None:
    known = units()
    assert Counter(c.kind for c in known.communes) == {"xã": 2_599, "phường": 709, "đặc khu": 13}
    assert {p.code for p in known.provinces if p.kind == "thành phố"} == CITIES
    assert Counter(p.kind for p in known.provinces) == {"tỉnh": 25, "thành phố": 9}


@pytest.mark.parametrize(
    ("day", "cities", "xã", "phường"),
    [
        (date(2025, 7, 1), 6, 2_621, 687),
        (date(2026, 4, 29), 6, 2_621, 687),
        (date(2026, 4, 30), 7, 2_611, 697),
        (date(2026, 9, 1), 8, 2_611, 697),
        (date(2026, 9, 20), 9, 2_599, 709),
    ],
)
def test_units_as_of_a_day(day: date, cities: int, xã: int, phường: int) -> None:
    known = units()
    kinds = Counter(known.province(p.code, day).kind for p in known.provinces)
    communes = Counter(known.commune(c.code, day).kind for c in known.communes)
    assert kinds["thành phố"] == cities
    assert (communes["xã"], communes["phường"], communes["đặc khu"]) == (xã, phường, 13)


def test_đồng_nai_became_a_city() -> None:
    known = units()
    assert known.province("75", date(2026, 4, 29)).full_name == "Tỉnh Đồng Nai"
    assert known.province("75", date(2026, 4, 30)).full_name == "Thành phố Đồng Nai"
    assert known.commune("26248", date(2026, 1, 1)).full_name == "Xã Trảng Bom"
    assert known.commune("26248").full_name == "Phường Trảng Bom"


def test_no_unit_before_the_reform() -> None:
    with pytest.raises(UnknownUnit):
        units().province("01", date(2025, 6, 30))


def test_old_codes() -> None:
    known = units()
    assert {p.code: " ".join(p.number_prefixes) for p in known.provinces} == PREFIXES
    assert len(known.number_prefixes) == 63
    assert known.province_of_number_prefix("024").full_name == "Thành phố Bắc Ninh"
    assert known.old_provinces["024"].full_name == "Tỉnh Bắc Giang"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("15", "Lào Cai"),
        ("24", "Bắc Ninh"),
        ("44", "Quảng Trị"),
        ("52", "Gia Lai"),
        ("80", "Tây Ninh"),
        ("82", "Đồng Tháp"),
        ("91", "An Giang"),
    ],
)
def test_a_new_code_is_not_the_old_one_padded(code: str, name: str) -> None:
    known = units()
    assert known.province(code).name == name
    assert known.old_provinces[f"0{code}"].name != name
    assert known.old_provinces[known.province(code).number_prefixes[0]].name == name


@pytest.mark.parametrize("code", ["00", "99", "1", "", "001"])
def test_unknown_codes(code: str) -> None:
    known = units()
    for look in (known.province, known.communes_of, known.commune):
        with pytest.raises(UnknownUnit):
            look(code)
    with pytest.raises(UnknownUnit):
        known.province_of_number_prefix("999")


def test_spelling_is_the_law_s() -> None:
    known = units()
    assert known.province("38").name == "Thanh Hóa"
    assert known.province("56").name == "Khánh Hòa"
    names = [c.name for c in known.communes] + [old.name for old in old_communes()]
    assert [name for name in names if law_tones(name) != name or "’" in name] == []
    assert known.commune("24184").full_name == "Xã Ea H'Leo"
    assert known.commune("13396").full_name == "Phường Nguyễn Úy"


def test_codes_have_their_shape_and_belong_to_a_province() -> None:
    known = units()
    assert all(len(p.code) == 2 and p.code.isdigit() for p in known.provinces)
    assert all(len(c.code) == 5 and c.code.isdigit() for c in known.communes)
    assert len({c.code for c in known.communes}) == 3_321
    assert all(known.province(c.province_code) for c in known.communes)


def test_names_find_units_with_and_without_accents() -> None:
    known = units()
    assert [p.code for p in known.find_provinces("thanh hoa")] == ["38"]
    assert [p.code for p in known.find_provinces("Thành phố Huế")] == ["46"]
    assert len({c.province_code for c in known.find_communes("Tân Tiến")}) > 3
    assert known.find_communes("Cầu Giấy", "01")[0].code == "00166"
    assert known.find_communes("Tân Hòa")[0].name == "Tân Hòa"


def test_an_old_commune_lies_in_the_province_that_took_its_province() -> None:
    known = units()
    assert len(old_communes()) > 10_000
    for old in old_communes():
        for code in old.successors:
            assert known.commune(code).province_code == known.old_provinces[old.prefix].successor
    first = old_communes()[0]
    assert (first.full_name, first.district) == ("Phường Phúc Xá", "Quận Ba Đình")
    assert "Phường Phường" not in " ".join(old.full_name for old in old_communes())


def test_units_are_read_once() -> None:
    assert units() is units()

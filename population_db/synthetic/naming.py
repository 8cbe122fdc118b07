"""Names of synthetic people, by sex, cohort, region and ethnic group.

Families keep their name: children take the father's, among Ê Đê, Gia Rai and Chu Ru the mother's. The forms of
the Central Highlands and the mountains break the pattern họ - đệm - tên on purpose: software must bear them.
"""

from functools import lru_cache
from typing import NamedTuple

from population_db.numbers import Sex
from population_db.synthetic.draw import Draw, Weighted
from population_db.units import read_table

_COHORTS = ("until_1960", "until_1990", "later")
_REGIONS = ("north", "centre", "south")

FEMALE = "H'"
"""Before the names of women among Ê Đê, Gia Rai and others."""

_MONG = ("Páo", "Dế", "Sính", "Chu", "Lử", "Pó", "Mỷ", "Máy", "Dua", "Chía", "Sùng", "Vảng", "Tủa", "Dinh", "Phử")
_EDE = ("Hen", "Moan", "Nuê", "Bliă", "Bhiăn", "Thuyên", "Krih", "Wơn", "Djuang", "Yuôn", "Ruê", "Tlăm", "Sương")
_JARAI = ("Nhun", "Krung", "Phiang", "Bơm", "Thim", "Hlek", "Nghin", "Byơm", "Tuyn", "Hyui", "Thoai", "Djoanh")
_BANA = ("Thút", "Blết", "Nhêr", "Biu", "Chuh", "Ngưh", "Hyưm", "Dêr", "Klinh", "Lăng", "Thăm", "Khưu")
_KOHO = ("Brếp", "Hiền", "Tuyên", "Brôih", "Să", "Lý", "Thơm", "Broi", "Dơm", "Sáu", "Wẹ", "Nhung")
_KHMER = ("Sa Phol", "Sóc Kha", "Chanh Đa", "Rót Tha", "Sô Phi", "Ni Ra", "Pho Ly", "Đa Ra", "Hel", "Som", "Na Rinh")


class Group(NamedTuple):
    """An ethnic group: how names are formed, and its family names (empty: as Kinh people)."""

    style: str
    families: tuple[str, ...]


class Naming(NamedTuple):
    """The tables, read once."""

    surnames: dict[str, Weighted[str]]
    given: dict[tuple[str, str], Weighted[str]]
    after_family: dict[tuple[str, str], Weighted[str]]
    """Middle words and given name together: what follows the family name."""
    groups: dict[str, Group]
    group_names: tuple[str, ...]
    groups_of_area: dict[str, Weighted[str]]


@lru_cache(maxsize=1)
def naming() -> Naming:
    """Read the tables in `synthetic/data`, once."""
    surnames = list(_table("surnames.csv"))
    given = list(_table("given_names.csv"))
    middle = list(_table("middle_names.csv"))
    groups = {
        row["name"]: Group(row["style"], tuple(f for f in row["families"].split("|") if f))
        for row in _table("ethnic_groups.csv")
    }
    return Naming(
        {region: Weighted((row["name"], int(row[region])) for row in surnames) for region in _REGIONS},
        {(s, c): Weighted((r["name"], int(r[c])) for r in given if r["sex"] == s) for s, c in _keys()},
        {key: _after_family(middle, given, *key) for key in _keys()},
        groups,
        tuple(groups),
        {row["prefix"]: _shares(row["shares"]) for row in _table("ethnicity_by_area.csv")},
    )


ANYWHERE = 30
"""In 10,000 people this many are of any of the 54 groups, wherever they are."""


def ethnicity(draw: Draw, prefix: str) -> str:
    """The ethnic group of a family in the area of an old province."""
    tables = naming()
    if draw.chance(ANYWHERE):
        return draw.pick(tables.group_names)
    area = tables.groups_of_area.get(prefix)
    return draw.weighted(area) if area else "Kinh"


def family_name(draw: Draw, ethnic: str, region: str) -> str:
    """A family or clan name; empty for groups whose people have none."""
    tables = naming()
    group = tables.groups[ethnic]
    if group.style in ("bana", "koho", "churu", "stieng"):
        return ""
    if group.families and not (ethnic != "Kinh" and draw.chance(300)):
        return draw.pick(group.families)
    return draw.weighted(tables.surnames[region])


def inherited(ethnic: str, father: str, mother: str) -> str:
    """The family name children get: the father's, or the mother's where descent goes by the mother."""
    style = naming().groups[ethnic].style
    return mother if style in ("ede", "jarai") else father or mother


def full_name(draw: Draw, ethnic: str, family: str, sex: Sex, birth_year: int) -> str:
    """A whole name in its legal form."""
    style = naming().groups[ethnic].style
    male = sex == "male"
    modern = birth_year >= 1980 and draw.chance(3500)
    if style == "kinh" or (modern and family):
        return _kinh(draw, family, sex, birth_year)
    if style == "mong":
        return f"{family} {'A' if male else 'Thị'} {draw.pick(_MONG)}"
    if style == "ede":
        return f"{'Y ' if male else FEMALE}{draw.pick(_EDE)} {family}"
    if style == "jarai":
        return f"{family} {'' if male else FEMALE}{draw.pick(_JARAI)}"
    if style == "bana":
        return f"{'A' if male else 'Y'} {draw.pick(_BANA)}"
    if style == "koho":
        return f"K'{draw.pick(_KOHO)}" if male else f"Ka {draw.pick(_KOHO)}"
    if style == "churu":
        return f"{'Ya' if male else 'Ma'} {draw.pick(_KOHO)}"
    if style == "stieng":
        return f"{'Điểu' if male else 'Thị'} {draw.pick(_KOHO)}"
    return f"{family}{'' if male else ' Thị'} {draw.pick(_KHMER)}"


def twin_name(draw: Draw, name: str, sex: Sex, birth_year: int) -> str:
    """A twin's name: the same but for the last word."""
    given = naming().given[sex, _cohort(birth_year)]
    head = name.rsplit(" ", 1)[0]
    while (twin := f"{head} {draw.weighted(given)}") == name:
        continue
    return twin


def _kinh(draw: Draw, family: str, sex: Sex, birth_year: int) -> str:
    return f"{family} {draw.weighted(naming().after_family[sex, _cohort(birth_year)])}"


def _after_family(middle: list[dict[str, str]], given: list[dict[str, str]], sex: str, cohort: str) -> Weighted[str]:
    pairs = []
    for before in middle:
        for last in given:
            if before["sex"] == last["sex"] == sex:
                alone = before["name"] == "-" or before["name"].endswith(last["name"])
                words = last["name"] if alone else f"{before['name']} {last['name']}"
                pairs.append((words, int(before[cohort]) * int(last[cohort])))
    return Weighted(pairs)


def _cohort(birth_year: int) -> str:
    return _COHORTS[0] if birth_year <= 1960 else _COHORTS[1] if birth_year <= 1990 else _COHORTS[2]


def _keys() -> list[tuple[str, str]]:
    return [(sex, cohort) for sex in ("male", "female") for cohort in _COHORTS]


def _shares(text: str) -> Weighted[str]:
    shares = [(part.rsplit(" ", 1)[0], int(part.rsplit(" ", 1)[1])) for part in text.split("|")]
    return Weighted([("Kinh", 1000 - sum(share for _, share in shares)), *shares])


def _table(name: str) -> list[dict[str, str]]:
    return list(read_table(name, "synthetic/data"))

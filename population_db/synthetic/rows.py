"""A synthetic person as a row of an import file: field by field, in the catalogue's order."""

from datetime import date
from functools import lru_cache
from typing import Any

from population_db.names import fold
from population_db.synthetic import rates
from population_db.synthetic.draw import Draw, Weighted
from population_db.synthetic.numbering import Numbering
from population_db.synthetic.person import AS_OF, AS_OF_DAY, Household, Person
from population_db.synthetic.places import TWO_TIERS_FROM, Place, places, street

Row = dict[str, Any]
TEST_NOTE = "synthetic"
ABROAD_PREFIX = "999"
"""For births registered abroad: the list of country codes was not found, so this one is made up."""

_CARDS_FROM = date(2021, 3, 1).toordinal()
_POLICE_UNTIL = date(2024, 7, 1).toordinal()
_RENEWAL_AGES = (14, 25, 40, 60)
_FAMILY = frozenset(("father", "mother", "spouse", "children", "representative", "represented"))
_BLOOD = Weighted([("O", 42), ("B", 30), ("A", 21), ("AB", 7)])
_REASONS = ("wrong-birth-date", "wrong-sex", "duplicate")
_ABROAD = ("Seoul, Hàn Quốc", "Berlin, Cộng hòa Liên bang Đức", "Đài Bắc", "California, Hoa Kỳ", "Tokyo, Nhật Bản")
_NICKNAMES = ("Bé", "Tí", "Cu Tèo", "Bảy", "Út", "Sáu Nhỏ", "Thầy Tư", "Nguyễn Văn Ba")
_ABSENCES = ("học tập", "lao động ở nước ngoài", "thực hiện nghĩa vụ quân sự", "chữa bệnh")


def give_numbers(draw: Draw, person: Person, numbering: Numbering) -> None:
    """The person's number, by where and when the birth was registered; before any row names it."""
    prefix = person.birth_place.prefix
    if draw.chance(rates.BORN_ABROAD):
        person.extra["birth_place"] = {"text": draw.pick(_ABROAD)}
        prefix = ABROAD_PREFIX
    person.number = numbering.number(prefix, person.birth_year, person.sex)
    if draw.chance(rates.FORMER_NUMBER):
        reason = draw.pick(_REASONS)
        year = person.birth_year + (draw.pick((-1, 1)) if reason == "wrong-birth-date" else 0)
        other: Any = "female" if person.sex == "male" else "male"
        number = numbering.number(prefix, min(year, AS_OF.year), other if reason == "wrong-sex" else person.sex)
        cancelled = _iso(max(person.born + 20, AS_OF_DAY - draw.between(200, 3500)))
        person.extra["former_numbers"] = [{"number": number, "cancelled_on": cancelled, "reason": reason}]


def row_of(draw: Draw, person: Person, numbering: Numbering) -> Row:
    """The row. Members that do not apply are left out."""
    row: Row = {"number": person.number, "number_status": "active"}
    _civil(draw, person, row)
    _family(person, row)
    _residence(draw, person, row)
    _contact(draw, person, row, numbering)
    _sensitive(draw, person, row)
    row.update(person.extra)
    if person.household is not None:
        row["household"] = person.household.key
    row["sources"] = _sources(draw, person, row)
    row["test_note"] = TEST_NOTE
    return row


def relative(person: Person) -> Row:
    """A person as named in another's row."""
    named: Row = {"full_name": person.name}
    if person.number:
        named["number"] = person.number
    named["nationality"] = person.nationality
    return named


def address(place: Place, house: str, since: int) -> Row:
    """A place of residence in the form of the field catalogue."""
    return {
        "text": f"{house}, {place.new_text}",
        "commune": place.commune,
        "commune_name": place.commune_name,
        "province": place.province,
        "province_name": place.province_name,
        "since": _iso(since),
    }


def members(household: Household) -> list[Row]:
    """The members of a household, head first, the same list in every member's row."""
    if not household.member_rows:
        household.member_rows = [
            {"full_name": person.name, "number": person.number, "relation": relation}
            for person, relation in zip(household.members, household.relations, strict=True)
        ]
    return household.member_rows


def _civil(draw: Draw, person: Person, row: Row) -> None:
    row["full_name"] = person.name
    if person.age > 40 and draw.chance(rates.OTHER_NAME):
        row["other_name"] = draw.pick(_NICKNAMES)
    row["birth_date"] = person.birth_text
    row["sex"] = person.sex
    row["nationality"] = person.nationality
    born_at = {"text": person.birth_place.text(person.born), "province": person.birth_place.province}
    row["birth_place"] = born_at
    row["birth_registration_place"] = born_at
    row["home_village"] = {"text": person.origin.text(person.born), "province": person.origin.province}
    row["personal_number"] = person.number
    if person.birth_year <= 2002 and draw.chance(rates.OLD_ID):
        count = 2 if draw.chance(rates.TWO_OLD_IDS) else 1
        row["old_id_numbers"] = [f"{draw.below(39):02d}{draw.digits(7)}" for _ in range(count)]
    if card := _card(draw, person):
        row["card"] = card
    row["marital_status"] = person.marital
    row["life_status"] = person.life
    if person.died is not None:
        row["death_date"] = _iso(person.died)


def _card(draw: Draw, person: Person) -> Row | None:
    first = max(_CARDS_FROM, person.born + 14 * 1461 // 4 + 5)
    last = min(AS_OF_DAY, person.died or AS_OF_DAY) - 1
    if first >= last:
        return None
    issued = draw.between(first, last)
    police = issued < _POLICE_UNTIL
    card: Row = {
        "issued_on": _iso(issued),
        "issued_by": "Cục Cảnh sát quản lý hành chính về trật tự xã hội" if police else "Bộ Công an",
    }
    age = (issued - person.born) * 4 // 1461
    until = next((limit for limit in _RENEWAL_AGES if limit > age + 2), None)
    if until is not None:
        card["expires_on"] = _iso(person.born + until * 1461 // 4)
    return card


def _family(person: Person, row: Row) -> None:
    for name, other in (("father", person.father), ("mother", person.mother), ("spouse", person.spouse)):
        if other is not None:
            row[name] = relative(other)
    if person.children:
        row["children"] = [
            {"full_name": c.name, **({"number": c.number} if c.number else {}), "birth_date": c.birth_text}
            for c in person.children
        ]
    if person.representative is not None:
        row["representative"] = relative(person.representative)
    if person.represented:
        row["represented"] = [
            {"full_name": p.name, "number": p.number, "birth_date": p.birth_text} for p in person.represented
        ]


def _residence(draw: Draw, person: Person, row: Row) -> None:
    household = person.household
    if household is None:
        return
    since = min(max(household.since, person.born + 20), AS_OF_DAY - 1)
    permanent = address(household.place, household.street, since)
    row["permanent_residence"] = permanent
    if 18 <= person.age <= 35 and person is not household.head and draw.chance(rates.TEMPORARY_RESIDENCE):
        there = places().elsewhere(draw)
        since = AS_OF_DAY - draw.between(20, 700)
        row["temporary_residence"] = row["current_residence"] = address(there, street(draw, there), since)
    else:
        row["current_residence"] = permanent
        if person.age >= 18 and draw.chance(rates.TEMPORARY_ABSENCE):
            begun = AS_OF_DAY - draw.between(5, 300)
            reason = draw.pick(_ABSENCES)
            row["temporary_absence"] = {"from": _iso(begun), "to": _iso(begun + 365), "reason": reason}
    row["residence_file_number"] = household.file_number
    row["household_head"] = {
        "full_name": household.head.name,
        "number": household.head.number,
        "relation_to_head": "head",
    }
    row["household_members"] = members(household)
    row["relation_to_head"] = household.relations[household.members.index(person)]


def _contact(draw: Draw, person: Person, row: Row, numbering: Numbering) -> None:
    if person.age < 14 or person.life != "alive":
        return
    if draw.chance(rates.PHONE if person.age < 65 else rates.PHONE_OLD):
        row["phone"] = numbering.phone()
    if person.age < 65 and draw.chance(rates.EMAIL):
        words = fold(person.name).split(" ")
        row["email"] = f"{words[-1]}.{words[0]}{draw.digits(4)}@{draw.pick(('thu', 'hop-thu', 'mail'))}.example"


def _sensitive(draw: Draw, person: Person, row: Row) -> None:
    row["ethnicity"] = person.ethnicity
    if person.household is not None:
        row["religion"] = person.household.religion
    if draw.chance(rates.BLOOD_KNOWN):
        row["blood_group"] = draw.weighted(_BLOOD)


def _sources(draw: Draw, person: Person, row: Row) -> Row:
    newest = AS_OF_DAY - 1
    registered = min(max(_CARDS_FROM, person.born + 30, person.died or 0), newest)
    as_of = _iso(draw.between(registered, newest))
    sources: Row = {"civil": {"source": "civil-status", "as_of": as_of}}
    if not _FAMILY.isdisjoint(row):
        sources["family"] = {"source": "civil-status", "as_of": as_of}
    if "permanent_residence" in row:
        # Dates of one form compare as text.
        known = _iso(draw.between(TWO_TIERS_FROM, newest))
        known = max(known, row["current_residence"]["since"], row["permanent_residence"]["since"])
        sources["residence"] = {"source": "residence", "as_of": known}
    if "phone" in row or "email" in row:
        first = min(max(_CARDS_FROM, person.born + 14 * 366), newest)
        sources["contact"] = {"source": "self", "as_of": _iso(draw.between(first, newest))}
    sources["sensitive"] = {"source": "police-archive" if person.age >= 14 else "civil-status", "as_of": as_of}
    return sources


@lru_cache(maxsize=65_536)
def _iso(day: int) -> str:
    return date.fromordinal(day).isoformat()

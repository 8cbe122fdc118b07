"""The families behind the personas: who is whose child, who lives with whom. One method, one family."""

from collections.abc import Mapping
from datetime import date

from population_db.numbers import Sex
from population_db.synthetic.numbering import PHONE_PREFIX
from population_db.synthetic.person import Household, Person
from population_db.synthetic.places import Place, places
from population_db.synthetic.rows import address
from population_db.synthetic.settle import relation

_FIRST_PHONE = 9_900_000
"""The personas' own part of the range; see numbering."""
COMMUNES = {
    "hanoi": "00166",
    "namdinh": "14167",
    "haiduong": "10543",
    "tamky": "20341",
    "saigon": "26977",
    "bentre": "28861",
    "nghean": "16939",
    "daklak": "24184",
    "bacgiang": "07840",
}


def play(parts: Mapping[str, tuple[str, str]]) -> list[Person]:
    """All people of the cast. parts: persona's key → number and full name."""
    cast = _Cast(parts)
    cast.an_and_binh()
    cast.parents_of_an()
    cast.lan_and_van()
    cast.twins()
    cast.others()
    return cast.people


class _Cast:
    def __init__(self, parts: Mapping[str, tuple[str, str]]) -> None:
        self.people: list[Person] = []
        self._parts = parts
        self._files = 0

    def an_and_binh(self) -> None:
        hanoi, home = self._place("hanoi"), self._place("namdinh")
        an = self._persona("An", "Nguyễn", "female", "1990-09-02", home, marital="married")
        binh = self._persona("Binh", "Trần", "male", "1988-03-14", hanoi, marital="married")
        dung = self._persona("Dung", "Bùi", "female", "1947", hanoi, marital="widowed")
        khoi = self._persona("Khoi", "Trần", "male", "2020-05-20", hanoi)
        my = self._made("001323990101", "Trần Gia My", "Trần", "female", "2023-01-11", hanoi)
        an.spouse, binh.spouse = binh, an
        for child in (khoi, my):
            _born_to(child, binh, an)
        _born_to(binh, self._named("Trần Văn Hải", "Trần", "male", 1944, hanoi), dung)
        self._house("Số 15, đường Trần Quốc Vượng", hanoi, date(2018, 6, 1), binh, an, dung, khoi, my)
        an.extra |= {"ethnicity": "Kinh", "religion": "Công giáo", "blood_group": "O"}

    def parents_of_an(self) -> None:
        home = self._place("namdinh")
        phuc = self._persona("Phuc", "Nguyễn", "male", "1960-11-30", home, marital="married")
        phuc.life, phuc.died = "dead", date(2025, 2, 18).toordinal()
        quy = self._persona("Quy", "Lê", "female", "1962-05", home, marital="widowed")
        phuc.spouse = quy
        _born_to(next(p for p in self.people if p.number == self._parts["An"][0]), phuc, quy)
        self._house("Xóm 4", home, date(1989, 2, 10), quy)
        quy.extra |= {"phone": None, "email": None}

    def lan_and_van(self) -> None:
        home = self._place("haiduong")
        lan = self._persona("Lan", "Đặng", "female", "2013-04-15", home)
        van = self._persona("Van", "Đặng", "female", "1970-08-21", home)
        grandfather = self._named("Đặng Đình Thọ", "Đặng", "male", 1940, home)
        father = self._named("Đặng Văn Lâm", "Đặng", "male", 1974, home)
        father.father = van.father = grandfather
        lan.father, lan.mother = father, self._named("Vũ Thị Thoa", "Vũ", "female", 1979, home)
        lan.representative = van
        van.represented = [lan]
        self._house("Tổ dân phố 3", home, date(2001, 9, 15), van, lan)

    def twins(self) -> None:
        home = self._place("tamky")
        mother = self._made("049174990102", "Huỳnh Thị Sáu", "Huỳnh", "female", "1974-02-03", home, marital="widowed")
        father = self._named("Võ Văn Năm", "Võ", "male", 1970, home)
        hoa = self._persona("Hoa", "Võ", "female", "2001-07-07", home)
        hoa2 = self._persona("Hoa2", "Võ", "female", "2001-07-07", home)
        for twin in (hoa, hoa2):
            _born_to(twin, father, mother)
        self._house("Số 42, đường Âu Cơ", home, date(1999, 12, 1), mother, hoa, hoa2)

    def others(self) -> None:
        bentre, saigon, hanoi = self._place("bentre"), self._place("saigon"), self._place("hanoi")
        chau = self._alone("Chau", "Phạm", "female", "2002-12-24", bentre, bentre, "Ấp 2")
        there = address(saigon, "Số 8, đường Cách Mạng Tháng Tám", date(2025, 9, 5).toordinal())
        chau.extra |= {"temporary_residence": there, "current_residence": there}
        giang = self._alone("Giang", "Hoàng", "female", "1985-01-09", saigon, saigon, "Số 101, đường Lê Lợi")
        former = {"number": "079085990005", "cancelled_on": "2023-10-12", "reason": "wrong-sex"}
        giang.extra["former_numbers"] = [former]
        self._alone("Minh", "Đỗ", "male", "1983-04-19", hanoi, hanoi, "Số 7, đường Nguyễn Du")
        self._alone("Nga", "Phan", "female", "1987-10-20", self._place("nghean"), self._place("nghean"), "Xóm 9")
        binhduong = next(p for p in places().of_commune["25951"] if p.prefix == "074")
        self._alone("Son", "Ngô", "male", "1992-06-28", binhduong, saigon, "Số 230, đường Hùng Vương")
        daklak = self._place("daklak")
        tam = self._alone("Tam", "Niê", "female", "1995-03-08", daklak, daklak, "Thôn 6")
        tam.ethnicity = "Ê Đê"
        bacgiang = self._place("bacgiang")
        uyen = self._alone("Uyen", "Lý", "female", "1989-08-17", bacgiang, bacgiang, "Thôn 5")
        uyen.extra["temporary_absence"] = {"from": "2026-09-01", "to": "2027-03-01", "reason": "chữa bệnh"}

    def _place(self, name: str) -> Place:
        return places().of_commune[COMMUNES[name]][0]

    def _persona(self, key: str, family: str, sex: Sex, born: str, place: Place, *, marital: str = "single") -> Person:
        number, name = self._parts[key]
        person = self._made(number, name, family, sex, born, place, marital=marital)
        reachable = person.age >= 14 and key != "Phuc"
        person.extra |= {
            "phone": f"{PHONE_PREFIX}{_FIRST_PHONE + int(number[-4:])}" if reachable else None,
            "email": f"{key.lower()}@ho-so.example" if reachable else None,
            "blood_group": None,
            "other_name": None,
            "temporary_residence": None,
        }
        return person

    def _made(
        self, number: str, name: str, family: str, sex: Sex, born: str, place: Place, *, marital: str = "single"
    ) -> Person:
        day = date.fromisoformat(born if len(born) == 10 else f"{born[:4]}-{born[5:] or '01'}-01")
        person = Person(name, family, sex, day.toordinal(), "Kinh", place, place)
        person.number, person.birth_text, person.marital = number, born, marital
        self.people.append(person)
        return person

    def _named(self, name: str, family: str, sex: Sex, year: int, place: Place) -> Person:
        person = Person(name, family, sex, date(year, 6, 15).toordinal(), "Kinh", place, place)
        person.recorded = False
        return person

    def _alone(self, key: str, family: str, sex: Sex, born: str, origin: Place, home: Place, street: str) -> Person:
        person = self._persona(key, family, sex, born, origin)
        person.father = self._named(f"{family} Văn Ba", family, "male", person.birth_year - 28, origin)
        person.mother = self._named("Trần Thị Tư", "Trần", "female", person.birth_year - 25, origin)
        self._house(street, home, date(2019, 1, 20), person)
        return person

    def _house(self, street: str, place: Place, since: date, *members: Person) -> None:
        self._files += 1
        household = Household(
            f"sandbox-{self._files}",
            place,
            street,
            since.toordinal(),
            f"{place.commune}-{900_000 + self._files}",
            "Không",
        )
        household.members = list(members)
        household.relations = [relation(members[0], person) for person in members]
        for person in members:
            person.household = household


def _born_to(child: Person, father: Person, mother: Person) -> None:
    child.father, child.mother = father, mother
    father.children.append(child)
    mother.children.append(child)

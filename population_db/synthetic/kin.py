"""One kin: a couple, their children, their children's families, and the households they live in.

Everything about a kin comes from its own stream of draws, so a kin can be made without those before it (but
for the running numbers). Relatives by marriage have parents who are known by name only.
"""

import unicodedata
from collections.abc import Sequence

from population_db.numbers import Sex
from population_db.synthetic import life, rates
from population_db.synthetic.draw import Draw
from population_db.synthetic.naming import ethnicity, family_name, full_name, inherited, twin_name
from population_db.synthetic.numbering import Numbering
from population_db.synthetic.person import AS_OF_DAY, Household, Person
from population_db.synthetic.places import Place, Places, places, street
from population_db.synthetic.religion import religion

_FOREIGNERS: tuple[tuple[str, Sex, str], ...] = (
    ("KR", "male", "Kim Min Su"),
    ("KR", "male", "Park Ji Hun"),
    ("TW", "male", "Chen Wei Lun"),
    ("US", "male", "John Michael Carter"),
    ("JP", "male", "Sato Kenji"),
    ("DE", "female", "Anna-Lena Schröder"),
    ("FR", "male", "Jean-Luc O'Brien"),
    ("LA", "female", "Noy Phommachanh"),
)


class Kin:
    """Makes one kin; afterwards `people` are all who are on record and `households` where they live.

    homes: where kins may come from; empty for the whole country.
    """

    def __init__(self, draw: Draw, key: str, numbering: Numbering, homes: Sequence[Place] = ()) -> None:
        self.draw = draw
        self.people: list[Person] = []
        self.households: list[Household] = []
        self._key = key
        self._numbering = numbering
        self._places: Places = places()
        self._homes = homes

    def build(self) -> None:
        """A founding couple (or somebody alone) and all that comes of it."""
        draw = self.draw
        origin = draw.pick(self._homes) if self._homes else self._places.home(draw)
        ethnic = ethnicity(draw, origin.prefix)
        year = min(draw.weighted(life.FOUNDERS) + draw.below(5), life.LAST_FOUNDER_YEAR)
        family = family_name(draw, ethnic, origin.region)
        founder = self.person(family, "male", life.day_in(draw, year), ethnic, origin, origin)
        self._named_parents(founder)
        home = origin if draw.chance(9000) else self._places.elsewhere(draw)
        household = self.household(home, max(founder.born + 20 * 365, AS_OF_DAY - draw.between(400, 14_000)))
        if not draw.chance(rates.FOUNDER_ALONE):
            self.couple(founder, household, deep=0)
        else:
            household.members.append(founder)
        if 1945 <= year <= 1972 and draw.chance(rates.OLD_PARENT_AT_HOME):
            self._old_parent(founder, household)

    def alone(self) -> None:
        """One grown-up living by himself: what fills a file to the exact number of people."""
        draw = self.draw
        origin = self._places.home(draw)
        ethnic = ethnicity(draw, origin.prefix)
        sex: Sex = "male" if draw.chance(5000) else "female"
        born = life.day_in(draw, draw.between(1962, 2003))
        single = self.person(family_name(draw, ethnic, origin.region), sex, born, ethnic, origin, origin)
        self._named_parents(single)
        self.household(self._places.elsewhere(draw), AS_OF_DAY - draw.between(100, 3000)).members.append(single)

    def couple(self, person: Person, household: Household, *, deep: int) -> None:
        """Marry somebody, have children, and follow them."""
        draw = self.draw
        spouse = self._spouse_for(person)
        father, mother = (person, spouse) if person.sex == "male" else (spouse, person)
        household.members += [father, mother]
        parted = spouse.recorded and draw.chance(rates.DIVORCED)
        if parted:
            self._part(father, mother, household)
        children = self._children(father, mother, household)
        staying = deep == 0 and not parted
        for child in children:
            child_age = child.age
            if child_age >= 20 and life.ever_married(draw, child.sex, child_age):
                if staying and draw.chance(rates.MARRIED_CHILD_STAYS):
                    staying = False
                    self.couple(child, household, deep=deep + 1)
                else:
                    self.couple(child, self._new_home(child, household.place), deep=deep + 1)
            elif child_age >= 23 and draw.chance(rates.SINGLE_MOVES_OUT):
                self._new_home(child, household.place).members.append(child)
            else:
                household.members.append(child)

    def household(self, place: Place, since: int) -> Household:
        """A new, empty household."""
        draw = self.draw
        made = Household(
            f"{self._key}-{len(self.households) + 1}",
            place,
            street(draw, place),
            min(since, AS_OF_DAY - 30),
            self._numbering.file_number(place.commune),
            religion(draw, place),
        )
        self.households.append(made)
        return made

    def person(
        self, family: str, sex: Sex, born: int, ethnic: str, origin: Place, birth_place: Place, name: str = ""
    ) -> Person:
        """Somebody on record."""
        draw = self.draw
        name = name or full_name(draw, ethnic, family, sex, life.year_of(born))
        if draw.chance(rates.ODD_LETTERS):
            # A decomposed name, or one with Icelandic Eth: legacy systems send both.
            name = unicodedata.normalize("NFD", name) if draw.chance(5000) else name.replace("Đ", "\u00d0")
        made = Person(name, family, sex, born, ethnic, origin, birth_place)
        made.birth_text = life.birth_text(draw, born)
        self.people.append(made)
        return made

    def _children(self, father: Person, mother: Person, household: Household) -> list[Person]:
        draw = self.draw
        wanted = life.children_wanted(draw, mother.born)
        married = father.married_on or 0
        born = max(married + draw.between(200, 1500), mother.born + 18 * 366)
        ethnic = mother.ethnicity if father.nationality != "VN" else father.ethnicity
        family = inherited(ethnic, father.family, mother.family)
        children: list[Person] = []
        while len(children) < wanted and born < AS_OF_DAY - 1 and born - mother.born < 43 * 365:
            birth_place = household.place if born >= household.since else father.origin
            child = self._child(father, mother, ethnic, family, born, birth_place)
            children.append(child)
            if draw.chance(rates.TWINS):
                twin_sex: Sex = child.sex if draw.chance(6500) else life.sex_at_birth(draw, life.year_of(born))
                twin = self._child(father, mother, ethnic, family, born, birth_place, twin_sex)
                if twin.sex == child.sex and " " in child.name and draw.chance(5000):
                    twin.name = twin_name(draw, child.name, child.sex, child.birth_year)
                twin.birth_text = child.birth_text
                children.append(twin)
            born += draw.between(420, 2100)
        return children

    def _child(
        self,
        father: Person,
        mother: Person,
        ethnic: str,
        family: str,
        born: int,
        birth_place: Place,
        sex: Sex | None = None,
    ) -> Person:
        draw = self.draw
        child = self.person(
            family, sex or life.sex_at_birth(draw, life.year_of(born)), born, ethnic, father.origin, birth_place
        )
        taken = {father.name, mother.name, *(other.name for other in mother.children)}
        for _ in range(8):
            if child.name not in taken:
                break
            child.name = full_name(draw, ethnic, family, child.sex, child.birth_year)
        child.father, child.mother = father, mother
        child.adopted = draw.chance(rates.ADOPTED)
        father.children.append(child)
        mother.children.append(child)
        return child

    def _spouse_for(self, person: Person) -> Person:
        draw = self.draw
        sex: Sex = "female" if person.sex == "male" else "male"
        gap = draw.between(-900, 2600)
        born = person.born + gap if sex == "female" else person.born - gap
        born = min(born, AS_OF_DAY - 19 * 366)
        if draw.chance(rates.FOREIGN_SPOUSE) and person.birth_year > 1965:
            country, _, name = draw.pick([row for row in _FOREIGNERS if row[1] == sex])
            spouse = Person(name, "", sex, born, "Kinh", person.origin, person.origin, nationality=country)
            spouse.recorded = False
        else:
            near = draw.chance(7500)
            origin = self._places.near(draw, person.origin) if near else self._places.home(draw)
            ethnic = person.ethnicity if draw.chance(9200) else ethnicity(draw, origin.prefix)
            family = family_name(draw, ethnic, origin.region)
            spouse = self.person(family, sex, born, ethnic, origin, origin)
            self._named_parents(spouse)
        younger = max(person.born, spouse.born)
        wedding = younger + draw.between(20 * 366, 27 * 366)
        person.married_on = spouse.married_on = min(wedding, AS_OF_DAY - 20)
        person.spouse, spouse.spouse = spouse, person
        person.marital = spouse.marital = "married"
        return spouse

    def _part(self, father: Person, mother: Person, household: Household) -> None:
        """A divorce: he moves out, she stays with the children."""
        household.members.remove(father)
        self._new_home(father, father.origin).members.append(father)
        father.spouse = mother.spouse = None
        father.marital = mother.marital = "divorced"

    def _new_home(self, person: Person, parents_place: Place) -> Household:
        draw = self.draw
        roll = draw.below(100)
        if roll < 55:
            place = draw.pick(self._places.of_commune[parents_place.commune])
        elif roll < 83:
            place = self._places.near(draw, parents_place)
        else:
            place = self._places.elsewhere(draw)
        grown = person.born + 20 * 366
        return self.household(place, max(grown, AS_OF_DAY - draw.between(100, 9000)))

    def _named_parents(self, person: Person) -> None:
        """Father and mother who are not in this population: names only."""
        draw = self.draw
        if draw.chance(rates.FATHER_UNKNOWN):
            mother_family = person.family
        else:
            mother_family = family_name(draw, person.ethnicity, person.origin.region)
            person.father = self._named(person, person.family, "male")
        person.mother = self._named(person, mother_family, "female")

    def _named(self, child: Person, family: str, sex: Sex) -> Person:
        born = child.born - self.draw.between(20 * 366, 36 * 366)
        name = full_name(self.draw, child.ethnicity, family, sex, life.year_of(born))
        parent = Person(name, family, sex, born, child.ethnicity, child.origin, child.origin)
        parent.recorded = False
        return parent

    def _old_parent(self, founder: Person, household: Household) -> None:
        """A mother or father of the founder who is still alive and lives with him."""
        known = founder.mother if self.draw.chance(7000) or founder.father is None else founder.father
        if known is None or known.born < AS_OF_DAY - 104 * 365:
            return
        known.recorded = True
        known.marital = "widowed"
        known.birth_text = life.birth_text(self.draw, known.born)
        known.children.append(founder)
        self._named_parents(known)
        self.people.append(known)
        household.members.append(known)

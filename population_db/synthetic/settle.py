"""After a kin is built: who has died, is missing, has left; who stands for whom; who heads each household.

What holds afterwards: every household has a grown-up head; who is a minor without a living parent has a
representative; who died before 2016 is not on record but may be named by relatives.
"""

from population_db.synthetic import life, rates
from population_db.synthetic.draw import Draw
from population_db.synthetic.person import AS_OF_DAY, REGISTRY_FROM_YEAR, Household, Person

ADULT = 18
HEAD_UNTIL = 78
"""Past this age somebody younger is made head, when there is one."""


def settle(draw: Draw, people: list[Person], households: list[Household]) -> tuple[list[Person], list[Household]]:
    """Decide fates and households; gives those on record, and the households with somebody in them."""
    for person in people:
        _fate(draw, person)
    _care_for_minors(people, households)
    recorded = [person for person in people if person.recorded]
    for person in recorded:
        person.children = [c for c in person.children if c.recorded or c.children]
    for person in recorded:
        _widow(person)
    kept = []
    for household in households:
        household.members = [p for p in household.members if p.at_home]
        if household.members:
            _appoint_head(draw, household)
            kept.append(household)
    for person in recorded:
        _represent(draw, person)
    return recorded, kept


def _fate(draw: Draw, person: Person) -> None:
    last = max((child.born for child in person.children), default=0)
    since = max(last + 300, person.married_on or 0, person.born)
    alive_at = min(life.age_at(person.born, since), 100) if since > person.born else 0
    if person.birth_year < 1946 and not person.children:
        alive_at = max(alive_at, 60)
    died = life.death_day(draw, person.sex, person.born, alive_at)
    if died is not None and died > since:
        person.life, person.died = "dead", died
        person.recorded = life.year_of(died) >= REGISTRY_FROM_YEAR
        return
    if 20 <= person.age <= 60:
        roll = draw.below(rates.RENOUNCED + rates.MISSING + 9991)
        if roll < rates.MISSING:
            person.life, person.died = "missing", AS_OF_DAY - draw.between(200, 3000)
            if person.died <= since + 400:
                person.life, person.died = "alive", None
        elif roll < rates.MISSING + rates.RENOUNCED:
            person.life = "renounced"
            person.nationality = draw.pick(("DE", "US", "KR", "JP", "TW"))


def _care_for_minors(people: list[Person], households: list[Household]) -> None:
    """Minors alone join relatives with a grown-up; where there are none, a parent is alive after all."""
    for household in households:
        minors = [p for p in household.members if p.at_home]
        if not minors or any(p.age >= ADULT for p in minors):
            continue
        other = next((h for h in households if any(p.at_home and p.age >= ADULT for p in h.members)), None)
        if other is not None:
            other.members += minors
            household.members = []
            continue
        parent = next(p for p in (minors[0].mother, minors[0].father) if p is not None and p in people)
        parent.life, parent.died, parent.recorded = "alive", None, True
        if parent not in household.members:
            household.members.append(parent)


def _widow(person: Person) -> None:
    spouse = person.spouse
    if spouse is None or spouse.life != "dead" or spouse.died is None:
        return
    if person.died is None or spouse.died < person.died:
        person.marital = "widowed"
        person.spouse = None


def _appoint_head(draw: Draw, household: Household) -> None:
    members = household.members
    adults = [p for p in members if p.age >= ADULT]
    fit = [p for p in adults if p.age <= HEAD_UNTIL] or adults
    head = fit[0]
    if head.spouse in fit and draw.chance(2200):
        head = head.spouse
    members.remove(head)
    members.insert(0, head)
    household.relations = [relation(head, person) for person in members]
    for person in members:
        person.household = household


def _represent(draw: Draw, person: Person) -> None:
    if person.life != "alive" or person.household is None:
        return
    if person.age < ADULT:
        parents = (person.father, person.mother)
        if not any(parent is not None and parent.life == "alive" and parent.recorded for parent in parents):
            _appoint(person, person.household.head)
    elif person.age <= 60 and draw.chance(rates.NO_CAPACITY):
        others = [p for p in person.household.members if p is not person and p.age >= ADULT]
        able = [p for p in others if p.representative is None]
        if able and not person.represented:
            _appoint(person, able[0])


def _appoint(person: Person, representative: Person) -> None:
    person.representative = representative
    representative.represented.append(person)


def relation(head: Person, person: Person) -> str:
    """The code of `relations.RELATIONS` for a member, seen from the head."""
    if person is head:
        return "head"
    if person is head.spouse:
        return "wife" if person.sex == "female" else "husband"
    if head in (person.father, person.mother):
        return "adopted-child" if person.adopted else "child"
    if person in (head.father, head.mother):
        return "father" if person.sex == "male" else "mother"
    if person.spouse is not None and head in (person.spouse.father, person.spouse.mother):
        return "son-in-law" if person.sex == "male" else "daughter-in-law"
    head_parents = {p for p in (head.father, head.mother) if p is not None}
    parents = [p for p in (person.father, person.mother) if p is not None]
    if any(p in head_parents for p in parents):
        if person.born < head.born:
            return "older-brother" if person.sex == "male" else "older-sister"
        return "younger-sibling"
    grandparents = [g for p in parents for g in (p.father, p.mother) if g is not None]
    if head in grandparents or any(g in head_parents for g in grandparents):
        return "grandchild"
    if any(person in (p.father, p.mother) for p in head_parents):
        return "grandfather" if person.sex == "male" else "grandmother"
    return "other"

"""A synthetic person and household while they are being made. Days are ordinals (`date.toordinal`)."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from population_db.numbers import Sex
from population_db.synthetic.places import Place

AS_OF = date(2026, 11, 1)
"""The day the population is as it is; no clock is read."""
AS_OF_DAY = AS_OF.toordinal()
AS_OF_YEAR = AS_OF.year
REGISTRY_FROM_YEAR = 2016
"""Who died before is known by name alone: the Law on Civil Status began numbers in 2016."""
DAYS_PER_YEAR = 365


@dataclass(slots=True, eq=False)
class Person:
    """One person. `recorded` is False for those known only as somebody's relative (dead before 2016)."""

    name: str
    family: str
    """The family or clan name in it; empty where there is none."""
    sex: Sex
    born: int
    ethnicity: str
    origin: Place
    """Where his family is from and where he was born, unless the family had moved."""
    birth_place: Place
    father: "Person | None" = None
    mother: "Person | None" = None
    spouse: "Person | None" = None
    children: list["Person"] = field(default_factory=list)
    died: int | None = None
    life: str = "alive"
    marital: str = "single"
    married_on: int | None = None
    adopted: bool = False
    nationality: str = "VN"
    recorded: bool = True
    number: str = ""
    household: "Household | None" = None
    representative: "Person | None" = None
    represented: list["Person"] = field(default_factory=list)
    birth_text: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    """Fields set by a persona or an odd case, which replace the ordinary ones."""

    birth_year: int = field(init=False)
    age: int = field(init=False)
    """Full years at AS_OF, whether alive or not."""

    def __post_init__(self) -> None:
        born = date.fromordinal(self.born)
        self.birth_year = born.year
        self.age = AS_OF_YEAR - born.year - ((AS_OF.month, AS_OF.day) < (born.month, born.day))

    @property
    def at_home(self) -> bool:
        """Alive and on record: counts as a member of a household."""
        return self.recorded and self.life == "alive"


@dataclass(slots=True, eq=False)
class Household:
    """People under one roof. `relations` run beside `members`; the head is first."""

    key: str
    place: Place
    street: str
    since: int
    file_number: str
    religion: str
    members: list[Person] = field(default_factory=list)
    relations: list[str] = field(default_factory=list)
    member_rows: list[dict[str, Any]] = field(default_factory=list)
    """What `rows.members` makes of them, kept."""

    @property
    def head(self) -> Person:
        return self.members[0]

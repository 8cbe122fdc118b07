"""Births, marriages and deaths: rates in integers, made so that the age pyramid looks like that of 2024.

Rates are rough (census of 2019, general knowledge): these are test data, no demography.
"""

from bisect import bisect_left
from datetime import date

from population_db.numbers import Sex
from population_db.synthetic.draw import Draw, Weighted
from population_db.synthetic.person import AS_OF_DAY, AS_OF_YEAR

_DEATHS_PER_10_000 = (
    (1, 120),
    (15, 5),
    (40, 13),
    (50, 32),
    (60, 75),
    (70, 170),
    (80, 430),
    (90, 1150),
    (111, 2600),
)
"""Up to this age (exclusive), so many die in a year."""
_MALE, _FEMALE = 130, 75
"""Per cent of these rates."""


def _survivors(percent: int) -> tuple[int, ...]:
    alive, ages = [1_000_000_000], range(111)
    for age in ages:
        deaths = next(rate for limit, rate in _DEATHS_PER_10_000 if age < limit)
        alive.append(alive[-1] * (1_000_000 - deaths * percent) // 1_000_000)
    return tuple(-count for count in alive)


_NEGATIVE_SURVIVORS: dict[Sex, tuple[int, ...]] = {"male": _survivors(_MALE), "female": _survivors(_FEMALE)}

CHILDREN = (
    (1945, Weighted([(1, 4), (2, 14), (3, 24), (4, 26), (5, 18), (6, 9), (7, 5)])),
    (1960, Weighted([(0, 3), (1, 6), (2, 28), (3, 34), (4, 19), (5, 10)])),
    (1970, Weighted([(0, 4), (1, 10), (2, 40), (3, 31), (4, 15)])),
    (1980, Weighted([(0, 5), (1, 15), (2, 54), (3, 21), (4, 5)])),
    (9999, Weighted([(0, 6), (1, 20), (2, 55), (3, 16), (4, 3)])),
)
"""Mother born before → how many children she will have had."""

_MARRIED_PERCENT = (
    (20, 0, 0),
    (23, 18, 6),
    (26, 42, 22),
    (30, 68, 50),
    (35, 85, 76),
    (45, 91, 88),
    (200, 94, 95),
)
"""Up to this age (exclusive): women, men who ever married."""


def day_in(draw: Draw, year: int) -> int:
    """A day of a year, as an ordinal."""
    return date(year, 1, 1).toordinal() + draw.below(365)


def year_of(day: int) -> int:
    return date.fromordinal(day).year


def age_at(born: int, day: int) -> int:
    """Full years, a day or so rough."""
    return (day - born) * 4 // 1461


def death_day(draw: Draw, sex: Sex, born: int, alive_at: int) -> int | None:
    """The day of death, after the age `alive_at`; None for who is alive at AS_OF."""
    survivors = _NEGATIVE_SURVIVORS[sex]
    age = bisect_left(survivors, -draw.below(-survivors[alive_at])) - 1
    day = born + age * 1461 // 4 + draw.below(365)
    return day if day < AS_OF_DAY else None


def children_wanted(draw: Draw, mother_born: int) -> int:
    """How many children she has in her life."""
    year = year_of(mother_born)
    return draw.weighted(next(choice for before, choice in CHILDREN if year < before))


def ever_married(draw: Draw, sex: Sex, age: int) -> bool:
    """Whether somebody of this age has married."""
    _, women, men = next(row for row in _MARRIED_PERCENT if age < row[0])
    return draw.chance(100 * (women if sex == "female" else men))


def sex_at_birth(draw: Draw, year: int) -> Sex:
    """Boys are more, since 2000 more so."""
    return "male" if draw.chance(5270 if year >= 2000 else 5130) else "female"


def birth_text(draw: Draw, born: int) -> str:
    """The birth date as registered: of the old, often the year or month alone."""
    day = date.fromordinal(born)
    if day.year <= 1960:
        roll = draw.below(100)
        return f"{day.year}" if roll < 15 else f"{day:%Y-%m}" if roll < 20 else day.isoformat()
    if day.year <= 1975 and draw.chance(300):
        return f"{day.year}"
    return day.isoformat()


_FOUNDER_WEIGHTS = (
    (1930, 54),
    (1935, 56),
    (1940, 87),
    (1945, 122),
    (1950, 150),
    (1955, 150),
    (1960, 118),
    (1965, 67),
    (1970, 30),
    (1975, 15),
    (1980, 12),
    (1985, 8),
    (1990, 8),
    (1995, 8),
    (2000, 8),
)
FOUNDERS = Weighted((year, weight) for year, weight in _FOUNDER_WEIGHTS)
"""First year of the five in which the oldest man of a kin was born; fitted to the age pyramid."""
LAST_FOUNDER_YEAR = AS_OF_YEAR - 22

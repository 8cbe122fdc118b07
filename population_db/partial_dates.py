"""Birth dates of which only the year, or the year and month, may be known.

Many of the old are registered so. What is unknown stays unknown: no first of January is made up.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from core.clock import vietnam_day

EARLIEST_YEAR = 1850
LATEST_YEAR = 2199

_ISO = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_VIETNAMESE = re.compile(r"(?:(?:([0-9]{1,2})/)?([0-9]{1,2})/)([0-9]{4})")


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A calendar date known to the day, the month or the year. ValueError when there is no such date."""

    year: int
    month: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        if not EARLIEST_YEAR <= self.year <= LATEST_YEAR:
            raise ValueError(f"the year is not between {EARLIEST_YEAR} and {LATEST_YEAR}")
        if self.day is not None and self.month is None:
            raise ValueError("a day needs its month")
        try:
            self.earliest()
        except ValueError:
            raise ValueError("there is no such date") from None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "1960", "1960-05", "1960-05-17", "17/05/1960" or "05/1960". ValueError says what is wrong."""
        text = text.strip()
        if found := _ISO.fullmatch(text):
            year, month, day = found.groups()
        elif found := _VIETNAMESE.fullmatch(text):
            day, month, year = found.groups()
        else:
            raise ValueError("a date is written 1960, 1960-05, 1960-05-17 or 17/05/1960")
        return cls(int(year), int(month) if month else None, int(day) if day else None)

    @classmethod
    def of(cls, day: date) -> Self:
        """A date known to the day."""
        return cls(day.year, day.month, day.day)

    @property
    def iso(self) -> str:
        """The stored form: "1960", "1960-05" or "1960-05-17"."""
        if self.month is None:
            return f"{self.year:04d}"
        if self.day is None:
            return f"{self.year:04d}-{self.month:02d}"
        return f"{self.year:04d}-{self.month:02d}-{self.day:02d}"

    @property
    def vietnamese(self) -> str:
        """The form people read: "1960", "05/1960" or "17/05/1960"."""
        return "/".join(reversed(self.iso.split("-")))

    @property
    def complete(self) -> bool:
        """Whether the day is known."""
        return self.day is not None

    def earliest(self) -> date:
        """The first day it can be."""
        # Zero is not "unknown": 1960-00 is refused.
        month = 1 if self.month is None else self.month
        return date(self.year, month, 1 if self.day is None else self.day)

    def latest(self) -> date:
        """The last day it can be."""
        if self.month is None:
            return date(self.year, 12, 31)
        if self.day is not None:
            return date(self.year, self.month, self.day)
        following = date(self.year + self.month // 12, self.month % 12 + 1, 1)
        return date.fromordinal(following.toordinal() - 1)


def same_date(a: PartialDate, b: PartialDate) -> bool:
    """Whether two dates say the same, to the same precision.

    "1960" and "1960-05-17" are not the same: who knows only the year (which stands in the number) has
    proved nothing about the day, and a record with the year alone cannot confirm a day.
    """
    return (a.year, a.month, a.day) == (b.year, b.month, b.day)


def may_be_same_date(a: PartialDate, b: PartialDate) -> bool:
    """Whether two dates do not contradict each other; for finding duplicates, never for proof."""
    return a.earliest() <= b.latest() and b.earliest() <= a.latest()


def age_on(birth: PartialDate, day: date) -> int:
    """Full years of age on a day in Viet Nam: the youngest age the person can have.

    Who was born on 29 February is a year older on 1 March in common years. ValueError when the day lies
    before every possible birth date.
    """
    if day < birth.earliest():
        raise ValueError("the day lies before the birth")
    latest = birth.latest()
    had_birthday = (day.month, day.day) >= (latest.month, latest.day)
    return max(0, day.year - latest.year - (0 if had_birthday else 1))


def age_at(birth: PartialDate, at: datetime) -> int:
    """`age_on` the day it is in Viet Nam at an aware instant."""
    return age_on(birth, vietnam_day(at))

"""How long the next try has to wait. Pure rules: no framework, no database, no clock.

Nobody is locked out for ever by a stranger: wrong passwords only make the next try wait. They are counted
per number typed, whether or not it has an account (so the waiting tells nothing), in separate lanes:

- a browser on which this number signed in before has a lane of its own that no stranger can fill;
- each network address has a lane per number, so one attacker slows only himself;
- all unknown browsers together share a wide lane, which stops guessing from many addresses.

Every try is counted before the password is looked at, in one atomic statement; the right password empties
the lanes it came by. NIST SP 800-63B (5.2.2) asks for such a limit.

Wrong codes of the second factor are counted on the account. Only who has the right password gets there, so
after `MAX_WRONG_CODES` in a row the account is locked (reason `attempts`): the password is in wrong hands.
"""

from dataclasses import dataclass
from datetime import timedelta

MAX_WRONG_CODES = 100
"""Consecutive wrong codes; three of a million codes are right at a time: 1 in 3 300 for a thief in all."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """free: tries without waiting. waits: the wait after each further one; the last repeats.

    forget_after: silence after which counting starts anew.
    """

    free: int
    waits: tuple[timedelta, ...]
    forget_after: timedelta

    def wait_after(self, tries: int) -> timedelta:
        """The wait after the `tries`-th try in a row (1 and up)."""
        if tries < self.free:
            return timedelta()
        return self.waits[min(tries - self.free, len(self.waits) - 1)]

    def table(self) -> list[timedelta]:
        """The wait after the 1st, 2nd … try; the last holds for all further ones."""
        return [self.wait_after(tries) for tries in range(1, self.free + len(self.waits))]


def _seconds(*waits: int) -> tuple[timedelta, ...]:
    return tuple(timedelta(seconds=wait) for wait in waits)


DAY = timedelta(days=1)

KNOWN_BROWSER = Schedule(free=10, waits=_seconds(30, 60, 120, 300, 900), forget_after=DAY)
ADDRESS = Schedule(free=5, waits=_seconds(30, 60, 120, 300, 900), forget_after=DAY)
UNKNOWN_BROWSERS = Schedule(free=50, waits=_seconds(30, 60, 120, 300), forget_after=DAY)
CODE = Schedule(free=5, waits=_seconds(30, 60, 120, 300, 900), forget_after=DAY)

ADDRESS_WINDOW_SECONDS = 60
ADDRESS_FAILURES_PER_WINDOW = 100
"""Wrong passwords from one address for any numbers; wide, since whole communes share an address."""

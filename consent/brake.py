"""The brake on guessing: how many misses a recipient has on one number, and on all, within an hour.

A miss is counted before its answer leaves and a hit looks at the count before it leaves, so that a burst of
parallel guesses learns no more than slow ones, but for the few that are in flight together. Numbers that
belong to nobody are counted alike: the brake itself tells nothing. Counts lie in Redis under hashes of a
keyed digest of the number; losing them starts a new window.
"""

from collections.abc import Callable
from dataclasses import dataclass

from core.cache import Cache
from core.errors import TooMany

WINDOW_SECONDS = 3600
MISSES_PER_PERSON = 8
"""A clerk mistypes a date two or three times; 365 days of a known year take two days of alarms."""
MISSES_PER_RECIPIENT = 2_000
"""A batch of 100 000 with two per cent of wrong particulars passes; a sweep through numbers does not."""

_PERSON = "lookup-misses-person"
_RECIPIENT = "lookup-misses"


@dataclass(frozen=True, slots=True)
class Brake:
    """digest: a keyed digest of a 12-digit number (the vault's blind index)."""

    cache: Cache
    digest: Callable[[str], bytes]
    misses_per_person: int = MISSES_PER_PERSON
    misses_per_recipient: int = MISSES_PER_RECIPIENT

    async def weigh(self, recipient: str, number: str, *, missed: bool, together: str | None = None) -> None:
        """Counts a miss, or only looks. Raises TooMany, Unavailable.

        recipient: the client or the appointment that asks. together: whose tries at one number are counted as
        one, when that is more than the recipient alone.
        """
        about = f"{together or recipient}\x1f{self.digest(number).hex()}"
        if missed:
            of_person = await self.cache.hit(_PERSON, about, WINDOW_SECONDS)
            of_recipient = await self.cache.hit(_RECIPIENT, recipient, WINDOW_SECONDS)
        else:
            keys = self.cache.key(_PERSON, about), self.cache.key(_RECIPIENT, recipient)
            of_person, of_recipient = await self.cache.counts(*keys)
        if of_person > self.misses_per_person or of_recipient > self.misses_per_recipient:
            raise TooMany(
                "too-many-misses",
                "Too many lookups did not match. Please check the particulars and try again later.",
                retry_after=WINDOW_SECONDS,
            )

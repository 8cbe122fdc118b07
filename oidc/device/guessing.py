"""How often user codes may be tried (RFC 8628 §5.1). Short windows, in Redis, counted before the code is looked at.

Whoever is signed in is counted by himself alone. All others are counted by browser, by network (wide: a whole
one-stop centre shares one, and one machine has as many IPv6 addresses as it likes) and all together; so a flood from
many networks stops strangers, not those who signed in.
With a thousand codes alive, all strangers together hit one in six months, and then have signed a kiosk in as
themselves: what a code opens is the way to their own account.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core.cache import Cache
from core.errors import TooMany

WINDOW_SECONDS = 600
BROWSER, NETWORK, EVERYBODY, PERSON = 10, 100, 1_000, 20
_KIND = "device-code-tries"


@dataclass(frozen=True, slots=True)
class Lane:
    """name: what is counted; a hash of it is the key. most: wrong tries in a window."""

    name: str
    most: int


def lanes_of(*, person_id: str | None, browser: str, network: str) -> tuple[Lane, ...]:
    """The narrow ones first: who is stopped there fills no wide one."""
    if person_id is not None:
        return (Lane(f"person:{person_id}", PERSON),)
    return (Lane(f"browser:{browser}", BROWSER), Lane(f"network:{network}", NETWORK), Lane("everybody", EVERYBODY))


async def claim(cache: Cache, lanes: Sequence[Lane]) -> None:
    """Counts one try. Raises TooMany, Unavailable."""
    for lane in lanes:
        if await cache.hit(_KIND, lane.name, WINDOW_SECONDS) > lane.most:
            raise TooMany(
                "too-many-codes",
                "Too many codes were tried. Please wait a few minutes, or sign in first and enter the code then.",
                retry_after=WINDOW_SECONDS,
                private=lane.name.partition(":")[0],
            )


async def give_back(cache: Cache, lanes: Sequence[Lane]) -> None:
    """The code was right: this try does not count."""
    for lane in lanes:
        await cache.unhit(_KIND, lane.name)

"""How much one network may leave with us before anybody has proved who he is. Short windows, in Redis.

What waits for an answer lies in the cache or the database for a while. A person who is signed in and a client that
authenticates are known and few; all others are counted by network, wide, since a ward's office or a telephone company
lets a whole crowd out by one address.
"""

from dataclasses import dataclass

from starlette.requests import Request

from core.cache import Cache
from core.errors import TooMany
from core.runtime import part
from core.settings import Settings
from core.web.client_address import client_address, network_of

WINDOW_SECONDS = 60
_KIND = "begun"


@dataclass(frozen=True, slots=True)
class Brake:
    """what: is begun; names the count. most: in a window, by one network; None: as the settings say."""

    what: str
    most: int | None = None

    async def count(self, cache: Cache, request: Request, *, apart: str = "") -> None:
        """Counts one more. apart: each of these has a count of its own. Raises TooMany, Unavailable."""
        lane = "\x1f".join((self.what, apart, network_of(client_address(request))))
        most = part(request, Settings).begun_per_network if self.most is None else self.most
        if await cache.hit(_KIND, lane, WINDOW_SECONDS) > most:
            raise TooMany(
                "too-many-begun",
                "Too many attempts come from your network. Please try again in a minute.",
                retry_after=WINDOW_SECONDS,
                private=self.what,
            )

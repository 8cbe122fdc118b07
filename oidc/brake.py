"""How much one network may leave with us before anybody has proved who he is. Short windows, in Redis.

What waits for an answer lies in the cache or the database for a while. A person who is signed in and a client that
authenticates are known and few; all others are counted by network, wide, since a ward's office or a telephone company
lets a whole crowd out by one address.
"""

from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request

from core.cache import Cache
from core.errors import TooMany
from core.web.client_address import client_address
from identity.api import network_of

WINDOW_SECONDS = 60
MOST: Mapping[str, int] = MappingProxyType({"sign-in": 600, "ticket": 600, "par": 600, "device": 120})
"""In a window, by what is begun. A hall has few kiosks, and the more codes are alive the easier one is hit."""
_KIND = "begun"


async def count_stranger(cache: Cache, request: Request, what: str, client_id: str = "") -> None:
    """Counts one more of what a stranger begins; what: of MOST. client_id: when each client has its own count.

    Raises TooMany, Unavailable.
    """
    lane = "\x1f".join((what, client_id, network_of(client_address(request))))
    if await cache.hit(_KIND, lane, WINDOW_SECONDS) > MOST[what]:
        raise TooMany(
            "too-many-begun",
            "Too many attempts come from your network. Please try again in a minute.",
            retry_after=WINDOW_SECONDS,
            private=what,
        )

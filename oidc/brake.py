"""How much one network may leave with us before anybody has proved who he is. Short windows, in Redis.

What waits for an answer lies in the cache or the database for a while. A person who is signed in and a client that
authenticates are known and few; all others are counted by network, wide, since a ward's office or a telephone company
lets a whole crowd out by one address.
"""

from starlette.requests import Request

from core.cache import Cache
from core.errors import TooMany
from core.web.client_address import client_address
from identity.api import network_of

WINDOW_SECONDS = 60
MOST = 600
_KIND = "begun"


async def count_stranger(cache: Cache, request: Request, *lane: str) -> None:
    """Counts one more of what a stranger begins. lane: what, and perhaps for which client.

    Raises TooMany, Unavailable.
    """
    network = network_of(client_address(request))
    if await cache.hit(_KIND, "\x1f".join((*lane, network)), WINDOW_SECONDS) > MOST:
        raise TooMany(
            "too-many-begun",
            "Too many attempts come from your network. Please try again in a minute.",
            retry_after=WINDOW_SECONDS,
            private=lane[0],
        )

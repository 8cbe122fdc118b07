"""Pushed authorization requests (RFC 9126): kept for a short time, opened by their client, finished once."""

from collections.abc import Mapping
from typing import Any

from core.cache import Cache
from core.clock import Clock
from core.ids import new_reference
from core.interaction import TTL_SECONDS as INTERACTION_SECONDS

URI_PREFIX = "urn:ietf:params:oauth:request_uri:"
LIFETIME_SECONDS = 90
# A sign-in may begin in the last second of the request's life and last as long as an interaction.
_FINISHED_SECONDS = LIFETIME_SECONDS + INTERACTION_SECONDS + 60


class PushedRequests:
    """The requests that were pushed, in Redis. Raises Unavailable."""

    def __init__(self, cache: Cache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock

    async def keep(self, client_id: str, request: Mapping[str, Any]) -> str:
        """Stores a checked request (`Asking.to_keep`); gives its `request_uri` (192 random bits)."""
        uri = URI_PREFIX + new_reference()
        expires_at = self._clock.now().timestamp() + LIFETIME_SECONDS
        kept = {"client_id": client_id, **request, "expires_at": expires_at}
        await self._cache.put("par", uri, kept, LIFETIME_SECONDS)
        return uri

    async def find(self, uri: str, client_id: str) -> Mapping[str, Any] | None:
        """The request, for `Asking.again`; None when unknown, expired, another client's or finished."""
        kept = await self._cache.get("par", uri)
        if kept is None or kept["client_id"] != client_id:
            return None
        if kept["expires_at"] <= self._clock.now().timestamp():
            return None
        if await self._cache.get("par-finished", uri) is not None:
            return None
        return kept

    async def finish(self, uri: str) -> bool:
        """Claims the one answer to a request; False for everybody after the first."""
        # JSON true, so that `find` can read the mark like any other value.
        return await self._cache.claim_once("par-finished", uri, _FINISHED_SECONDS)

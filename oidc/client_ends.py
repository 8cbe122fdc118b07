"""What was seen of a client to end, beyond what it registered: the keys at its `jwks_uri` when they were fetched last,
and the certificate it authenticated with last. For its developers.

Kept in Redis, one place per client for all processes, so it may be lost, and forgets by itself. Nobody fetches for it:
it is told by whoever had the keys or the certificate in hand, once in a while. A place holds names of keys and times.
Telling never delays or fails a request: it is written beside it, and when Redis is slow the newest is dropped.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

import orjson
import structlog
from starlette.requests import Request

from core.cache import Cache, answered
from core.clock import Clock
from core.errors import Unavailable
from core.runtime import Parts
from oidc.beside import Beside
from oidc.key_ends import KeyEnd, ends_of_key, instant

SEEN_SECONDS = 400 * 24 * 3600
CERTIFICATE_EVERY_SECONDS = 60.0
"""How often one and the same certificate of a client is written, per process."""
MAX_WAITING = 500
MAX_REMEMBERED = 20_000
MAX_ASKED = 500
"""Clients in one trip."""
_KEYS, _CERTIFICATE = b"keys", b"certificate"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """keys_uri: where the keys were read, "" when none were; keys_at: when. keys: what of them ends.
    certificate: the end of the last one that the client authenticated with."""

    keys_uri: str = ""
    keys_at: datetime | None = None
    keys: tuple[KeyEnd, ...] = ()
    certificate: datetime | None = None


NOTHING = Seen()


class ClientEnds:
    """One per process."""

    def __init__(self, cache: Cache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock
        self._told: dict[tuple[str, int], float] = {}
        self._waiting: dict[tuple[str, bytes], bytes] = {}
        self._beside = Beside(self._write)

    def note_keys(self, client_id: str, uri: str, keys: Iterable[Mapping[str, Any]]) -> None:
        """A key set was fetched. Never raises, never waits."""
        try:
            ends = [[what, name, int(at.timestamp())] for key in keys for what, name, at in ends_of_key(key)]
            told = {"uri": uri, "at": int(self._clock.now().timestamp()), "ends": ends}
            self._put(client_id, _KEYS, orjson.dumps(told))
        except Exception as error:
            log.warning("client-ends", error=type(error).__name__)

    def note_certificate(self, client_id: str, ends: datetime) -> None:
        """A client authenticated with a certificate. Never raises, never waits."""
        try:
            at, now = int(ends.timestamp()), monotonic()
            last = self._told.get((client_id, at))
            if last is not None and now - last < CERTIFICATE_EVERY_SECONDS:
                return
            if len(self._told) >= MAX_REMEMBERED:
                self._told.clear()
            self._told[client_id, at] = now
            self._put(client_id, _CERTIFICATE, b"%d" % at)
        except Exception as error:
            log.warning("client-ends", error=type(error).__name__)

    async def seen(self, client_ids: Sequence[str]) -> dict[str, Seen]:
        """What is known of each of these clients: nothing, where nobody told or Redis does not answer."""
        found = dict.fromkeys(client_ids, NOTHING)
        for start in range(0, len(client_ids), MAX_ASKED):
            asked = client_ids[start : start + MAX_ASKED]
            pipe = self._cache.redis.pipeline(transaction=False)
            for client_id in asked:
                pipe.hgetall(self._key(client_id))
            try:
                places = await answered(pipe.execute())
            except Unavailable:
                break  # what is registered is told all the same
            found |= {client_id: _read(place) for client_id, place in zip(asked, places, strict=True)}
        return found

    async def written(self) -> None:
        """Waits until all that was told so far is written."""
        await self._beside.written()

    async def close(self) -> None:
        """At the end of the process; what is not written then is lost."""
        await self._beside.close()

    def _put(self, client_id: str, field: bytes, value: bytes) -> None:
        if len(self._waiting) >= MAX_WAITING:
            return
        self._waiting[client_id, field] = value
        self._beside.wake()

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, {}
            pipe = self._cache.redis.pipeline(transaction=False)
            for (client_id, field), value in batch.items():
                pipe.hset(self._key(client_id), field, value)
                pipe.expire(self._key(client_id), SEEN_SECONDS)
            try:
                await answered(pipe.execute())
            except Unavailable as gone:
                log.warning("client-ends", error=gone.private, count=len(batch))

    def _key(self, client_id: str) -> str:
        return self._cache.key("client-ends", client_id)


def note_certificate(request: Request, client_id: str, ends: datetime) -> None:
    """Tells of the certificate of an authenticated client; nothing where nobody listens."""
    parts: Parts = request.app.state.parts
    with suppress(LookupError):
        parts.get(ClientEnds).note_certificate(client_id, ends)


def _read(place: Mapping[bytes, bytes]) -> Seen:
    """What another release wrote is left out."""
    try:
        keys = orjson.loads(place.get(_KEYS, b"null")) or {"uri": "", "at": None, "ends": []}
        ends = [(what, name, at) for what, name, seconds in keys["ends"] if (at := instant(seconds)) is not None]
        keys_at = None if keys["at"] is None else instant(keys["at"])
        certificate = instant(int(place[_CERTIFICATE])) if _CERTIFICATE in place else None
        return Seen(keys["uri"], keys_at, tuple(ends), certificate)
    except (KeyError, TypeError, ValueError):
        return NOTHING

"""The cache: what may be lost. Redis holds PAR, interactions, sessions, replay marks and rate windows.

Keys are hashes, every key has a TTL, whatever is single-use is claimed by one atomic command. Expiry is
decided by our clock from a stored instant where it matters; the TTL only cleans up. Needs no command newer
than Redis 6.2.
"""

import hashlib
from collections.abc import Awaitable, Sequence
from itertools import islice
from typing import Any, TypeVar

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.cache_trips import CacheTrips, patience
from core.errors import Unavailable
from core.gather import Gathered

Commands = tuple[tuple[Any, ...], ...]
Asked = tuple[Commands, bool]
"""Commands, and whether they have to be done as one."""

T = TypeVar("T")

_UNHIT = "if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('DECR', KEYS[1]) end return 0"


class Cache:
    """A thin, hashed, always-expiring view of one Redis. Raises Unavailable when it does not answer."""

    def __init__(self, redis: "Redis", prefix: str = "dd") -> None:
        self.redis = redis
        self._prefix = prefix
        # The commands of callers that come at once go out together: one trip and one connection for all of them.
        self._asks: Gathered[Asked, list[Any]] = Gathered(self._together)
        self._trips = CacheTrips(redis.connection_pool)

    @classmethod
    def connect(cls, url: str, *, max_connections: int = 64) -> "Cache":
        """url: `redis://[:password@]host:port/db` or `unix:///path?db=0&password=…`."""
        return cls(
            Redis.from_url(
                url,
                max_connections=max_connections,
                # One timer is around a whole trip (`patience`) instead of several around each of its steps.
                socket_timeout=None,
                socket_connect_timeout=None,
                health_check_interval=0,
            )
        )

    async def close(self) -> None:
        try:
            await self._trips.close()
        finally:
            await self.redis.aclose()

    def key(self, kind: str, *parts: str) -> str:
        """`dd:<kind>:<sha256>`: nothing that names a person or opens a door stands in a key."""
        digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
        return f"{self._prefix}:{kind}:{digest}"

    async def put(self, kind: str, ident: str, value: dict[str, Any], ttl_seconds: int) -> None:
        await self._run("SET", self.key(kind, ident), orjson.dumps(value), "EX", ttl_seconds)

    async def replace(self, kind: str, ident: str, value: dict[str, Any], ttl_seconds: int) -> bool:
        """Overwrites what is there; False (and nothing written) when it is gone."""
        return bool(await self._run("SET", self.key(kind, ident), orjson.dumps(value), "EX", ttl_seconds, "XX"))

    async def get(self, kind: str, ident: str) -> dict[str, Any] | None:
        raw = await self._run("GET", self.key(kind, ident))
        return None if raw is None else orjson.loads(raw)

    async def take(self, kind: str, ident: str) -> dict[str, Any] | None:
        """Reads and removes in one atomic command: at most one caller gets it."""
        raw = await self._run("GETDEL", self.key(kind, ident))
        return None if raw is None else orjson.loads(raw)

    async def claim_once(self, kind: str, ident: str, ttl_seconds: int) -> bool:
        """True for the first caller within the TTL, False for every later one."""
        return bool(await self._run("SET", self.key(kind, ident), b"1", "NX", "EX", ttl_seconds))

    async def claim_each(self, marks: Sequence[tuple[str, str, int]]) -> list[bool]:
        """`claim_once` for several (kind, ident, TTL in seconds) in one trip; all are claimed, whichever were."""
        done = await self._ask(
            tuple(("SET", self.key(kind, ident), b"1", "NX", "EX", ttl_seconds) for kind, ident, ttl_seconds in marks),
            as_one=len(marks) > 1,  # none is spent for nothing when Redis cannot take the other
        )
        return [bool(fresh) for fresh in done]

    async def drop(self, kind: str, ident: str) -> None:
        await self._run("DEL", self.key(kind, ident))

    async def hit(self, kind: str, ident: str, window_seconds: int) -> int:
        """Counts one event in a fixed window that starts with its first event; gives the count so far."""
        key = self.key(kind, ident)
        _, count = await self._ask((("SET", key, 0, "NX", "EX", window_seconds), ("INCR", key)), as_one=True)
        return int(count)

    async def counts(self, *keys: str) -> list[int]:
        """What `hit` counted under these keys (`key`); 0 where no window is open."""
        return [int(count or 0) for count in await self._run("MGET", *keys)]

    async def unhit(self, kind: str, ident: str) -> None:
        """Takes one event back, when its window is still open: a key without an end must not come into being."""
        await answered(self.redis.eval(_UNHIT, 1, self.key(kind, ident)))

    async def ping(self) -> None:
        await answered(self.redis.ping())

    async def _run(self, *command: Any) -> Any:
        return (await self._ask((command,)))[0]

    async def _ask(self, commands: Commands, *, as_one: bool = False) -> list[Any]:
        try:
            return await self._asks.ask((commands, as_one))
        except (RedisError, OSError) as error:
            raise _unavailable(error) from error

    async def _together(self, asks: Sequence[Asked]) -> Sequence[list[Any] | Exception]:
        every = [command for commands, _ in asks for command in commands]
        as_one = any(as_one for _, as_one in asks)
        answers = iter(await (self._as_one(every) if as_one else self._trips.go(every)))
        done = [list(islice(answers, len(commands))) for commands, _ in asks]
        return [next((one for one in told if isinstance(one, Exception)), told) for told in done]

    async def _as_one(self, every: Sequence[tuple[Any, ...]]) -> list[Any]:
        pipe = self.redis.pipeline(transaction=True)
        for command in every:
            pipe.execute_command(*command)
        async with patience():
            return await pipe.execute(raise_on_error=False)


async def answered(work: Awaitable[Any]) -> Any:
    """What Redis answers, for commands that the cache has no word for too. Raises Unavailable when it does not."""
    try:
        async with patience():
            return await work
    except (RedisError, OSError) as error:
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(
        "cache-unavailable",
        "The service is interrupted for a moment. Please try again.",
        private=type(error).__name__,
    )

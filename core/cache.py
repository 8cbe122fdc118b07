"""The cache: what may be lost. Redis holds PAR, interactions, sessions, replay marks and rate windows.

Keys are hashes, every key has a TTL, whatever is single-use is claimed by one atomic command. Expiry is
decided by our clock from a stored instant where it matters; the TTL only cleans up. Needs no command newer
than Redis 6.2.
"""

import hashlib
from collections.abc import Awaitable
from typing import Any, TypeVar

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.errors import Unavailable

T = TypeVar("T")

_UNHIT = "if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('DECR', KEYS[1]) end return 0"


class Cache:
    """A thin, hashed, always-expiring view of one Redis. Raises Unavailable when it does not answer."""

    def __init__(self, redis: "Redis", prefix: str = "dd") -> None:
        self.redis = redis
        self._prefix = prefix

    @classmethod
    def connect(cls, url: str, *, max_connections: int = 64) -> "Cache":
        """url: `redis://[:password@]host:port/db` or `unix:///path?db=0&password=…`."""
        return cls(
            Redis.from_url(
                url,
                max_connections=max_connections,
                socket_timeout=2,
                socket_connect_timeout=2,
                health_check_interval=0,
            )
        )

    async def close(self) -> None:
        await self.redis.aclose()

    def key(self, kind: str, *parts: str) -> str:
        """`dd:<kind>:<sha256>`: nothing that names a person or opens a door stands in a key."""
        digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
        return f"{self._prefix}:{kind}:{digest}"

    async def put(self, kind: str, ident: str, value: dict[str, Any], ttl_seconds: int) -> None:
        await self._done(self.redis.set(self.key(kind, ident), orjson.dumps(value), ex=ttl_seconds))

    async def replace(self, kind: str, ident: str, value: dict[str, Any], ttl_seconds: int) -> bool:
        """Overwrites what is there; False (and nothing written) when it is gone."""
        done = await self._done(self.redis.set(self.key(kind, ident), orjson.dumps(value), ex=ttl_seconds, xx=True))
        return bool(done)

    async def get(self, kind: str, ident: str) -> dict[str, Any] | None:
        raw = await self._done(self.redis.get(self.key(kind, ident)))
        return None if raw is None else orjson.loads(raw)

    async def take(self, kind: str, ident: str) -> dict[str, Any] | None:
        """Reads and removes in one atomic command: at most one caller gets it."""
        raw = await self._done(self.redis.getdel(self.key(kind, ident)))
        return None if raw is None else orjson.loads(raw)

    async def claim_once(self, kind: str, ident: str, ttl_seconds: int) -> bool:
        """True for the first caller within the TTL, False for every later one."""
        return bool(await self._done(self.redis.set(self.key(kind, ident), b"1", nx=True, ex=ttl_seconds)))

    async def drop(self, kind: str, ident: str) -> None:
        await self._done(self.redis.delete(self.key(kind, ident)))

    async def hit(self, kind: str, ident: str, window_seconds: int) -> int:
        """Counts one event in a fixed window that starts with its first event; gives the count so far."""
        key = self.key(kind, ident)
        pipe = self.redis.pipeline(transaction=True)
        pipe.set(key, 0, nx=True, ex=window_seconds)
        pipe.incr(key)
        return int((await self._done(pipe.execute()))[1])

    async def unhit(self, kind: str, ident: str) -> None:
        """Takes one event back, when its window is still open: a key without an end must not come into being."""
        await self._done(self.redis.eval(_UNHIT, 1, self.key(kind, ident)))

    async def ping(self) -> None:
        await self._done(self.redis.ping())

    async def _done(self, work: Awaitable[T]) -> Any:
        try:
            return await work
        except (RedisError, OSError) as error:
            raise Unavailable(
                "cache-unavailable",
                "The service is interrupted for a moment. Please try again.",
                private=type(error).__name__,
            ) from error

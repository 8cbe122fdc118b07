"""Single-use marks of one request, claimed together in one trip to Redis.

A mark outlives the whole window in which the thing would be accepted; both read the same constants.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from redis.exceptions import RedisError

from core.cache import Cache
from core.errors import Unavailable
from oidc.errors import OAuthError


@dataclass(frozen=True, slots=True)
class Mark:
    """What is claimed, for how long, and what to answer when it was claimed before."""

    kind: str
    ident: str
    ttl_seconds: int
    used: OAuthError


async def claim_all(cache: Cache, marks: Sequence[Mark]) -> None:
    """Claims every mark. Raises the error of the first that was used before, Unavailable without Redis.

    All are claimed even when one is refused: a proof shown with a replayed assertion is spent as well.
    """
    if not marks:
        return
    pipe = cache.redis.pipeline(transaction=False)
    for mark in marks:
        pipe.set(cache.key(mark.kind, mark.ident), b"1", nx=True, ex=mark.ttl_seconds)
    try:
        done = await pipe.execute()
    except (RedisError, OSError) as error:
        raise Unavailable(
            "cache-unavailable",
            "The service is interrupted for a moment. Please try again.",
            private=type(error).__name__,
        ) from error
    for mark, fresh in zip(marks, done, strict=True):
        if not fresh:
            raise mark.used

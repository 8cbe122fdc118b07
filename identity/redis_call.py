"""Redis commands that the cache has no word for; the same refusal when Redis does not answer."""

from collections.abc import Awaitable
from typing import Any

from redis.exceptions import RedisError

from core.errors import Unavailable


async def answered(work: Awaitable[Any]) -> Any:
    """The answer. Raises Unavailable."""
    try:
        return await work
    except (RedisError, OSError) as error:
        raise Unavailable(
            "cache-unavailable",
            "The service is interrupted for a moment. Please try again.",
            private=type(error).__name__,
        ) from error

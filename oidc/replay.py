"""Single-use marks of one request, claimed together in one trip to Redis.

A mark outlives the whole window in which the thing would be accepted; both read the same constants.
"""

from collections.abc import Sequence

from core.cache import Cache
from core.record import record
from oidc.errors import OAuthError


@record
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
    done = await cache.claim_each([(mark.kind, mark.ident, mark.ttl_seconds) for mark in marks])
    for mark, fresh in zip(marks, done, strict=True):
        if not fresh:
            raise mark.used

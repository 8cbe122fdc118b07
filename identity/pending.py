"""What was proven in this interaction and is not yet a session: the password, perhaps the code too.

Kept in Redis under the interaction, for ten minutes by our clock. It ends with one atomic claim, so one
proof makes at most one session.
"""

import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from core.cache import Cache
from core.clock import Clock

LIFETIME_SECONDS = 10 * 60


@dataclass(frozen=True, slots=True)
class Pending:
    """auth_at: when the password was given, epoch seconds. mac: keyed digest of the number, hex.

    code_given: a locked account's holder has given both factors and may read why it is locked.
    """

    person_id: str
    account_id: str
    auth_at: float
    mac: str
    code_given: bool = False

    @property
    def person(self) -> uuid.UUID:
        return uuid.UUID(self.person_id)

    @property
    def account(self) -> uuid.UUID:
        return uuid.UUID(self.account_id)

    @property
    def authenticated_at(self) -> datetime:
        return datetime.fromtimestamp(self.auth_at, UTC)


class PendingSignIns:
    """Raises Unavailable when Redis does not answer."""

    def __init__(self, cache: Cache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock

    async def put(self, interaction_id: str, pending: Pending) -> None:
        await self._cache.put("signin-pending", interaction_id, asdict(pending), LIFETIME_SECONDS)

    async def get(self, interaction_id: str) -> Pending | None:
        raw = await self._cache.get("signin-pending", interaction_id)
        return None if raw is None else self._alive(Pending(**raw))

    async def take(self, interaction_id: str) -> Pending | None:
        raw = await self._cache.take("signin-pending", interaction_id)
        return None if raw is None else self._alive(Pending(**raw))

    async def drop(self, interaction_id: str) -> None:
        await self._cache.drop("signin-pending", interaction_id)

    def _alive(self, pending: Pending) -> Pending | None:
        return pending if self._clock.now().timestamp() < pending.auth_at + LIFETIME_SECONDS else None

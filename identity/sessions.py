"""Browser sessions in Redis, under hashed keys. Losing Redis signs people out and loses nothing else.

A session is written once and never altered but for `seen_at`; whatever else changes (step-up, choice of an
appointment) makes a new session identifier, so that one that was planted or seen before is worth nothing.

Ending all sessions of a person and making one at the same moment cannot miss each other: both are one Redis
transaction, the making reads the "ended before" mark after it has entered the person's index, the ending
sets the mark before it reads the index.
"""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from core.cache import Cache, answered
from core.clock import Clock
from core.ids import read_id
from core.interaction import SignedIn
from core.record import record

ABSOLUTE_SECONDS = 12 * 3600
IDLE_SECONDS = 30 * 60
TOUCH_EVERY_SECONDS = 60
"""How old `seen_at` may grow before it is written again."""

MAX_TOKEN = 64


@record
class Session:
    """One signed-in browser. Instants are epoch seconds.

    sid: random and public (it goes into ID tokens). auth_at: when the password was given. started_at: from
    which the absolute end counts. amr: RFC 8176. device: coarse, e.g. "Firefox · Linux". appointment: the
    chosen one, as `appointments.as_json` wrote it.
    """

    sid: str
    person_id: str
    account_id: str
    auth_at: float
    started_at: float
    seen_at: float
    aal: int
    ial: int
    amr: tuple[str, ...]
    has_second_factor: bool
    device: str = ""
    appointment: Mapping[str, Any] | None = None

    @property
    def auth_time(self) -> int:
        """`auth_time` of OpenID Connect: when the person gave the password."""
        return int(self.auth_at)

    @property
    def began(self) -> datetime:
        return datetime.fromtimestamp(self.started_at, UTC)

    @property
    def seen(self) -> datetime:
        return datetime.fromtimestamp(self.seen_at, UTC)

    @property
    def person(self) -> uuid.UUID:
        return read_id(self.person_id)

    @property
    def account(self) -> uuid.UUID:
        return read_id(self.account_id)

    def over(self, now: float) -> bool:
        """Whether it has ended by our clock: 12 hours in all, 30 minutes without use."""
        return now >= self.started_at + ABSOLUTE_SECONDS or now >= self.seen_at + IDLE_SECONDS

    def signed_in(self) -> SignedIn:
        """What an interaction is told of it."""
        return SignedIn(self.account_id, self.person_id, self.sid, self.auth_time, self.aal, self.ial, tuple(self.amr))


class Sessions:
    """Makes, finds, renews and ends sessions. Raises Unavailable when Redis does not answer."""

    def __init__(self, cache: Cache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _index(self, person_id: str) -> str:
        return self._cache.key("sessions-of", person_id)

    def _mark(self, person_id: str) -> str:
        return self._cache.key("sessions-ended", person_id)

    async def create(
        self,
        *,
        person_id: uuid.UUID,
        account_id: uuid.UUID,
        auth_at: datetime,
        aal: int,
        ial: int,
        amr: tuple[str, ...],
        has_second_factor: bool,
        device: str,
    ) -> tuple[str, Session] | None:
        """A new session and its secret token; None when all of the person's were ended since `auth_at`."""
        now = self._now()
        session = Session(
            sid=secrets.token_urlsafe(24),
            person_id=str(person_id),
            account_id=str(account_id),
            auth_at=auth_at.timestamp(),
            started_at=now,
            seen_at=now,
            aal=aal,
            ial=ial,
            amr=amr,
            has_second_factor=has_second_factor,
            device=device,
        )
        token = await self._write(session)
        return None if token is None else (token, session)

    async def renew(self, token: str, session: Session, **changes: Any) -> tuple[str, Session] | None:
        """The same session (`sid`, times) under a new token and with changes; the old token is dead."""
        changed = replace(session, **changes, seen_at=self._now())
        made = await self._write(changed, replaces=token)
        return None if made is None else (made, changed)

    async def find(self, token: str) -> Session | None:
        """The live session behind a cookie; its use is noted, at most once a minute."""
        if not token or len(token) > MAX_TOKEN:
            return None
        raw = await self._cache.get("session", token)
        if raw is None:
            return None
        session = _from_json(raw)
        now = self._now()
        if session.over(now):
            await self.end(token)
            return None
        if now - session.seen_at >= TOUCH_EVERY_SECONDS:
            session = replace(session, seen_at=now)
            # Only overwrites: a session ended meanwhile stays ended.
            await self._cache.replace("session", token, asdict(session), self._left(session))
        return session

    async def end(self, token: str) -> Session | None:
        """Ends one; gives it when it was there."""
        raw = await self._cache.take("session", token)
        if raw is None:
            return None
        session = _from_json(raw)
        await self._run([("hdel", self._index(session.person_id), self._cache.key("session", token))])
        return session

    async def of_person(self, person_id: uuid.UUID) -> list[Session]:
        """The person's live sessions, newest use first."""
        index = await self._index_of(str(person_id))
        if not index:
            return []
        (raws,) = await self._run([("mget", *index)])
        found = [_from_json(orjson.loads(raw)) for raw in raws if raw is not None]
        now = self._now()
        return sorted((one for one in found if not one.over(now)), key=lambda one: -one.seen_at)

    async def end_one(self, person_id: uuid.UUID, sid: str) -> bool:
        """Ends the person's session with this `sid`; False when he has none such."""
        keys = [key for key, kept in (await self._index_of(str(person_id))).items() if kept == sid]
        if not keys:
            return False
        done = await self._run([("hdel", self._index(str(person_id)), *keys), ("del", *keys)])
        return bool(done[1])

    async def end_all(self, person_id: uuid.UUID) -> int:
        """Ends all of a person's sessions, and refuses those that are just being made; gives how many."""
        person = str(person_id)
        _, index, _ = await self._run(
            [
                ("set", self._mark(person), repr(self._now()), "ex", ABSOLUTE_SECONDS + IDLE_SECONDS),
                ("hgetall", self._index(person)),
                ("del", self._index(person)),
            ]
        )
        if not index:
            return 0
        (ended,) = await self._run([("del", *index)])
        return int(ended)

    async def _write(self, session: Session, *, replaces: str | None = None) -> str | None:
        token = secrets.token_urlsafe(32)
        key, index = self._cache.key("session", token), self._index(session.person_id)
        left = self._left(session)
        commands: list[tuple[Any, ...]] = [
            ("set", key, orjson.dumps(asdict(session)), "ex", left),
            ("hset", index, key, session.sid),
            ("expire", index, ABSOLUTE_SECONDS + IDLE_SECONDS),
            ("get", self._mark(session.person_id)),
        ]
        if replaces is not None:
            old = self._cache.key("session", replaces)
            commands += [("del", old), ("hdel", index, old)]
        done = await self._run(commands)
        ended_before = done[3]
        refused = ended_before is not None and float(ended_before) >= session.auth_at
        if refused or (replaces is not None and not done[4]):  # ended, or renewed by somebody else, meanwhile
            await self._run([("del", key), ("hdel", index, key)])
            return None
        return token

    def _left(self, session: Session) -> int:
        return max(1, int(session.started_at + ABSOLUTE_SECONDS - self._now()))

    async def _index_of(self, person_id: str) -> dict[str, str]:
        """Key of each session → its `sid`."""
        (index,) = await self._run([("hgetall", self._index(person_id))])
        return {key.decode(): sid.decode() for key, sid in index.items()}

    async def _run(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        """One Redis transaction."""
        pipe = self._cache.redis.pipeline(transaction=True)
        for name, *arguments in commands:
            pipe.execute_command(name.upper(), *arguments)
        done: list[Any] = await answered(pipe.execute())
        return done


def _from_json(raw: Mapping[str, Any]) -> Session:
    return Session(**{**raw, "amr": tuple(raw["amr"])})

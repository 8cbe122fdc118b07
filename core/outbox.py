"""Events upward: written in the acting transaction, handled by the worker, each handler its own step.

A reader never asks `id > last` (a late commit would be skipped): it claims rows with `FOR UPDATE SKIP
LOCKED`. An event that names several handlers becomes one row per handler, so that one that fails is tried
again alone. Handlers are idempotent: a crash after the work and before the mark runs them twice.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import bindparam, delete, func, insert, select, text, update
from sqlmodel import Field

from core.clock import Clock
from core.database import Database, Query, Tx
from core.ids import new_id
from core.tables import Table, instant, jsonb

CHANNEL = "dinhdanh_outbox"
MAX_BACKOFF = timedelta(minutes=5)
KEEP_DONE = timedelta(days=1)
"""Long enough to look into what went wrong yesterday."""

log = structlog.get_logger(__name__)


class OutboxRow(Table, table=True):
    """One event for one handler."""

    __tablename__ = "outbox"
    __table_args__ = {"schema": "core"}

    event_id: uuid.UUID = Field(primary_key=True)
    handler: str = Field(primary_key=True)
    topic: str
    payload: dict[str, Any] = Field(sa_column=jsonb())
    emitted_at: datetime = Field(sa_column=instant())
    due_at: datetime = Field(sa_column=instant())
    attempts: int = 0
    done_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What a handler gets. payload: identifiers only, never personal data."""

    event_id: uuid.UUID
    topic: str
    payload: Mapping[str, Any]
    emitted_at: datetime


Handler = Callable[[Tx, Event], Awaitable[None]]

_INSERT = Query(
    insert(OutboxRow).values(
        event_id=bindparam("event_id"),
        handler=bindparam("handler"),
        topic=bindparam("topic"),
        payload=bindparam("payload", type_=OutboxRow.__table__.c.payload.type),  # type: ignore[attr-defined]
        emitted_at=bindparam("at"),
        due_at=bindparam("at"),
        attempts=0,
    )
)
_NOTIFY = Query(select(func.pg_notify(CHANNEL, bindparam("topic"))))
_C = OutboxRow.__table__.c  # type: ignore[attr-defined]
_CLAIM = Query(
    select(_C.event_id, _C.handler, _C.topic, _C.payload, _C.emitted_at, _C.attempts)
    .where(_C.done_at.is_(None), _C.due_at <= bindparam("now"))
    .order_by(_C.due_at)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_DONE = Query(
    update(OutboxRow)
    .where(_C.event_id == bindparam("b_event_id"), _C.handler == bindparam("b_handler"))
    .values(done_at=bindparam("now"))
)
_FAILED = Query(
    update(OutboxRow)
    .where(_C.event_id == bindparam("b_event_id"), _C.handler == bindparam("b_handler"))
    .values(attempts=_C.attempts + 1, due_at=bindparam("due"), last_error=bindparam("error"))
)
_FORGET = Query(delete(OutboxRow).where(_C.done_at < bindparam("before", type_=_C.done_at.type)))
_OLDEST = Query(select(func.count().label("n"), func.min(_C.due_at).label("oldest")).where(_C.done_at.is_(None)))


class Outbox:
    """Emits events and runs their handlers.

    handlers: topic → {name: handler}; the names are stored, so they must stay stable. The composition root
    fills it before the first emit.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._handlers: dict[str, dict[str, Handler]] = {}

    def register(self, topic: str, name: str, handler: Handler) -> None:
        """Adds a handler. Raises ValueError when the name is taken for that topic."""
        named = self._handlers.setdefault(topic, {})
        if name in named:
            raise ValueError(f"{topic}: handler {name} is there already")
        named[name] = handler

    def names(self) -> dict[str, tuple[str, ...]]:
        """Topic → names of its handlers: for processes that emit and do not handle, e.g. importers."""
        return {topic: tuple(handlers) for topic, handlers in self._handlers.items()}

    async def emit(self, tx: Tx, topic: str, payload: Mapping[str, Any]) -> None:
        """Writes the event in the acting transaction: it happens exactly when the act does."""
        event_id, now = new_id(), self._clock.now()
        for name in self._handlers.get(topic, {}):
            await tx.run(_INSERT, event_id=event_id, handler=name, topic=topic, payload=dict(payload), at=now)
        await tx.rows(_NOTIFY, topic=topic)

    async def run_once(self, database: Database) -> bool:
        """Claims and handles one event in one transaction; False when none is due."""
        failed: tuple[Event, str, int, Exception] | None = None
        async with database.raw() as tx:
            row = await tx.row(_CLAIM, now=self._clock.now())
            if row is None:
                return False
            event = Event(row["event_id"], row["topic"], row["payload"], row["emitted_at"])
            handler = self._handlers.get(event.topic, {}).get(row["handler"])
            try:
                if handler is None:
                    raise LookupError(f"no handler {row['handler']}")
                async with tx.savepoint():
                    await handler(tx, event)
            except Exception as error:
                failed = (event, row["handler"], row["attempts"], error)
                wait = min(timedelta(seconds=2 ** min(row["attempts"], 8)), MAX_BACKOFF)
                await tx.run(
                    _FAILED,
                    b_event_id=event.event_id,
                    b_handler=row["handler"],
                    due=self._clock.now() + wait,
                    error=type(error).__name__,
                )
            else:
                await tx.run(_DONE, b_event_id=event.event_id, b_handler=row["handler"], now=self._clock.now())
        if failed is not None:
            event, name, attempts, cause = failed
            log.warning(
                "outbox.failed",
                topic=event.topic,
                handler=name,
                attempts=attempts + 1,
                error=type(cause).__name__,
            )
        return True

    async def forget_done(self, database: Database) -> int:
        """Removes steps that were done a day ago; gives how many. What happened stands in the journal."""
        async with database.raw() as tx:
            return await tx.run(_FORGET, before=self._clock.now() - KEEP_DONE)

    async def backlog(self, tx: Tx) -> tuple[int, datetime | None]:
        """How many steps wait, and since when the oldest is due."""
        row = await tx.row(_OLDEST)
        return (0, None) if row is None else (row["n"], row["oldest"])


CREATE_INDEX = text("CREATE INDEX ix_outbox_due_at ON core.outbox (due_at) WHERE done_at IS NULL")

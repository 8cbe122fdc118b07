"""Whether a grant is live: the row's truth, remembered for less than a second, forgotten at a notification.

The memory is never older than a second, so a process that hears no notifications is no less right; and one
that cannot read either refuses (`Unavailable`).
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any

import structlog
from sqlalchemy import bindparam, select, union_all

from core.database import Database, Query
from core.tasks import end
from oidc.clients import Clients
from oidc.grants import CHANNEL
from oidc.tables import ClientRow, GrantRow, StandingGrantRow

MEMORY_SECONDS = 0.9
MAX_REMEMBERED = 50_000
_LISTEN_PAUSE_SECONDS = 1.0

_L: Any = ClientRow.__table__.c  # type: ignore[attr-defined]
_G: Any = GrantRow.__table__.c  # type: ignore[attr-defined]
_S: Any = StandingGrantRow.__table__.c  # type: ignore[attr-defined]


def _live_in(grants: Any, row: Any) -> Any:
    """A grant that is not revoked, of a client that is not suspended."""
    return (
        select(grants.gid)
        .join_from(row, ClientRow, _L.client_id == grants.client_id)
        .where(grants.gid == bindparam("gid"), grants.revoked_at.is_(None), _L.state == "active")
    )


_LIVE = Query(union_all(_live_in(_G, GrantRow), _live_in(_S, StandingGrantRow)))

log = structlog.get_logger(__name__)


class GrantStatuses:
    """The `GrantStatus` of token verification, one per process."""

    def __init__(self, database: Database, clients: Clients) -> None:
        self._database = database
        self._clients = clients
        self._known: dict[uuid.UUID, tuple[float, bool]] = {}
        self._asking: dict[uuid.UUID, asyncio.Task[bool]] = {}
        self._heard = 0
        self._also: list[Callable[[str], None]] = []

    def also_tell(self, hearer: Callable[[str], None]) -> None:
        """Lets another memory of this process hear the same notifications."""
        self._also.append(hearer)

    async def is_live(self, grant_id: uuid.UUID) -> bool:
        """At most a second old. Raises Unavailable when the row cannot be read."""
        known = self._known.get(grant_id)
        if known is not None and monotonic() - known[0] < MEMORY_SECONDS:
            return known[1]
        # Many requests with one token ask the database once.
        asking = self._asking.get(grant_id)
        if asking is None:
            asking = asyncio.ensure_future(self._ask(grant_id))
            self._asking[grant_id] = asking
            asking.add_done_callback(lambda _: self._asking.pop(grant_id, None))
        return await asyncio.shield(asking)

    async def _ask(self, grant_id: uuid.UUID) -> bool:
        asked_at, heard = monotonic(), self._heard
        live = await self._database.shared.row(_LIVE, gid=grant_id) is not None
        if heard == self._heard:  # else what was read may be older than what was heard
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            self._known[grant_id] = (asked_at, live)
        return live

    def forget(self, payload: str) -> None:
        """A notification: a grant's id, or `client:<client_id>`."""
        self._heard += 1
        for hearer in self._also:
            hearer(payload)
        if payload.startswith("client:"):
            self._clients.forget(payload.removeprefix("client:"))
            self._known.clear()
            return
        with suppress(ValueError):
            gid = uuid.UUID(payload)
            self._known.pop(gid, None)
            self._asking.pop(gid, None)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listens in the background while the block runs; connects again by itself."""
        task = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            await end(task)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._database.pool.acquire(timeout=5) as conn:
                    await self._listen_on(conn)
            except Exception as error:
                # Not heard is not wrong: the memory ends within a second anyway.
                log.warning("oidc.listen", error=type(error).__name__)
            await asyncio.sleep(_LISTEN_PAUSE_SECONDS)

    async def _listen_on(self, conn: Any) -> None:
        gone = asyncio.Event()

        def heard(_: object, __: int, ___: str, payload: str) -> None:
            self.forget(payload)

        def ended(_: object) -> None:
            gone.set()

        conn.add_termination_listener(ended)
        await conn.add_listener(CHANNEL, heard)
        try:
            await gone.wait()
        finally:
            if not conn.is_closed():
                conn.remove_termination_listener(ended)
                # A server that goes at this very moment must not turn the end of this task into an error to go on from.
                with suppress(Exception):
                    await conn.remove_listener(CHANNEL, heard)

"""The ping: tells a client that there is something to collect (CIBA §10.2). Queued in PostgreSQL, sent by the worker.

The row is leased before the call and settled after it, each in a short transaction of its own: no connection waits
for a client, and a worker that dies in between leaves a row that becomes due again. Clients that do not answer hold
up nobody else. What is sent, the client's own token, lies sealed and is removed as soon as it is of no more use.
"""

import asyncio
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog
from sqlalchemy import bindparam, select, update

from core.clock import Clock
from core.database import Database, Query
from core.outbound import Outbound, OutboundRefused
from oidc.ciba.requests import ping_label
from oidc.ciba.tables import CibaRequestRow
from oidc.clients import Clients
from privacy.vault.api import Vault

AT_ONCE = 8
LEASE = timedelta(seconds=30)
"""Longer than a call may take: who has not settled by then has died."""
MAX_BACKOFF = timedelta(seconds=60)

_C: Any = CibaRequestRow.__table__.c  # type: ignore[attr-defined]
_ROW = (_C.person_id == bindparam("of_person"), _C.request_id == bindparam("of_request"))
_NEXT = Query(
    select(_C.person_id, _C.request_id, _C.client_id, _C.ping_sealed, _C.ping_attempts, _C.expires_at)
    .where(_C.ping_due_at <= bindparam("now", type_=_C.ping_due_at.type))
    .order_by(_C.ping_due_at)
    .limit(AT_ONCE)
    .with_for_update(skip_locked=True)
)
_LEASE = Query(
    update(CibaRequestRow).where(*_ROW).values(ping_due_at=bindparam("due"), ping_attempts=_C.ping_attempts + 1)
)
_LATER = Query(update(CibaRequestRow).where(*_ROW, _C.ping_sealed.is_not(None)).values(ping_due_at=bindparam("due")))
_SETTLED = Query(update(CibaRequestRow).where(*_ROW).values(ping_due_at=None, ping_sealed=None))

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Leased:
    """A ping to send. attempt: 1 for the first."""

    person_id: uuid.UUID
    request_id: uuid.UUID
    client_id: str
    sealed: bytes
    attempt: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Pings:
    """Sends them. database: of the worker's login."""

    database: Database
    clock: Clock
    vault: Vault
    clients: Clients
    outbound: Outbound

    async def run_once(self) -> bool:
        """Sends what is due, several at once; False when nothing was. Raises Unavailable."""
        leased = await self._lease()
        await asyncio.gather(*(self._deliver(each) for each in leased))
        return bool(leased)

    async def _lease(self) -> list[_Leased]:
        now = self.clock.now()
        async with self.database.raw() as tx:
            rows = await tx.rows(_NEXT, now=now)
            for row in rows:
                await tx.run(_LEASE, of_person=row["person_id"], of_request=row["request_id"], due=now + LEASE)
        return [
            _Leased(
                row["person_id"],
                row["request_id"],
                row["client_id"],
                bytes(row["ping_sealed"]),
                row["ping_attempts"] + 1,
                row["expires_at"],
            )
            for row in rows
        ]

    async def _deliver(self, ping: _Leased) -> None:
        again = await self._send(ping)
        due = self.clock.now() + min(timedelta(seconds=2**ping.attempt), MAX_BACKOFF)
        which = {"of_person": ping.person_id, "of_request": ping.request_id}
        async with self.database.raw() as tx:
            if again and due < ping.expires_at:
                await tx.run(_LATER, **which, due=due)
            else:
                await tx.run(_SETTLED, **which)

    async def _send(self, ping: _Leased) -> bool:
        """Whether to try again: after a fault that may pass. What the client answers is otherwise its own affair."""
        client = await self.clients.get(ping.client_id)
        endpoint = None if client is None else client.options.backchannel_client_notification_endpoint
        if client is None or not client.active or endpoint is None:
            return False
        content = orjson.loads(self.vault.unseal_system(ping_label(ping.request_id), ping.sealed))
        try:
            answer = await self.outbound.post(
                endpoint,
                body=orjson.dumps({"auth_req_id": content["auth_req_id"]}),
                content_type="application/json",
                headers={"Authorization": f"Bearer {content['token']}"},
            )
        except OutboundRefused as refused:
            log.warning("ciba.ping", client_id=ping.client_id, attempt=ping.attempt, reason=refused.reason)
            return refused.passing
        if not 200 <= answer.status < 300:
            log.warning("ciba.ping", client_id=ping.client_id, attempt=ping.attempt, status=answer.status)
        return answer.status >= 500

"""The requests in PostgreSQL: written, found by their person, decided once, forgotten.

`state` changes in one statement that names `waiting`: of allow and refuse at once, one wins.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import bindparam, case, delete, func, insert, select, update

from core.database import Query, Row, Tx
from core.ids import hash_reference, new_reference, random_id
from oidc.ciba.tables import CibaRequestRow
from oidc.collect import COLLECT_SECONDS, INTERVAL_SECONDS
from privacy.vault.api import Vault

KEEP = timedelta(days=1)
"""How long an ended request is kept, so that its second use is recognised and the person can look it up."""
_RANDOM_BYTES = 30
"""More than a reference needs: clients measure an auth_req_id by its characters and want to find the 160 bits of
CIBA §7.3 there; in 35 characters they often do not."""

_C: Any = CibaRequestRow.__table__.c  # type: ignore[attr-defined]
_LATER = {"decided_at", "gid", "redeemed_at", "ping_due_at"}
_INSERT = Query(
    insert(CibaRequestRow).values(
        {column.name: bindparam(column.name, type_=column.type) for column in _C if column.name not in _LATER}
    )
)
_SHOWN = (_C.person_id, _C.request_id, _C.client_id, _C.sealed, _C.state, _C.requested_at, _C.expires_at)
_MINE = (_C.person_id == bindparam("of_person"), _C.request_id == bindparam("of_request"))
_FIND = Query(select(*_SHOWN).where(*_MINE))
_IS_WAITING = (_C.state == "waiting", _C.expires_at > bindparam("now", type_=_C.expires_at.type))
_WAITING = Query(
    select(*_SHOWN)
    .where(_C.person_id == bindparam("of_person"), *_IS_WAITING)
    .order_by(_C.requested_at.desc())
    .limit(50)
)
_COUNT = Query(select(func.count().label("n")).where(_C.person_id == bindparam("of_person"), *_IS_WAITING))
_ONE_AT_A_TIME = Query(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("what"), 0))))
_COUNT_OF_CLIENT = Query(
    select(func.count().label("n")).where(
        _C.person_id == bindparam("of_person"), _C.client_id == bindparam("of_client"), *_IS_WAITING
    )
)
_DUE = case((_C.ping_sealed.is_not(None), bindparam("now", type_=_C.ping_due_at.type)), else_=None)
_APPROVE = Query(
    update(CibaRequestRow)
    .where(*_MINE, *_IS_WAITING)
    .values(
        state="approved",
        decided_at=bindparam("now"),
        gid=bindparam("made_gid", type_=_C.gid.type),
        expires_at=func.greatest(_C.expires_at, bindparam("until", type_=_C.expires_at.type)),
        ping_due_at=_DUE,
    )
)
_DENY = Query(
    update(CibaRequestRow)
    .where(*_MINE, *_IS_WAITING)
    .values(state="denied", decided_at=bindparam("now"), ping_due_at=_DUE)
)
_DENY_ALL = Query(
    update(CibaRequestRow)
    .where(_C.person_id == bindparam("of_person"), *_IS_WAITING)
    .values(state="denied", decided_at=bindparam("now"), ping_due_at=_DUE)
)
_FORGET = Query(delete(CibaRequestRow).where(_C.expires_at < bindparam("before", type_=_C.expires_at.type)))


@dataclass(frozen=True, slots=True)
class CibaRequest:
    """A request as its person's pages need it. params: as checked, `binding_message` among them."""

    person_id: uuid.UUID
    request_id: uuid.UUID
    client_id: str
    state: str
    requested_at: datetime
    expires_at: datetime
    params: Mapping[str, str]

    def is_waiting(self, now: datetime) -> bool:
        return self.state == "waiting" and self.expires_at > now


@dataclass(frozen=True, slots=True)
class CibaRequests:
    """Reads and writes them. Every method takes the transaction first."""

    vault: Vault

    async def write(
        self,
        tx: Tx,
        *,
        person_id: uuid.UUID,
        client_id: str,
        params: Mapping[str, str],
        notification_token: str | None,
        lifetime_seconds: int,
        now: datetime,
    ) -> str:
        """Writes a request; gives its auth_req_id: 240 random bits behind the person's bucket, kept as a hash."""
        auth_req_id, request_id = new_reference(person_id, random_bytes=_RANDOM_BYTES), random_id(person_id)
        ping = None
        if notification_token is not None:
            content = orjson.dumps({"token": notification_token, "auth_req_id": auth_req_id})
            ping = self.vault.seal_system(ping_label(request_id), content)
        await tx.run(
            _INSERT,
            person_id=person_id,
            request_id=request_id,
            secret_hash=hash_reference(auth_req_id),
            client_id=client_id,
            sealed=self.vault.seal_system(_label(request_id), orjson.dumps(dict(params))),
            state="waiting",
            requested_at=now,
            expires_at=now + timedelta(seconds=lifetime_seconds),
            interval_seconds=INTERVAL_SECONDS,
            next_poll_at=now,
            too_fast=False,
            ping_sealed=ping,
            ping_attempts=0,
        )
        return auth_req_id

    async def find(self, tx: Tx, person_id: uuid.UUID, request_id: uuid.UUID) -> CibaRequest | None:
        """The person's own request; None for another's."""
        row = await tx.row(_FIND, of_person=person_id, of_request=request_id)
        return None if row is None else self._request(row)

    async def waiting(self, tx: Tx, person_id: uuid.UUID, *, now: datetime) -> Sequence[CibaRequest]:
        """What waits for the person's answer, newest first, at most 50."""
        return [self._request(row) for row in await tx.rows(_WAITING, of_person=person_id, now=now)]

    def _request(self, row: Row) -> CibaRequest:
        opened = self.vault.unseal_system(_label(row["request_id"]), bytes(row["sealed"]))
        return CibaRequest(
            person_id=row["person_id"],
            request_id=row["request_id"],
            client_id=row["client_id"],
            state=row["state"],
            requested_at=row["requested_at"],
            expires_at=row["expires_at"],
            params=orjson.loads(opened),
        )


async def count_waiting(tx: Tx, person_id: uuid.UUID, *, now: datetime) -> int:
    row = await tx.row(_COUNT, of_person=person_id, now=now)
    return 0 if row is None else int(row["n"])


async def count_waiting_of_client(tx: Tx, person_id: uuid.UUID, client_id: str, *, now: datetime) -> int:
    """Until the transaction ends nobody else counts them, so that what is counted can be written about."""
    await tx.row(_ONE_AT_A_TIME, what=f"oidc.ciba:{person_id}:{client_id}")
    row = await tx.row(_COUNT_OF_CLIENT, of_person=person_id, of_client=client_id, now=now)
    return 0 if row is None else int(row["n"])


async def approve(tx: Tx, person_id: uuid.UUID, request_id: uuid.UUID, gid: uuid.UUID, *, now: datetime) -> bool:
    """Claims the one answer; False when it was given before, or the time is over."""
    until = now + timedelta(seconds=COLLECT_SECONDS)
    return bool(await tx.run(_APPROVE, of_person=person_id, of_request=request_id, made_gid=gid, now=now, until=until))


async def deny(tx: Tx, person_id: uuid.UUID, request_id: uuid.UUID, *, now: datetime) -> bool:
    """As `approve`, for a refusal."""
    return bool(await tx.run(_DENY, of_person=person_id, of_request=request_id, now=now))


async def deny_all(tx: Tx, person_id: uuid.UUID, *, now: datetime) -> int:
    """Refuses all that waits for a person who may not answer any more; gives their number."""
    return await tx.run(_DENY_ALL, of_person=person_id, now=now)


async def forget(tx: Tx, *, now: datetime) -> int:
    """Removes what ended a day ago; gives how many. What was answered stands in the journal."""
    return await tx.run(_FORGET, before=now - KEEP)


def ping_label(request_id: uuid.UUID) -> str:
    """The vault's label of what the ping needs."""
    return f"oidc.ciba-ping:{request_id}"


def _label(request_id: uuid.UUID) -> str:
    return f"oidc.ciba:{request_id}"

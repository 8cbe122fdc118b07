"""The requests of kiosks in PostgreSQL: written, found by their user code, decided once, forgotten."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import ARRAY, Integer, LargeBinary, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from core.database import Query, Row, Tx
from core.errors import Unavailable
from core.ids import hash_reference, new_reference
from oidc.collect import COLLECT_SECONDS, INTERVAL_SECONDS
from oidc.device.tables import DeviceRequestRow
from oidc.device.user_codes import new_user_code
from privacy.vault.api import Vault

LIFETIME_SECONDS = 600
KEEP = timedelta(days=1)
KEEP_UNANSWERED = timedelta(minutes=10)
"""What nobody answered has no second use to recognise: only a kiosk that asks a little late is told that it ended."""
_CODE_KIND = "device user code"
_TRIES = 5

_C: Any = DeviceRequestRow.__table__.c  # type: ignore[attr-defined]
_LATER = {"decided_at", "gid", "redeemed_at", "person_id"}
_INSERT = Query(
    insert(DeviceRequestRow)
    .values({column.name: bindparam(column.name, type_=column.type) for column in _C if column.name not in _LATER})
    .on_conflict_do_nothing()
)
_SHOWN = (_C.bucket, _C.request_id, _C.client_id, _C.sealed, _C.state, _C.expires_at)
_IS_WAITING = (_C.state == "waiting", _C.expires_at > bindparam("now", type_=_C.expires_at.type))
_BY_CODE = Query(
    select(*_SHOWN).where(
        _C.bucket == func.any(bindparam("buckets", type_=ARRAY(Integer))),
        _C.user_code_mac == func.any(bindparam("macs", type_=ARRAY(LargeBinary))),
        *_IS_WAITING,
    )
)
_MINE = (_C.bucket == bindparam("of_bucket"), _C.request_id == bindparam("of_request"))
_FIND = Query(select(*_SHOWN).where(*_MINE))
_APPROVE = Query(
    update(DeviceRequestRow)
    .where(*_MINE, *_IS_WAITING)
    .values(
        state="approved",
        decided_at=bindparam("now"),
        gid=bindparam("made_gid", type_=_C.gid.type),
        person_id=bindparam("by_person", type_=_C.person_id.type),
        expires_at=func.greatest(_C.expires_at, bindparam("until", type_=_C.expires_at.type)),
    )
)
_DENY = Query(update(DeviceRequestRow).where(*_MINE, *_IS_WAITING).values(state="denied", decided_at=bindparam("now")))
_FORGET = Query(
    delete(DeviceRequestRow).where(
        or_(
            _C.expires_at < bindparam("before", type_=_C.expires_at.type),
            and_(_C.state == "waiting", _C.expires_at < bindparam("unanswered_before", type_=_C.expires_at.type)),
        )
    )
)


@dataclass(frozen=True, slots=True)
class DeviceCodes:
    """What a kiosk gets. user_code: without the dash."""

    device_code: str
    user_code: str

    def __repr__(self) -> str:
        return "DeviceCodes(…)"


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """A request as the pages need it. user_code: without the dash."""

    bucket: int
    request_id: uuid.UUID
    client_id: str
    state: str
    expires_at: datetime
    params: Mapping[str, str]
    user_code: str

    def is_waiting(self, now: datetime) -> bool:
        return self.state == "waiting" and self.expires_at > now


@dataclass(frozen=True, slots=True)
class DeviceRequests:
    """Reads and writes them. Every method takes the transaction first."""

    vault: Vault

    async def write(self, tx: Tx, *, client_id: str, params: Mapping[str, str], now: datetime) -> DeviceCodes:
        """Writes a request; gives its codes. Raises Unavailable when no free user code is found."""
        for _ in range(_TRIES):
            user_code, request_id = new_user_code(), uuid.uuid4()
            mac = self.vault.blind(_CODE_KIND, user_code).mac
            # 192 random bits behind the bucket that the user code leads to as well.
            device_code = new_reference(uuid.UUID(int=_bucket(mac)))
            content = orjson.dumps({"params": dict(params), "user_code": user_code})
            written = await tx.run(
                _INSERT,
                bucket=_bucket(mac),
                request_id=request_id,
                secret_hash=hash_reference(device_code),
                user_code_mac=mac,
                client_id=client_id,
                sealed=self.vault.seal_system(_label(request_id), content),
                state="waiting",
                requested_at=now,
                expires_at=now + timedelta(seconds=LIFETIME_SECONDS),
                interval_seconds=INTERVAL_SECONDS,
                next_poll_at=now,
                too_fast=False,
            )
            if written:
                return DeviceCodes(device_code, user_code)
        raise Unavailable("no-free-code", "The service is interrupted for a moment. Please try again.")

    async def by_user_code(self, tx: Tx, user_code: str, *, now: datetime) -> DeviceRequest | None:
        """The request that waits under a code; ended ones are as unknown as others."""
        macs = [blind.mac for blind in self.vault.blinds(_CODE_KIND, user_code)]
        row = await tx.row(_BY_CODE, buckets=[_bucket(mac) for mac in macs], macs=macs, now=now)
        return None if row is None else self._request(row)

    async def find(self, tx: Tx, bucket: int, request_id: uuid.UUID) -> DeviceRequest | None:
        row = await tx.row(_FIND, of_bucket=bucket, of_request=request_id)
        return None if row is None else self._request(row)

    def _request(self, row: Row) -> DeviceRequest:
        opened = orjson.loads(self.vault.unseal_system(_label(row["request_id"]), bytes(row["sealed"])))
        return DeviceRequest(
            bucket=row["bucket"],
            request_id=row["request_id"],
            client_id=row["client_id"],
            state=row["state"],
            expires_at=row["expires_at"],
            params=opened["params"],
            user_code=opened["user_code"],
        )


async def approve(tx: Tx, one: DeviceRequest, *, person_id: uuid.UUID, gid: uuid.UUID, now: datetime) -> bool:
    """Claims the one answer; False when it was given before, or the time is over."""
    until = now + timedelta(seconds=COLLECT_SECONDS)
    which = {"of_bucket": one.bucket, "of_request": one.request_id}
    return bool(await tx.run(_APPROVE, **which, by_person=person_id, made_gid=gid, now=now, until=until))


async def deny(tx: Tx, one: DeviceRequest, *, now: datetime) -> bool:
    """As `approve`, for a refusal."""
    return bool(await tx.run(_DENY, of_bucket=one.bucket, of_request=one.request_id, now=now))


async def forget(tx: Tx, *, now: datetime) -> int:
    """Removes what ended a day ago, and sooner what nobody answered; gives how many. What was answered stands in the
    journal."""
    return await tx.run(_FORGET, before=now - KEEP, unanswered_before=now - KEEP_UNANSWERED)


def _bucket(mac: bytes) -> int:
    return int.from_bytes(mac[:2], "big")


def _label(request_id: uuid.UUID) -> str:
    return f"oidc.device:{request_id}"

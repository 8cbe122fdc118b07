"""The standing grant of a client that acts for itself: one row per client, so that its tokens can be ended."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from core.database import Query, Reads, Tx
from oidc.grants import announce
from oidc.tables import StandingGrantRow

_C: Any = StandingGrantRow.__table__.c  # type: ignore[attr-defined]
_INSERT = Query(
    insert(StandingGrantRow).values(
        client_id=bindparam("client_id"),
        gid=bindparam("gid", type_=_C.gid.type),
        granted_at=bindparam("now", type_=_C.granted_at.type),
    )
)
_FIND = Query(select(_C.gid).where(_C.client_id == bindparam("client_id"), _C.revoked_at.is_(None)))
_RENEW = Query(
    update(StandingGrantRow)
    .where(_C.client_id == bindparam("of_client"), _C.gid == bindparam("of_gid"), _C.revoked_at.is_(None))
    .values(gid=bindparam("new_gid", type_=_C.gid.type), granted_at=bindparam("now", type_=_C.granted_at.type))
)
_REVOKE = Query(
    update(StandingGrantRow)
    .where(_C.client_id == bindparam("of_client"), _C.revoked_at.is_(None))
    .values(revoked_at=bindparam("now", type_=_C.revoked_at.type), revoked_reason=bindparam("reason"))
    .returning(_C.gid)
)


async def create(tx: Tx, client_id: str, now: datetime) -> uuid.UUID:
    """At registration. The id is random and belongs to no person."""
    gid = uuid.uuid4()
    await tx.run(_INSERT, client_id=client_id, gid=gid, now=now)
    return gid


async def find(tx: Reads, client_id: str) -> uuid.UUID | None:
    """The live one; None when there is none or it was revoked."""
    row = await tx.row(_FIND, client_id=client_id)
    return None if row is None else row["gid"]


async def renew(tx: Tx, client_id: str, gid: uuid.UUID, now: datetime) -> bool:
    """Ends all tokens given out so far and lets the client get new ones; False when they had ended before."""
    done = await tx.run(_RENEW, of_client=client_id, of_gid=gid, new_gid=uuid.uuid4(), now=now)
    if done:
        await announce(tx, gid)
    return bool(done)


async def revoke(tx: Tx, client_id: str, *, reason: str, now: datetime) -> bool:
    """Ends it for good: the client gets no tokens for itself any more."""
    row = await tx.row(_REVOKE, of_client=client_id, reason=reason, now=now)
    if row is not None:
        await announce(tx, row["gid"])
    return row is not None

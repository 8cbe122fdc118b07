"""The states of a client: pending → active ⇄ suspended → deleted. Whoever is not active is refused within a second."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select, update

from core.database import Query, Row, Tx
from core.errors import Conflict, NotFound
from oidc.grants import CHANNEL
from oidc.registration import journal_lines
from oidc.tables import ClientRow
from privacy.journal.api import ActorRef, Journal

MOVES = {
    "active": frozenset({"pending", "suspended"}),
    "suspended": frozenset({"active"}),
    "deleted": frozenset({"pending", "active", "suspended"}),
}
"""New state → states it may follow."""

_AGENCY, _OPERATOR = "agency", "operator"
"""Who suspended."""

_C: Any = ClientRow.__table__.c  # type: ignore[attr-defined]
_ROW = Query(select(*_C).where(_C.client_id == bindparam("client_id")))
_HELD = Query(select(*_C).where(_C.client_id == bindparam("client_id")).with_for_update())
_SET = Query(
    update(ClientRow)
    .where(_C.client_id == bindparam("of_client"))
    .values(
        state=bindparam("state"),
        suspended_by=bindparam("suspended_by", type_=_C.suspended_by.type),
        changed_at=bindparam("now", type_=_C.changed_at.type),
        registration_token_hash=bindparam("token_hash", type_=_C.registration_token_hash.type),
    )
)
_NOTIFY = Query(select(func.pg_notify(CHANNEL, bindparam("payload"))))


async def find_row(tx: Tx, client_id: str, *, agency_id: uuid.UUID | None = None) -> Row:
    """The row; of a deleted client too. agency_id: only a client of this agency.

    Raises NotFound `client-unknown`, the same for another agency's client.
    """
    return _found(await tx.row(_ROW, client_id=client_id), agency_id)


async def hold_row(tx: Tx, client_id: str, *, agency_id: uuid.UUID | None = None) -> Row:
    """The row, held to the end of the transaction: changes of one client follow each other."""
    return _found(await tx.row(_HELD, client_id=client_id), agency_id)


async def set_state(
    journal: Journal,
    tx: Tx,
    client_id: str,
    state: str,
    *,
    by: ActorRef,
    now: datetime,
    agency_id: uuid.UUID | None = None,
    reason: str | None = None,
) -> None:
    """Suspends ("suspended"), reinstates ("active") or deletes ("deleted") a client; its tokens are refused within
    a second. Doing it again does nothing.

    What the operator suspended no agency reinstates; whom its agency suspended the operator may suspend on top.

    Raises NotFound `client-unknown`, Conflict `client-state`, `client-suspended-by-operator`. A pending client becomes
    active by its review only.
    """
    row = await hold_row(tx, client_id, agency_id=agency_id)
    acting = _AGENCY if by.kind == "official" else _OPERATOR
    over_agency = state == "suspended" and acting == _OPERATOR and row["suspended_by"] == _AGENCY
    if row["state"] == state and not over_agency:
        return
    if not over_agency:
        _refuse_move(row, state, acting)
    await write_state(tx, row, state, now=now, suspended_by=acting if state == "suspended" else None)
    await journal_lines.write(
        journal, tx, f"oidc.client-{state}", by, agency=row["agency_code"], client=client_id, reason=reason
    )


async def write_state(tx: Tx, row: Row, state: str, *, now: datetime, suspended_by: str | None = None) -> None:
    """The bare change of a held row, told to all processes."""
    token_hash = None if state == "deleted" else row["registration_token_hash"]
    values = {"state": state, "suspended_by": suspended_by, "token_hash": token_hash}
    await tx.run(_SET, of_client=row["client_id"], now=after(row, now), **values)
    await announce(tx, row["client_id"])


def held_by_operator(row: Row) -> bool:
    """Whether the client is suspended, and not by its agency. Of clients suspended before this was kept: so."""
    return bool(row["state"] == "suspended" and row["suspended_by"] != _AGENCY)


def _refuse_move(row: Row, state: str, acting: str) -> None:
    if row["state"] not in MOVES[state] or (state == "active" and row["state"] == "pending"):
        raise Conflict("client-state", "The state of this client does not allow that.")
    if state == "active" and acting == _AGENCY and held_by_operator(row):
        raise Conflict(
            "client-suspended-by-operator", "The operator suspended this client: only the operator reinstates it."
        )


async def announce(tx: Tx, client_id: str) -> None:
    """Tells every process that what it remembers of the client is out of date, when the transaction commits."""
    await tx.rows(_NOTIFY, payload=f"client:{client_id}")


def after(row: Row, now: datetime) -> datetime:
    """An instant for `changed_at` that differs from the last one: memories go by it, and clocks stand still."""
    earliest: datetime = row["changed_at"] + timedelta(microseconds=1)
    return max(now, earliest)


def _found(row: Row | None, agency_id: uuid.UUID | None) -> Row:
    if row is None or (agency_id is not None and row["agency_id"] != agency_id):
        raise NotFound("client-unknown", "There is no such client.")
    return row

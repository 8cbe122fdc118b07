"""What a second person of the agency has to look at: new clients and changes of clients. Four eyes, never two.

The rule stands in the database as well: nobody approves what he proposed, and a review is decided once.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from core.database import Query, Row, Tx
from core.errors import Conflict, NotAllowed, NotFound
from oidc.registration.tables import ReviewRow
from oidc.registration.who import Who

_TABLE: Any = ReviewRow.__table__  # type: ignore[attr-defined]
_C: Any = _TABLE.c
_INSERT = Query(insert(_TABLE).values({column.name: bindparam(column.name, type_=column.type) for column in _C}))
_OPEN_OF_AGENCY = Query(
    select(*_C)
    .where(_C.agency_id == bindparam("agency_id"), _C.decided_at.is_(None))
    .order_by(_C.proposed_at, _C.review_id)
)
_OPEN_OF_CLIENT = Query(select(*_C).where(_C.client_id == bindparam("client_id"), _C.decided_at.is_(None)))
_APPROVED = Query(
    select(_C.review_id)
    .where(_C.agency_id == bindparam("agency_id"), _C.client_id == bindparam("client_id"), _C.decision == "approved")
    .limit(1)
)
_FIND = Query(select(*_C).where(_C.review_id == bindparam("review_id"), _C.agency_id == bindparam("agency_id")))
_DECIDE = Query(
    update(_TABLE)
    .where(_C.review_id == bindparam("of_review"), _C.decided_at.is_(None))
    .values(
        decided_by=bindparam("by"),
        decided_title=bindparam("title"),
        decided_at=bindparam("now", type_=_C.decided_at.type),
        decision=bindparam("decision_"),
        reason=bindparam("reason_", type_=_C.reason.type),
    )
    .returning(_C.review_id)
)


@dataclass(frozen=True, slots=True)
class Review:
    """See tables.ReviewRow."""

    review_id: uuid.UUID
    client_id: str
    agency_id: uuid.UUID
    kind: str
    metadata: Mapping[str, Any] | None
    based_on: datetime
    proposed_by: str
    proposed_title: str
    proposed_at: datetime
    decided_by: str | None
    decided_title: str | None
    decided_at: datetime | None
    decision: str | None
    reason: str | None

    @property
    def open(self) -> bool:
        return self.decided_at is None


async def propose_registration(tx: Tx, client_id: str, agency_id: uuid.UUID, *, by: Who, now: datetime) -> uuid.UUID:
    """A new client waits in the state pending."""
    return await _propose(tx, client_id, agency_id, "registration", None, based_on=now, by=by, now=now)


async def propose_change(tx: Tx, client: Row, metadata: Mapping[str, Any], *, by: Who, now: datetime) -> uuid.UUID:
    """New metadata for a client whose row is held. Raises Conflict `review-open` when one waits already."""
    if await open_of_client(tx, client["client_id"]) is not None:
        raise Conflict("review-open", "A change of this client is waiting for review already.")
    return await _propose(
        tx,
        client["client_id"],
        client["agency_id"],
        "change",
        dict(metadata),
        based_on=client["changed_at"],
        by=by,
        now=now,
    )


async def _propose(
    tx: Tx,
    client_id: str,
    agency_id: uuid.UUID,
    kind: str,
    metadata: dict[str, Any] | None,
    *,
    based_on: datetime,
    by: Who,
    now: datetime,
) -> uuid.UUID:
    review_id = uuid.uuid4()  # it stands in addresses: random
    undecided = dict.fromkeys(("decided_by", "decided_title", "decided_at", "decision", "reason"))
    await tx.run(
        _INSERT,
        review_id=review_id,
        client_id=client_id,
        agency_id=agency_id,
        kind=kind,
        metadata=metadata,
        based_on=based_on,
        proposed_by=by.key,
        proposed_title=by.title,
        proposed_at=now,
        **undecided,
    )
    return review_id


async def find(tx: Tx, review_id: uuid.UUID, agency_id: uuid.UUID) -> Review:
    """Raises NotFound `review-unknown`, for another agency's too."""
    row = await tx.row(_FIND, review_id=review_id, agency_id=agency_id)
    if row is None:
        raise NotFound("review-unknown", "There is nothing to review here.")
    return _review(row)


async def open_of_agency(tx: Tx, agency_id: uuid.UUID) -> Sequence[Review]:
    return [_review(row) for row in await tx.rows(_OPEN_OF_AGENCY, agency_id=agency_id)]


async def open_of_client(tx: Tx, client_id: str) -> Review | None:
    row = await tx.row(_OPEN_OF_CLIENT, client_id=client_id)
    return None if row is None else _review(row)


async def was_approved(tx: Tx, client: Row) -> bool:
    """Whether a second person ever approved something of this client."""
    return await tx.row(_APPROVED, agency_id=client["agency_id"], client_id=client["client_id"]) is not None


async def decide(tx: Tx, review: Review, decision: str, *, by: Who, now: datetime, reason: str | None = None) -> None:
    """Claims the decision in one step. decision: "approved" or "refused"; who proposed may refuse (take it back).

    Raises NotAllowed `second-person-needed`, Conflict `review-decided`.
    """
    if decision == "approved" and by.key == review.proposed_by:
        raise NotAllowed("second-person-needed", "Somebody else of your agency has to approve what you proposed.")
    claimed = await tx.row(
        _DECIDE,
        of_review=review.review_id,
        by=by.key,
        title=by.title,
        now=now,
        decision_=decision,
        reason_=reason,
    )
    if claimed is None:
        raise Conflict("review-decided", "Somebody has decided this already.")


def _review(row: Row) -> Review:
    return Review(**{name: row[name] for name in Review.__slots__})

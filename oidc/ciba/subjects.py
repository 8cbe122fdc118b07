"""Whom a `sub` means that a client may send back in an id_token_hint. The subject itself cannot be turned around."""

import uuid
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from core.database import Query, Tx
from core.ids import hash_reference
from oidc.ciba.tables import CibaSubjectRow

_C: Any = CibaSubjectRow.__table__.c  # type: ignore[attr-defined]
_REMEMBER = Query(
    insert(CibaSubjectRow)
    .values(subject_hash=bindparam("subject_hash"), person_id=bindparam("person_id"))
    .on_conflict_do_nothing()
)
_KNOWN = Query(select(_C.person_id).where(_C.subject_hash == bindparam("of_subject")))


async def remember_subject(tx: Tx, subject: str, person_id: uuid.UUID) -> None:
    """Lets a later hint find the person; called when a client that may ask in this way gets a grant."""
    await tx.run(_REMEMBER, subject_hash=hash_reference(subject), person_id=person_id)


async def person_behind(tx: Tx, subject: str) -> uuid.UUID | None:
    row = await tx.row(_KNOWN, of_subject=hash_reference(subject))
    return None if row is None else row["person_id"]

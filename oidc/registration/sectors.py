"""Sectors belong to one agency: who registers another's host would learn the pseudonyms that its people have there.

Also after the last client of a sector is deleted: the pseudonyms of its people still lie with the agency that had it.
"""

import uuid
from typing import Any

from sqlalchemy import bindparam, func, select

from core.database import Query, Tx
from oidc.errors import OAuthError
from oidc.tables import ClientRow

_C: Any = ClientRow.__table__.c  # type: ignore[attr-defined]
_TAKEN = Query(select(_C.client_id).where(_C.sector == bindparam("sector"), _C.agency_id != bindparam("agency_id")))
_LOCK = Query(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("what"), 0))))


async def refuse_taken(tx: Tx, sector: str, agency_id: uuid.UUID) -> None:
    """Raises OAuthError invalid_redirect_uri when a client of another agency has, or had, this sector.

    The sector is this transaction's until its end: of two agencies that register at once the second sees the first.
    """
    await tx.rows(_LOCK, what=f"oidc.sector:{sector}")
    if await tx.row(_TAKEN, sector=sector, agency_id=agency_id) is not None:
        raise OAuthError(
            "invalid_redirect_uri", "redirect_uris or sector_identifier_uri name a host of another agency."
        )

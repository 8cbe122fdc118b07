"""Sectors belong to one agency: who registers another's host would learn the pseudonyms that its people have there."""

import uuid
from typing import Any

from sqlalchemy import bindparam, select

from core.database import Query, Tx
from oidc.errors import OAuthError
from oidc.tables import ClientRow

_C: Any = ClientRow.__table__.c  # type: ignore[attr-defined]
_TAKEN = Query(
    select(_C.client_id).where(
        _C.sector == bindparam("sector"), _C.agency_id != bindparam("agency_id"), _C.state != "deleted"
    )
)


async def refuse_taken(tx: Tx, sector: str, agency_id: uuid.UUID) -> None:
    """Raises OAuthError invalid_redirect_uri when a client of another agency has this sector."""
    if await tx.row(_TAKEN, sector=sector, agency_id=agency_id) is not None:
        raise OAuthError("invalid_redirect_uri", "redirect_uris name a host that a client of another agency has.")

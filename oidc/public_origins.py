"""The origins that scripts of public clients come from: those of their registered redirect addresses.

An app's own addresses are none: a private-use scheme has no origin, and whoever listens on the machine is no script.
"""

from collections.abc import Mapping
from time import monotonic
from typing import Any

from sqlalchemy import select

from core.database import Database, Query
from core.errors import Unavailable
from oidc.redirect_uris import script_origin_of
from oidc.tables import ClientRow

MEMORY_SECONDS = 0.9
"""As for clients: a suspended one is out within a second."""

_C: Any = ClientRow.__table__.c  # type: ignore[attr-defined]
_PUBLIC = Query(
    select(_C.client_id, _C.redirect_uris, _C.details["application_type"].astext.label("application_type"))
    .where(_C.auth_method == "none", _C.state == "active")
    .order_by(_C.client_id)
)


class PublicOrigins:
    """Origin → clients, remembered for less than a second. One per process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: tuple[float, Mapping[str, frozenset[str]]] | None = None

    async def all(self) -> Mapping[str, frozenset[str]]:
        """Of active clients. Nothing when the database does not answer: then nobody may read."""
        asked_at = monotonic()
        if self._known is not None and asked_at - self._known[0] < MEMORY_SECONDS:
            return self._known[1]
        try:
            async with self._database.raw_read() as tx:
                rows = await tx.rows(_PUBLIC)
        except Unavailable:
            return {}
        found: dict[str, set[str]] = {}
        for row in rows:
            for uri in row["redirect_uris"]:
                origin = script_origin_of(uri, app=row["application_type"] == "native")
                if origin is not None:
                    found.setdefault(origin, set()).add(row["client_id"])
        self._known = (asked_at, {origin: frozenset(clients) for origin, clients in found.items()})
        return self._known[1]

    def forget(self) -> None:
        """A notification said that some client changed."""
        self._known = None

"""What the portal knows of a visitor while the visit lasts; in memory, forgotten after half an hour."""

import secrets
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

VISIT_SECONDS = 30 * 60
MOST_VISITS = 10_000


@dataclass(slots=True)
class Visit:
    """claims: the userinfo answer. id_token: for signing out. sid: of the session at the provider. dossier: number of
    the filed application."""

    claims: dict[str, Any]
    id_token: str = field(repr=False)
    started: float
    sid: str | None = None
    dossier: str | None = None


class Visits:
    """Visits by a random handle that stands in the signed cookie."""

    def __init__(self) -> None:
        self._visits: dict[str, Visit] = {}

    def begin(self, claims: dict[str, Any], id_token: str, sid: str | None) -> str:
        self._forget_old()
        handle = secrets.token_urlsafe(24)
        self._visits[handle] = Visit(claims=claims, id_token=id_token, started=monotonic(), sid=sid)
        return handle

    def of(self, handle: str | None) -> Visit | None:
        visit = self._visits.get(handle or "")
        return visit if visit and monotonic() - visit.started < VISIT_SECONDS else None

    def end(self, handle: str | None) -> Visit | None:
        return self._visits.pop(handle or "", None)

    def end_of(self, subject: str, sid: str | None) -> None:
        """Ends the visit of a session at the provider; without a sid all visits of the subject."""
        for handle, visit in list(self._visits.items()):
            if visit.claims.get("sub") == subject and (sid is None or visit.sid == sid):
                del self._visits[handle]

    def _forget_old(self) -> None:
        limit = monotonic() - VISIT_SECONDS
        for handle in [handle for handle, visit in self._visits.items() if visit.started < limit]:
            del self._visits[handle]
        while len(self._visits) >= MOST_VISITS:
            del self._visits[next(iter(self._visits))]

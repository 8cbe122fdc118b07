"""For developers at a sandbox: a client's last requests, what was wrong with them and how to mend it.

Open to everybody there, and not there at all anywhere else.
"""

from typing import Any

from fastapi import APIRouter
from sqlalchemy import bindparam, select
from starlette.requests import Request
from starlette.responses import Response

from core.clock import Clock
from core.database import Query
from core.errors import NotFound
from core.runtime import part
from core.settings import Settings
from core.web.edge import PageTx
from core.web.locale import request_locale
from core.web.pages import Pages
from oidc.client_log import ClientLog
from oidc.developer.views import client_line, note_views
from oidc.registration.state import find_row
from oidc.tables import ClientRow

router = APIRouter(include_in_schema=False)
MAX_CLIENTS = 200

_C: Any = ClientRow.__table__.c  # type: ignore[attr-defined]
_ALL = Query(select(*_C).where(_C.state != "deleted").order_by(_C.client_id).limit(bindparam("most")))


@router.get("/sandbox/clients")
async def clients(request: Request, tx: PageTx) -> Response:
    """Every client of the sandbox, with the way to its requests."""
    _only_sandbox(request)
    now, locale = part(request, Clock).now(), request_locale(request)  # type: ignore[type-abstract]
    rows = await tx.rows(_ALL, most=MAX_CLIENTS)
    return part(request, Pages).render(
        request, "developer/sandbox_clients.html", clients=[client_line(row, locale, now) for row in rows]
    )


@router.get("/sandbox/clients/{client_id}/requests")
async def requests(request: Request, tx: PageTx, client_id: str) -> Response:
    """A client's last requests, newest first. Raises NotFound, Unavailable."""
    _only_sandbox(request)
    row = await find_row(tx, client_id)
    now = part(request, Clock).now()  # type: ignore[type-abstract]
    notes = await part(request, ClientLog).last(client_id)
    return part(request, Pages).render(
        request,
        "developer/sandbox_requests.html",
        client=client_line(row, request_locale(request), now),
        row=row,
        notes=note_views(notes),
    )


def _only_sandbox(request: Request) -> None:
    if not part(request, Settings).sandbox:
        raise NotFound("not-found", "There is no such page.")

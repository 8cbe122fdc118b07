"""An agency's clients: the list, and one client with its health. /official/clients, /official/clients/{client_id}."""

from collections.abc import Sequence
from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from core.clock import Clock
from core.errors import Unavailable
from core.runtime import part
from core.web.edge import PageTx
from core.web.locale import request_locale
from core.web.pages import Pages
from oidc.client_ends import ClientEnds
from oidc.client_log import ClientLog, Note
from oidc.developer.health import radar, without_secret
from oidc.developer.seat import seat
from oidc.developer.views import WHAT_ENDS, WHEN_ENDS, client_line, members, note_views
from oidc.registration.as_metadata import as_metadata
from oidc.registration.room import Registration
from oidc.registration.state import held_by_operator

router = APIRouter(include_in_schema=False)
MAX_SHOWN = 20


@router.get("/official/clients")
async def clients(request: Request, tx: PageTx) -> Response:
    """The agency's clients, what waits for review, what ends soon."""
    here = await seat(request, tx)
    if isinstance(here, Response):
        return here
    desk, locale = part(request, Registration).desk, request_locale(request)
    now = part(request, Clock).now()  # type: ignore[type-abstract]
    rows = await desk.clients(tx, here.appointment.agency_id)
    seen = await part(request, ClientEnds).seen([row["client_id"] for row in rows])
    by_id = {row["client_id"]: client_line(row, locale, now, seen[row["client_id"]]) for row in rows}
    return part(request, Pages).render(
        request,
        "developer/clients.html",
        seat=here,
        clients=list(by_id.values()),
        names={client_id: line.name for client_id, line in by_id.items()},
        reviews=await desk.open_reviews(tx, here.appointment.agency_id),
        what_ends=WHAT_ENDS,
        when_ends=WHEN_ENDS,
    )


@router.get("/official/clients/{client_id}")
async def client(request: Request, tx: PageTx, client_id: str) -> Response:
    """One client: state, what ends soon, last uses, last errors with what to do."""
    here = await seat(request, tx)
    if isinstance(here, Response):
        return here
    desk, locale = part(request, Registration).desk, request_locale(request)
    now = part(request, Clock).now()  # type: ignore[type-abstract]
    row = await desk.client(tx, client_id, here.appointment.agency_id)
    log = part(request, ClientLog)
    try:
        notes, used = await log.last(client_id), await log.used(client_id)
    except Unavailable:
        notes, used = None, {}
    seen = (await part(request, ClientEnds).seen([client_id]))[client_id]
    errors = None if notes is None else note_views(_errors(notes))
    return part(request, Pages).render(
        request,
        "developer/client.html",
        seat=here,
        client=client_line(row, locale, now, seen),
        row=row,
        state=row["state"],
        by_operator=held_by_operator(row),
        no_secret=without_secret(row),
        radar=radar(row, now, seen),
        keys_at=seen.keys_at if seen.keys_uri == row["jwks_uri"] else None,
        what_ends=WHAT_ENDS,
        when_ends=WHEN_ENDS,
        members=members(as_metadata(row)),
        review=await desk.review_of(tx, client_id),
        errors=errors,
        used=_uses(used),
    )


def _errors(notes: Sequence[Note]) -> list[Note]:
    """The errors to show; those that anybody may have made take no place from the others."""
    errors = [note for note in notes if note.error]
    return [*[note for note in errors if note.proven][:MAX_SHOWN], *[note for note in errors if not note.proven]]


def _uses(used: dict[str, int]) -> list[tuple[str, datetime]]:
    """Endpoint and instant of its last use, the latest first."""
    instants = [(f"/{endpoint}", datetime.fromtimestamp(at, UTC)) for endpoint, at in used.items()]
    return sorted(instants, key=lambda each: each[1], reverse=True)

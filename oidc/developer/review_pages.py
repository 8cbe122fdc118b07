"""What a second person of the agency looks at: /official/clients/reviews/{review_id}."""

import uuid

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.clock import Clock
from core.database import Database, Tx
from core.errors import NotFound, Refusal
from core.runtime import part
from core.web.edge import PageTx
from core.web.forms import read_form
from core.web.locale import request_locale
from core.web.pages import Pages
from oidc.developer.seat import Seat, seat
from oidc.developer.views import client_line, differences, members
from oidc.errors import OAuthError
from oidc.registration.as_metadata import as_metadata
from oidc.registration.room import Registration

MAX_REASON = 300

router = APIRouter(include_in_schema=False)


@router.get("/official/clients/reviews/{review_id}")
async def review(request: Request, tx: PageTx, review_id: str) -> Response:
    """What would become true, and who proposed it."""
    here = await seat(request, tx)
    return here if isinstance(here, Response) else await _page(request, tx, here, _ident(review_id))


@router.post("/official/clients/reviews/{review_id}")
async def decide(request: Request, tx: PageTx, review_id: str) -> Response:
    """The decision. Nobody approves what he proposed himself."""
    form = await read_form(request, {"decision": 10, "reason": MAX_REASON})
    async with part(request, Database).page() as before:
        here = await seat(request, before)
    if isinstance(here, Response):
        return here
    desk, ident, agency_id = part(request, Registration).desk, _ident(review_id), here.appointment.agency_id
    try:
        if form["decision"] == "approve":
            async with part(request, Database).page() as before:
                document = await desk.document_of_review(before, ident, agency_id)
            await desk.read_document(document)  # before the transaction of the act takes its connection
            await desk.approve(tx, ident, agency_id, by=here.who, read=document)
        elif form["decision"] == "refuse" and form["reason"].isprintable():
            await desk.refuse(tx, ident, agency_id, by=here.who, reason=form["reason"].strip())
        else:
            return await _page(request, tx, here, ident, Refusal("decision", "Approve it or refuse it."))
    except NotFound:
        raise
    except Refusal as refusal:
        return await _page(request, tx, here, ident, refusal, reason=form["reason"])
    done = "approved" if form["decision"] == "approve" else "refused"
    return RedirectResponse(f"/official/clients?{done}=1", 303)


async def _page(
    request: Request, tx: Tx, here: Seat, ident: uuid.UUID, refusal: Refusal | None = None, *, reason: str = ""
) -> Response:
    desk, pages, agency_id = part(request, Registration).desk, part(request, Pages), here.appointment.agency_id
    found = await desk.review(tx, ident, agency_id)
    row = await desk.client(tx, found.client_id, agency_id)
    now = as_metadata(row)
    return pages.render(
        request,
        "developer/client_review.html",
        status=200 if refusal is None else refusal.status,
        seat=here,
        review=found,
        mine=found.proposed_by == here.who.key,
        client=client_line(row, request_locale(request), part(request, Clock).now()),  # type: ignore[type-abstract]
        changes=differences(now, found.metadata) if found.metadata is not None else (),
        members=members(now),
        errors={} if refusal is None else {"": pages.gettext(request, refusal.public)},
        detail=refusal.description if isinstance(refusal, OAuthError) else "",
        reason=reason,
    )


def _ident(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound("review-unknown", "There is nothing to review here.") from None

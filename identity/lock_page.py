"""The holder locks his own account (Law 26/2023 art. 34.1a): at once, and everywhere."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from core.runtime import part
from core.web.edge import PageTx
from core.web.forms import read_form
from core.web.pages import Pages
from identity.identity import Identity
from identity.records import actor_ref
from identity.session_pages import current
from identity.walk import where_of

router = APIRouter(include_in_schema=False)


@router.get("/me/lock")
async def lock_page(request: Request, tx: PageTx) -> Response:
    """The holder's: what a lock does, and a box to tick."""
    session = await current(request, tx)
    return _page(request, session.has_second_factor, errors={})


@router.post("/me/lock")
async def lock(request: Request, tx: PageTx) -> Response:
    """The holder's; one factor is enough to lock, unlocking wants two."""
    form = await read_form(request, {"confirm": 5})
    session = await current(request, tx)
    identity, pages = part(request, Identity), part(request, Pages)
    if form["confirm"] != "yes":
        errors = {"confirm": pages.gettext(request, "Tick the box to lock your account.")}
        return _page(request, session.has_second_factor, errors=errors, status=422)
    actor = identity.actor_of(session, as_official=False)
    await identity.locks.lock(tx, session.person, "holder", by=actor_ref(actor), where=where_of(request))
    # The lock's event ends sessions as well, when its turn comes; the holder does not have to wait for it.
    await identity.end_sessions(session.person)
    identity.keep(request, None)
    response = pages.render(request, "identity/lock_done.html", has_second_factor=session.has_second_factor)
    await identity.end_session(response, request)
    return response


def _page(request: Request, has_second_factor: bool, *, errors: dict[str, str], status: int = 200) -> Response:
    return part(request, Pages).render(
        request, "identity/lock.html", status=status, errors=errors, has_second_factor=has_second_factor
    )

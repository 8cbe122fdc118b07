"""Acts on one client: new secret, end of registration token, suspending, reinstating. Each page says what it does."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.clock import Clock
from core.database import Tx
from core.runtime import part
from core.web.edge import PageTx
from core.web.forms import read_form
from core.web.locale import request_locale
from core.web.pages import Pages
from oidc.developer.seat import Seat, seat
from oidc.developer.views import client_line
from oidc.registration.change import SECRET_OVERLAP
from oidc.registration.room import Registration

MAX_REASON = 300

router = APIRouter(include_in_schema=False)


@router.get("/official/clients/{client_id}/secret")
async def secret_ask(request: Request, tx: PageTx, client_id: str) -> Response:
    """What a new secret means for the one in use."""
    return await _ask(request, tx, client_id, "secret")


@router.post("/official/clients/{client_id}/secret")
async def secret_make(request: Request, tx: PageTx, client_id: str) -> Response:
    """The new secret, on this page alone."""
    lost = (await read_form(request, {"lost": 5}))["lost"] == "yes"
    here = await seat(request, tx)
    if isinstance(here, Response):
        return here
    desk = part(request, Registration).desk
    secret = await desk.renew_secret(tx, client_id, here.appointment.agency_id, by=here.who, lost=lost)
    return await _page(request, tx, here, client_id, "secret", secret=secret)


@router.get("/official/clients/{client_id}/registration")
async def registration_ask(request: Request, tx: PageTx, client_id: str) -> Response:
    """What its program can do no more without the token."""
    return await _ask(request, tx, client_id, "registration")


@router.post("/official/clients/{client_id}/registration")
async def registration_end(request: Request, tx: PageTx, client_id: str) -> Response:
    """The registration token is good for nothing any more."""
    await read_form(request, {})
    here = await seat(request, tx)
    if isinstance(here, Response):
        return here
    desk = part(request, Registration).desk
    await desk.end_registration_token(tx, client_id, here.appointment.agency_id, by=here.who)
    return RedirectResponse(f"/official/clients/{client_id}", 303)


@router.get("/official/clients/{client_id}/suspend")
async def suspend_ask(request: Request, tx: PageTx, client_id: str) -> Response:
    """What suspending stops."""
    return await _ask(request, tx, client_id, "suspend")


@router.post("/official/clients/{client_id}/suspend")
async def suspend(request: Request, tx: PageTx, client_id: str) -> Response:
    """Everything of the client is refused within a second. A reason is needed."""
    reason = (await read_form(request, {"reason": MAX_REASON}))["reason"].strip()
    here = await seat(request, tx)
    if isinstance(here, Response):
        return here
    if not reason or not reason.isprintable():
        text = part(request, Pages).gettext(request, "Enter the reason; it is kept in the journal.")
        return await _page(request, tx, here, client_id, "suspend", errors={"reason": text})
    return await _set(request, tx, here, client_id, "suspended", reason)


@router.get("/official/clients/{client_id}/reinstate")
async def reinstate_ask(request: Request, tx: PageTx, client_id: str) -> Response:
    """What comes back."""
    return await _ask(request, tx, client_id, "reinstate")


@router.post("/official/clients/{client_id}/reinstate")
async def reinstate(request: Request, tx: PageTx, client_id: str) -> Response:
    """The client may be used again."""
    await read_form(request, {})
    here = await seat(request, tx)
    return here if isinstance(here, Response) else await _set(request, tx, here, client_id, "active", "")


async def _set(request: Request, tx: Tx, here: Seat, client_id: str, state: str, reason: str) -> Response:
    desk = part(request, Registration).desk
    await desk.set_state(tx, client_id, here.appointment.agency_id, state, by=here.who, reason=reason)
    return RedirectResponse(f"/official/clients/{client_id}", 303)


async def _ask(request: Request, tx: Tx, client_id: str, act: str) -> Response:
    here = await seat(request, tx)
    return here if isinstance(here, Response) else await _page(request, tx, here, client_id, act)


async def _page(
    request: Request,
    tx: Tx,
    here: Seat,
    client_id: str,
    act: str,
    *,
    secret: str = "",
    errors: dict[str, str] | None = None,
) -> Response:
    row = await part(request, Registration).desk.client(tx, client_id, here.appointment.agency_id)
    now = part(request, Clock).now()  # type: ignore[type-abstract]
    return part(request, Pages).render(
        request,
        f"developer/client_{act}.html",
        status=422 if errors else 200,
        seat=here,
        client=client_line(row, request_locale(request), now),
        row=row,
        secret=secret,
        overlap_days=SECRET_OVERLAP.days,
        errors=errors or {},
    )

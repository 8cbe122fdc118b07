"""An official chooses under which appointment he acts."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from core.actor import Appointment
from core.errors import SignInNeeded
from core.runtime import part
from core.web.edge import PageTx
from core.web.forms import read_form
from core.web.locale import request_locale
from core.web.pages import Pages
from identity.appointments import as_json
from identity.identity import Identity
from identity.session_pages import current
from identity.sessions import Session
from identity.walk import see, set_session

DESK = "/official"

router = APIRouter(include_in_schema=False)


@router.get("/official/appointment")
async def appointment_page(request: Request, tx: PageTx) -> Response:
    """For officials, two factors and level 2. With one appointment there is nothing to choose."""
    session, appointments = await _session_and_appointments(request, tx)
    if len(appointments) == 1 and session.appointment is None:
        return await _act_under(request, session, appointments[0])
    return await _page(request, tx, session, appointments, errors={})


@router.post("/official/appointment")
async def choose_appointment(request: Request, tx: PageTx) -> Response:
    """For officials, two factors and level 2. The choice makes a new session identifier."""
    form = await read_form(request, {"appointment": 40})
    session, appointments = await _session_and_appointments(request, tx)
    for appointment in appointments:
        if str(appointment.appointment_id) == form["appointment"]:
            return await _act_under(request, session, appointment)
    message = part(request, Pages).gettext(request, "Choose one of your appointments.")
    return await _page(request, tx, session, appointments, errors={"appointment": message})


async def _session_and_appointments(request: Request, tx: PageTx) -> tuple[Session, list[Appointment]]:
    identity = part(request, Identity)
    await identity.actor(request, min_aal=2, min_ial=2)
    session = await current(request, tx)
    return session, await identity.appointments(tx, session.person, identity.appointed.today())


async def _act_under(request: Request, session: Session, appointment: Appointment) -> Response:
    identity = part(request, Identity)
    made = await identity.sessions.renew(identity.session_token(request), session, appointment=as_json(appointment))
    if made is None:
        raise SignInNeeded(min_aal=2, min_ial=2)
    response = see(DESK)
    set_session(request, response, *made)
    return response


async def _page(
    request: Request, tx: PageTx, session: Session, appointments: list[Appointment], *, errors: dict[str, str]
) -> Response:
    names = await part(request, Identity).agency_names(tx, request_locale(request))
    return part(request, Pages).render(
        request,
        "identity/appointment.html",
        status=422 if errors else 200,
        appointments=appointments,
        agency_names=names,
        chosen=(session.appointment or {}).get("appointment_id", ""),
        errors=errors,
    )

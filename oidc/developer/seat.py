"""Who sits at the pages of an agency's clients: an official at level 2 whose appointment allows it."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.actor import Appointment
from core.database import Tx
from core.errors import NotAllowed
from core.runtime import part
from core.web.locale import request_locale
from identity.api import Identity
from oidc.registration.who import Who

PERMISSION = "clients"
APPOINTMENTS = "/official/appointment"


@dataclass(frozen=True, slots=True)
class Seat:
    """who: for the journal and for four eyes. agency: its name in the reader's language."""

    who: Who
    appointment: Appointment
    agency: str


async def seat(request: Request, tx: Tx) -> Seat | Response:
    """Raises SignInNeeded, NotAllowed `clients-not-allowed`; somebody without an appointment goes to choose one."""
    identity = part(request, Identity)
    actor = await identity.actor(request, min_aal=2, min_ial=2)
    appointment = actor.appointment
    if actor.kind != "official" or appointment is None:
        return RedirectResponse(APPOINTMENTS, 303)
    if PERMISSION not in appointment.permissions:
        raise NotAllowed("clients-not-allowed", "Your appointment does not cover the clients of your agency.")
    agency = await identity.agency(tx, agency_id=appointment.agency_id)
    return Seat(Who.of_official(actor), appointment, agency.name(request_locale(request)))

"""Who sits at the pages of an agency's clients: an official at level 2 whose appointment allows it.

Whether it still stands is asked of the database at every page: a dismissed official's session lives on for a while.
"""

from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.actor import Appointment
from core.database import Tx
from core.errors import NotAllowed
from core.runtime import part
from core.web.locale import request_locale
from identity.api import Identity
from oidc.registration.who import PERMISSION, Who

APPOINTMENTS = "/official/appointment"


@dataclass(frozen=True, slots=True)
class Seat:
    """who: for the journal and for four eyes. agency: its name in the reader's language."""

    who: Who
    appointment: Appointment
    agency: str


async def seat(request: Request, tx: Tx) -> Seat | Response:
    """Raises SignInNeeded, NotAllowed `clients-not-allowed`; somebody without a standing appointment goes to choose."""
    identity = part(request, Identity)
    actor = await identity.actor(request, min_aal=2, min_ial=2)
    appointment = await identity.standing_appointment(tx, actor)
    if actor.kind != "official" or appointment is None:
        return RedirectResponse(APPOINTMENTS, 303)
    if PERMISSION not in appointment.permissions:
        raise NotAllowed("clients-not-allowed", "Your appointment does not cover the clients of your agency.")
    agency = await identity.agency(tx, agency_id=appointment.agency_id)
    return Seat(
        Who.of_official(replace(actor, appointment=appointment)), appointment, agency.name(request_locale(request))
    )

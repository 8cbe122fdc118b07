"""Who does something to a registration: for the journal, and to tell two people apart."""

import uuid
from dataclasses import dataclass

from core.actor import Actor
from core.errors import NotAllowed
from privacy.journal.api import ActorRef

PERMISSION = "clients"
"""Of an appointment: to act for the agency's clients."""

_PERSON = "person:"


@dataclass(frozen=True, slots=True)
class Who:
    """ref: for the journal. key: the same for one human being, however often he signs in. title: shown to people."""

    ref: ActorRef
    key: str
    title: str

    @classmethod
    def of_ref(cls, ref: ActorRef) -> "Who":
        """An operator, or a client itself."""
        return cls(ref, f"{ref.kind}:{ref.id}", ref.name_hint or ref.id)

    @classmethod
    def of_official(cls, actor: Actor) -> "Who":
        """An official under his appointment. By the person: a new account makes no second person.

        Raises NotAllowed when the actor is no official.
        """
        appointment = actor.appointment
        if appointment is None or actor.person_id is None:
            raise NotAllowed("appointment-needed", "Choose the appointment under which you act.")
        ref = ActorRef(
            kind=actor.kind,
            id=str(actor.account_id or actor.person_id),
            agency=appointment.agency_code,
            appointment=str(appointment.appointment_id),
            name_hint=f"{appointment.title}, {appointment.unit_code}",
        )
        return cls(ref, f"{_PERSON}{actor.person_id}", ref.name_hint)


def person_of(key: str) -> uuid.UUID | None:
    """Which person a kept key stands for; None when it is an operator's or a client's."""
    return uuid.UUID(key.removeprefix(_PERSON)) if key.startswith(_PERSON) else None

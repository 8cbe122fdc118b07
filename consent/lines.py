"""Journal lines of the door: who asked, for what, which field names; never a value."""

import uuid
from collections.abc import Iterable
from typing import Any

from consent.decide import Policy
from consent.disclosure import DisclosureRequest
from core.actor import Actor
from privacy.journal.api import ActorRef, Line

SELF = "self"
"""The legal basis of looking at one's own record (Law 91/2025 art. 4.1)."""

_LONGEST_PURPOSE = 200


def actor_ref(actor: Actor, agency_code: str | None) -> ActorRef:
    """The actor as the journal keeps him: internal identifiers, and for an official office and title."""
    appointment = actor.appointment
    ident = actor.client_id if actor.kind == "client" else str(actor.account_id or actor.person_id)
    return ActorRef(
        kind=actor.kind,
        id=ident or "unknown",
        agency=appointment.agency_code if appointment else actor.agency_code or agency_code,
        appointment=str(appointment.appointment_id) if appointment else None,
        name_hint=f"{appointment.title}, {appointment.unit_code}" if appointment else "",
    )


def disclosure_line(
    request: DisclosureRequest, subject: uuid.UUID, fields: tuple[str, ...], policies: Iterable[Policy]
) -> Line:
    """The line of an answer: the fields that go out."""
    return _line(
        request,
        kind="disclosure",
        subject=subject,
        purpose=_purposes(request, policies),
        fields=fields,
        outcome="answered",
        reason=None,
    )


def refusal_line(request: DisclosureRequest, subject: uuid.UUID | None, reason: str) -> Line:
    """The line of a refusal: the fields that were asked for."""
    return _line(
        request,
        kind="refusal",
        subject=subject,
        purpose=request.purpose,
        fields=request.fields,
        outcome="refused",
        reason=reason,
    )


def _line(request: DisclosureRequest, **rest: Any) -> Line:
    return Line(
        action=request.action,
        actor=actor_ref(request.actor, request.agency.code if request.agency else None),
        agency=request.agency.code if request.agency else None,
        legal_basis=request.legal_basis,
        procedure=request.procedure,
        dossier=request.dossier,
        details=dict(request.details),
        **rest,
    )


def _purposes(request: DisclosureRequest, policies: Iterable[Policy]) -> str | None:
    """One code, or several with spaces between (a portal's answer may serve several purposes)."""
    codes = sorted({policy.purpose for policy in policies})
    together = " ".join(codes)
    return request.purpose or (together if len(together) <= _LONGEST_PURPOSE else codes[0]) or None

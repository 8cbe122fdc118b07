"""Who is asking. Pages and APIs of every package depend on this, never on a higher package."""

import uuid
from dataclasses import field
from datetime import date
from typing import Literal, Protocol

from starlette.requests import Request

from core.record import record

ActorKind = Literal["citizen", "official", "client", "operator"]


@record
class Appointment:
    """An official's appointment (bổ nhiệm): the agency and unit, where, what for, from when to when.

    areas: province (2 digits) or commune (5 digits) codes; "*" is the whole country.
    permissions: e.g. "check.match", "check.fields".
    """

    appointment_id: uuid.UUID
    agency_id: uuid.UUID
    agency_code: str
    unit_code: str
    title: str
    areas: frozenset[str]
    permissions: frozenset[str]
    valid_from: date
    valid_to: date | None

    def covers(self, province: str, commune: str | None) -> bool:
        """Whether a place lies in the appointment's area."""
        return "*" in self.areas or province in self.areas or (commune is not None and commune in self.areas)


@record
class Actor:
    """The one who asks: a person at a level, perhaps under an appointment, or a client.

    aal: authentication level 1..4 (mức độ xác thực). ial: account level 1..2 (mức độ tài khoản định danh).
    """

    kind: ActorKind
    person_id: uuid.UUID | None = None
    account_id: uuid.UUID | None = None
    client_id: str | None = None
    agency_id: uuid.UUID | None = None
    agency_code: str | None = None
    appointment: Appointment | None = None
    aal: int = 0
    ial: int = 0
    amr: tuple[str, ...] = ()
    sid: str | None = None
    on_behalf_of: uuid.UUID | None = None
    grant_id: uuid.UUID | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)


class Authenticate(Protocol):
    """Says who is asking. Implemented by identity for people, by oidc for tokens."""

    async def actor(self, request: Request, *, min_aal: int = 1, min_ial: int = 1) -> Actor:
        """The actor behind a request. Raises SignInNeeded (people) or NotAllowed/Refusal 401 (tokens)."""
        ...

"""Officials' appointments: in whose name, for which area, for what, from when to when."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import text

from core.actor import Appointment
from core.clock import Clock, vietnam_day
from core.database import Query, Row, Tx
from core.errors import BadInput, Conflict, NotFound
from core.ids import new_id
from identity.agencies import Agencies
from identity.records import Records
from privacy.journal.api import ActorRef

_INSERT = Query(
    text(
        """
        INSERT INTO identity.appointments (
            person_id, appointment_id, agency_id, unit_code, title, areas, permissions, valid_from, valid_to, made_at)
        SELECT CAST(:person_id AS uuid), CAST(:appointment_id AS uuid), u.agency_id, u.unit_code,
            CAST(:title AS text), CAST(:areas AS text[]), CAST(:permissions AS text[]),
            CAST(:valid_from AS date), CAST(:valid_to AS date), CAST(:now AS timestamptz)
        FROM identity.units u WHERE u.agency_id = :agency_id AND u.unit_code = :unit_code
        RETURNING appointment_id
        """
    )
)
_VALID = Query(
    text(
        """
        SELECT p.appointment_id, p.agency_id, a.code AS agency_code, p.unit_code, p.title, p.areas,
            p.permissions, p.valid_from, p.valid_to
        FROM identity.appointments p JOIN identity.agencies a ON a.agency_id = p.agency_id
        WHERE p.person_id = :person_id AND p.ended_at IS NULL
            AND p.valid_from <= :day AND (p.valid_to IS NULL OR p.valid_to >= :day)
        ORDER BY p.valid_from, p.appointment_id
        """
    )
)
_END = Query(
    text(
        "UPDATE identity.appointments SET ended_at = :now WHERE person_id = :person_id"
        " AND appointment_id = :appointment_id AND ended_at IS NULL RETURNING appointment_id"
    )
)


class Appointments:
    """Appoints, lists, ends."""

    def __init__(self, clock: Clock, records: Records, agencies: Agencies) -> None:
        self._clock = clock
        self._records = records
        self._agencies = agencies

    async def appoint(
        self,
        tx: Tx,
        person_id: uuid.UUID,
        agency_code: str,
        unit_code: str,
        title: str,
        areas: Iterable[str],
        permissions: Iterable[str],
        valid_from: date,
        valid_to: date | None,
        *,
        by: ActorRef | None = None,
    ) -> uuid.UUID:
        """areas, permissions: as in core.actor.Appointment, neither may be empty. Days are Viet Nam's, both included.

        Raises NotFound `agency-unknown`, Conflict `unit-unknown`, BadInput `appointment`.
        """
        named, allowed = sorted(set(areas)), sorted(set(permissions))
        if not named or not allowed:
            raise BadInput("appointment", "An appointment names its area and what it allows.")
        if valid_to is not None and valid_to < valid_from:
            raise BadInput("appointment", "An appointment does not end before it begins.")
        agency = await self._agencies.get(tx, code=agency_code)
        appointment_id = new_id()
        row = await tx.row(
            _INSERT,
            person_id=person_id,
            appointment_id=appointment_id,
            agency_id=agency.agency_id,
            unit_code=unit_code,
            title=title,
            areas=named,
            permissions=allowed,
            valid_from=valid_from,
            valid_to=valid_to,
            now=self._clock.now(),
        )
        if row is None:
            raise Conflict("unit-unknown", "This agency has no such unit.")
        details = {"agency": agency_code, "unit": unit_code, "appointment": str(appointment_id)}
        await self._records.act(tx, "appointment.make", subject=person_id, by=by, details=details)
        return appointment_id

    async def of_person(self, tx: Tx, person_id: uuid.UUID, on: date) -> list[Appointment]:
        """Those in force on a day."""
        return [_appointment(row) for row in await tx.rows(_VALID, person_id=person_id, day=on)]

    async def end(self, tx: Tx, person_id: uuid.UUID, appointment_id: uuid.UUID, *, by: ActorRef | None = None) -> None:
        """Cuts one short, now. Raises NotFound `appointment-unknown`. Sessions under it lose it at their next use
        of the database; the caller may end them at once.
        """
        row = await tx.row(_END, person_id=person_id, appointment_id=appointment_id, now=self._clock.now())
        if row is None:
            raise NotFound("appointment-unknown", "There is no such appointment.")
        details = {"appointment": str(appointment_id)}
        await self._records.act(tx, "appointment.end", subject=person_id, by=by, details=details)

    def today(self) -> date:
        return vietnam_day(self._clock.now())


def in_force(appointment: Appointment, day: date) -> bool:
    """Whether the day lies in it (both ends included)."""
    return appointment.valid_from <= day and (appointment.valid_to is None or day <= appointment.valid_to)


def as_json(appointment: Appointment) -> dict[str, Any]:
    """For a session."""
    return {
        "appointment_id": str(appointment.appointment_id),
        "agency_id": str(appointment.agency_id),
        "agency_code": appointment.agency_code,
        "unit_code": appointment.unit_code,
        "title": appointment.title,
        "areas": sorted(appointment.areas),
        "permissions": sorted(appointment.permissions),
        "valid_from": appointment.valid_from.isoformat(),
        "valid_to": appointment.valid_to.isoformat() if appointment.valid_to else None,
    }


def from_json(raw: Mapping[str, Any]) -> Appointment:
    return Appointment(
        appointment_id=uuid.UUID(raw["appointment_id"]),
        agency_id=uuid.UUID(raw["agency_id"]),
        agency_code=raw["agency_code"],
        unit_code=raw["unit_code"],
        title=raw["title"],
        areas=frozenset(raw["areas"]),
        permissions=frozenset(raw["permissions"]),
        valid_from=date.fromisoformat(raw["valid_from"]),
        valid_to=date.fromisoformat(raw["valid_to"]) if raw["valid_to"] else None,
    )


def _appointment(row: Row) -> Appointment:
    return Appointment(
        appointment_id=row["appointment_id"],
        agency_id=row["agency_id"],
        agency_code=row["agency_code"],
        unit_code=row["unit_code"],
        title=row["title"],
        areas=frozenset(row["areas"]),
        permissions=frozenset(row["permissions"]),
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
    )

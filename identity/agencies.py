"""Agencies (cơ quan) and their units (đơn vị): reference data that every package names by code or id."""

import uuid
from dataclasses import dataclass

from sqlalchemy import bindparam, select, text

from core.clock import Clock
from core.database import Query, Reads, Row, Tx
from core.errors import Conflict, NotFound
from core.ids import new_id
from identity.records import Records
from identity.tables import AgencyRow
from privacy.journal.api import ActorRef

_C = AgencyRow.__table__.c  # type: ignore[attr-defined]
_COLUMNS = (_C.agency_id, _C.code, _C.name_vi, _C.name_en)
_BY_CODE = Query(select(*_COLUMNS).where(_C.code == bindparam("code")))
_BY_ID = Query(select(*_COLUMNS).where(_C.agency_id == bindparam("agency_id")))
_ALL = Query(select(*_COLUMNS).order_by(_C.code))
_INSERT = Query(
    text(
        "INSERT INTO identity.agencies (agency_id, code, name_vi, name_en, made_at)"
        " VALUES (:agency_id, :code, :name_vi, :name_en, :now) ON CONFLICT (code) DO NOTHING RETURNING agency_id"
    )
)
_INSERT_UNIT = Query(
    text(
        "INSERT INTO identity.units (agency_id, unit_code, name_vi, name_en, made_at)"
        " VALUES (:agency_id, :unit_code, :name_vi, :name_en, :now)"
        " ON CONFLICT (agency_id, unit_code) DO NOTHING RETURNING unit_code"
    )
)


@dataclass(frozen=True, slots=True)
class Agency:
    """code: e.g. "H26.12" (Decision 20/2020/QĐ-TTg)."""

    agency_id: uuid.UUID
    code: str
    name_vi: str
    name_en: str

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_vi


class Agencies:
    """Makes and finds them."""

    def __init__(self, clock: Clock, records: Records) -> None:
        self._clock = clock
        self._records = records

    async def create(self, tx: Tx, code: str, name_vi: str, name_en: str, *, by: ActorRef | None = None) -> uuid.UUID:
        """Raises Conflict `agency-exists`."""
        agency_id = new_id()
        values = {"agency_id": agency_id, "code": code, "name_vi": name_vi, "name_en": name_en}
        if await tx.row(_INSERT, **values, now=self._clock.now()) is None:
            raise Conflict("agency-exists", "There is an agency with this code already.")
        await self._records.act(tx, "agency.create", subject=None, by=by, details={"agency": code})
        return agency_id

    async def create_unit(
        self, tx: Tx, agency_code: str, unit_code: str, name_vi: str, name_en: str, *, by: ActorRef | None = None
    ) -> None:
        """Raises NotFound `agency-unknown`, Conflict `unit-exists`."""
        agency = await self.get(tx, code=agency_code)
        values = {"agency_id": agency.agency_id, "unit_code": unit_code, "name_vi": name_vi, "name_en": name_en}
        if await tx.row(_INSERT_UNIT, **values, now=self._clock.now()) is None:
            raise Conflict("unit-exists", "This agency has a unit with this code already.")
        details = {"agency": agency_code, "unit": unit_code}
        await self._records.act(tx, "unit.create", subject=None, by=by, details=details)

    async def get(self, tx: Reads, *, code: str | None = None, agency_id: uuid.UUID | None = None) -> Agency:
        """By code or by identifier. Raises NotFound `agency-unknown`."""
        if (code is None) == (agency_id is None):
            raise ValueError("code or agency_id, one of them")
        row = await tx.row(_BY_CODE, code=code) if code else await tx.row(_BY_ID, agency_id=agency_id)
        if row is None:
            raise NotFound("agency-unknown", "There is no such agency.")
        return _agency(row)

    async def names(self, tx: Tx, locale: str) -> dict[str, str]:
        """Code → name, of all."""
        return {agency.code: agency.name(locale) for agency in map(_agency, await tx.rows(_ALL))}


def _agency(row: Row) -> Agency:
    return Agency(row["agency_id"], row["code"], row["name_vi"], row["name_en"])

"""Life events (sự kiện hộ tịch) recorded one at a time: a death, a new number.

Each is one act: new versions of what it changes, and an event for the packages above, in one transaction.
Events carry the internal identifier only. Of two events at once on one person one wins; the other is a
Conflict, and whoever sent it looks again.
"""

import uuid
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_leave

from core.clock import Clock, vietnam_day
from core.database import Query, Tx
from core.errors import BadInput, Conflict, NotFound
from core.outbox import Outbox
from population_db.numbers import Number, check_against
from population_db.partial_dates import PartialDate
from population_db.read import ref
from population_db.record import PersonRef
from population_db.sealing import NUMBER, open_number, seal_number
from population_db.tables import NumberIndex, PersonNumber
from population_db.versions import Content, advance, changed_meanwhile, current, write_version
from privacy.vault.api import Vault

DIED = "person.died"
NUMBER_CHANGED = "person.number_changed"

_NumberIndex = NumberIndex.__table__  # type: ignore[attr-defined]
_N = _NumberIndex.c
_PersonNumber = PersonNumber.__table__  # type: ignore[attr-defined]
_H = _PersonNumber.c

_NUMBERS = Query(
    select(_H.ordinal, _H.status, _H.sealed).where(_H.person_id == bindparam("person_id")).order_by(_H.ordinal)
)
_CANCEL = Query(
    update(_PersonNumber)
    .where(_H.person_id == bindparam("b_person_id"), _H.status == "active")
    .values(
        status="cancelled", cancelled_on=bindparam("b_on", type_=_H.cancelled_on.type), reason=bindparam("b_reason")
    )
)
_CANCEL_INDEX = Query(
    update(_NumberIndex)
    .where(_N.person_id == bindparam("b_person_id"), _N.mac == bindparam("b_mac"))
    .values(status="cancelled")
)
_ADD_NUMBER = Query(insert(_PersonNumber))
_CLAIM_NUMBER = Query(insert_or_leave(_NumberIndex).on_conflict_do_nothing())


class LifeEvents:
    """Records life events."""

    def __init__(self, vault: Vault, clock: Clock, outbox: Outbox) -> None:
        self._vault = vault
        self._clock = clock
        self._outbox = outbox

    async def record_death(
        self,
        tx: Tx,
        person_id: uuid.UUID,
        on: PartialDate | date,
        source: str,
        *,
        expected_version: int | None = None,
    ) -> None:
        """Records a death and emits `person.died` {person_id}.

        on: the day of death, as far as it is known. source: code of the authority that reports it.
        expected_version: of the record the reporter has seen. Raises NotFound, Conflict (dead already, or
        changed meanwhile), BadInput (the day lies before birth or in the future).
        """
        death = on if isinstance(on, PartialDate) else PartialDate.of(on)
        async with tx.savepoint():
            person, at = await self._person(tx, person_id, expected_version), self._clock.now()
            if person.status == "dead":
                raise Conflict("already-dead", "The death is recorded already.")
            await advance(tx, person_id, person.version, "dead", at)
            civil = await self._civil(tx, person_id)
            birth = PartialDate.parse(civil.values["birth_date"])
            if death.latest() < birth.earliest() or death.earliest() > vietnam_day(at):
                raise BadInput(
                    "death-date", "The date of death cannot be right.", fields={"on": "before birth or in the future"}
                )
            values = {**civil.values, "life_status": "dead", "death_date": death.iso}
            await self._write(tx, person_id, civil, values, source, at)
            await self._outbox.emit(tx, DIED, {"person_id": str(person_id)})

    async def change_number(
        self,
        tx: Tx,
        person_id: uuid.UUID,
        new: Number,
        *,
        reason: str,
        source: str,
        expected_version: int | None = None,
    ) -> None:
        """Gives a person a new number (xác lập lại số định danh) and cancels the present one.

        reason: a code such as "sex-redetermined", "birth-data-wrong", "duplicate" (lower case and hyphens).
        Emits `person.number_changed` {person_id}. The cancelled number goes on finding the person, as
        cancelled. Raises NotFound, Conflict (number taken, changed meanwhile), BadInput.
        """
        async with tx.savepoint():
            person, at = await self._person(tx, person_id, expected_version), self._clock.now()
            await advance(tx, person_id, person.version, person.status, at)
            civil = await self._civil(tx, person_id)
            problems = check_against(new, PartialDate.parse(civil.values["birth_date"]), civil.values["sex"])
            if problems:
                raise BadInput("number", "The number does not fit the person.", fields={"number": "; ".join(problems)})
            await self._exchange(tx, person_id, new, reason, at)
            await self._write(tx, person_id, civil, {**civil.values, "personal_number": new.digits}, source, at)
            await self._outbox.emit(tx, NUMBER_CHANGED, {"person_id": str(person_id)})

    async def _exchange(self, tx: Tx, person_id: uuid.UUID, new: Number, reason: str, at: datetime) -> None:
        numbers = await tx.rows(_NUMBERS, person_id=person_id)
        for row in numbers:
            if row["status"] == "active":
                digits = open_number(self._vault, person_id, row["ordinal"], row["sealed"])
                for blind in self._vault.blinds(NUMBER, digits):
                    await tx.run(_CANCEL_INDEX, b_person_id=person_id, b_mac=blind.mac)
        await tx.run(_CANCEL, b_person_id=person_id, b_on=vietnam_day(at), b_reason=reason)
        for blind in self._vault.blinds(NUMBER, new.digits):
            claimed = await tx.run(
                _CLAIM_NUMBER, mac=blind.mac, key_version=blind.key_version, person_id=person_id, status="active"
            )
            if claimed != 1:  # given to somebody, or to this person before: a number is never given twice
                raise Conflict("number-taken", "The number was given already.")
        ordinal = max((row["ordinal"] for row in numbers), default=0) + 1
        await tx.run(
            _ADD_NUMBER,
            person_id=person_id,
            ordinal=ordinal,
            status="active",
            sealed=seal_number(self._vault, person_id, ordinal, new.digits),
            reason=None,
            cancelled_on=None,
            recorded_at=at,
        )

    async def _person(self, tx: Tx, person_id: uuid.UUID, expected_version: int | None) -> PersonRef:
        person = await ref(tx, person_id)
        if person is None:
            raise NotFound("person-unknown", "There is no such person.")
        if expected_version is not None and person.version != expected_version:
            raise changed_meanwhile()
        return person

    async def _civil(self, tx: Tx, person_id: uuid.UUID) -> Content:
        return (await current(tx, self._vault, person_id, "civil"))["civil"]

    async def _write(
        self, tx: Tx, person_id: uuid.UUID, old: Content, values: dict[str, Any], source: str, at: datetime
    ) -> None:
        new = replace(old, values=values, source=source, as_of=vietnam_day(at))
        await write_version(tx, self._vault, person_id, old, new, at)

"""The registry as the packages above see it: one object, methods that take the transaction first."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date

from core.clock import Clock
from core.database import Reads, Tx
from core.outbox import Outbox
from population_db import read as reading
from population_db import search as searching
from population_db.life_events import LifeEvents
from population_db.numbers import Number
from population_db.partial_dates import PartialDate
from population_db.record import PersonRef, Record
from privacy.vault.api import Vault


class Registry:
    """Finds, reads, searches persons and records life events, through either door of the database.

    It answers whoever calls: the right to ask is the caller's to check (consent's disclosure door).
    """

    def __init__(self, vault: Vault, clock: Clock, outbox: Outbox) -> None:
        self._vault = vault
        self._events = LifeEvents(vault, clock, outbox)

    async def find_by_number(self, tx: Reads, number: Number | str) -> PersonRef | None:
        """The person who has or had a 12-digit number, or None. Look at `is_current_number`."""
        return await reading.find_by_number(tx, self._vault, number)

    async def holders_of(self, tx: Reads, numbers: Iterable[str]) -> dict[str, uuid.UUID]:
        """Who has or had each of these 12-digit numbers, cancelled ones too; in one trip."""
        return await reading.holders_of(tx, self._vault, numbers)

    async def ref(self, tx: Reads, person_id: uuid.UUID) -> PersonRef | None:
        """The person with this internal identifier, or None."""
        return await reading.ref(tx, person_id)

    async def read(self, tx: Reads, person_id: uuid.UUID, fields: Iterable[str]) -> Record:
        """Fields of a person, each with source and as-of date; only their groups are opened.

        Raises NotFound, ValueError for a field that is not in the catalogue, SealBroken.
        """
        return await reading.read(tx, self._vault, person_id, fields)

    async def read_many(
        self, tx: Reads, person_ids: Sequence[uuid.UUID], fields: Iterable[str]
    ) -> dict[uuid.UUID, Record]:
        """`read` for several persons in one trip; who is not there is not in the answer."""
        return await reading.read_many(tx, self._vault, person_ids, fields)

    async def search(
        self,
        tx: Tx,
        *,
        full_name: str,
        birth_date: PartialDate | str | None = None,
        birth_year: int | None = None,
        province: str | None = None,
        limit: int = 20,
    ) -> list[uuid.UUID]:
        """Persons of this name and birth, likeliest first. Raises BadInput: a name alone is not enough."""
        return await searching.search(
            tx,
            self._vault,
            full_name=full_name,
            birth_date=birth_date,
            birth_year=birth_year,
            province=province,
            limit=limit,
        )

    async def find_by_old_id(self, tx: Tx, old_id: str) -> list[uuid.UUID]:
        """Persons who had a 9-digit identity card number: never proof of who somebody is."""
        return await searching.find_by_old_id(tx, self._vault, old_id)

    async def record_death(
        self,
        tx: Tx,
        person_id: uuid.UUID,
        on: PartialDate | date,
        source: str,
        *,
        expected_version: int | None = None,
    ) -> None:
        """See LifeEvents.record_death. Emits `person.died`."""
        await self._events.record_death(tx, person_id, on, source, expected_version=expected_version)

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
        """See LifeEvents.change_number. Emits `person.number_changed`."""
        await self._events.change_number(
            tx, person_id, new, reason=reason, source=source, expected_version=expected_version
        )

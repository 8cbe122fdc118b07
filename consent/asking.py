"""Loads what the question is built from, and says what is granted."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from consent.capacity import Incapacity, incapacity
from consent.consents import load_live_by_purpose
from consent.coverage import cover
from consent.published import load_policies, load_purposes
from consent.question import CONSENT, ConsentAsk, Known, PurposeAsk, Question, allowed_fields, build_question
from consent.tables import DeclinedRow
from core.clock import Clock, vietnam_day
from core.database import Query, Tx
from identity.api import Identity
from population_db.api import PartialDate, Registry

_D: Any = DeclinedRow.__table__.c  # type: ignore[attr-defined]
_DECLINED = Query(
    select(_D.purpose_code, _D.field_code, _D.purpose_major).where(
        _D.person_id == bindparam("person_id"),
        _D.agency_id == bindparam("agency_id"),
        _D.expires_at > bindparam("now"),
    )
)


@dataclass(frozen=True, slots=True)
class Granted:
    """What is agreed to for one purpose: by which consents, and which of the asked fields."""

    consent_ids: tuple[uuid.UUID, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """The questions. They read names of fields and instants; of the record only the two fields of `why_not_alone`."""

    identity: Identity
    registry: Registry
    clock: Clock

    async def question(self, tx: Tx, ask: ConsentAsk) -> Question | None:
        """What is still to be asked, or None. Raises NotAllowed `purpose-not-allowed`, NotFound (agency)."""
        now = self.clock.now()
        agency = await self.identity.agency(tx, agency_id=ask.agency_id)
        codes = [one.code for one in ask.asks]
        purposes = await load_purposes(tx, codes, now)
        known = Known(
            purposes=purposes,
            policies=await load_policies(tx, ask.agency_id, codes, now),
            consents=await load_live_by_purpose(tx, ask.person_id, ask.agency_id, now),
            declined=await _load_declined(
                tx, ask.person_id, ask.agency_id, {code: one.major for code, one in purposes.items()}, now
            ),
        )
        return build_question(ask, agency, known, now)

    async def granted(
        self,
        tx: Tx,
        person_id: uuid.UUID,
        agency_id: uuid.UUID,
        purpose_fields: Mapping[str, Iterable[str]],
    ) -> dict[str, Granted]:
        """Per purpose what live consents cover of the asked fields (none named: of all of the policy's).

        A purpose that the agency may not ask for, or that nothing covers, is missing.
        """
        now = self.clock.now()
        policies = await load_policies(tx, agency_id, list(purpose_fields), now)
        consents = await load_live_by_purpose(tx, person_id, agency_id, now)
        found: dict[str, Granted] = {}
        for code, policy in policies.items():
            if CONSENT not in policy.legal_bases:
                continue
            fields = allowed_fields(PurposeAsk(code, tuple(purpose_fields[code])), policy)
            state = cover(
                fields, consents.get(code, ()), major=policy.purpose_major, keep_days=policy.keep_days, now=now
            )
            if state.covered:
                covered = tuple(one for one in fields if one in state.covered)
                found[code] = Granted(state.consent_ids, covered)
        return found

    async def why_not_alone(self, tx: Tx, person_id: uuid.UUID) -> Incapacity | None:
        """Why the person may not consent for himself, or None.

        The two fields are read in the house for the house's own rule and go to nobody, so there is no
        disclosure and no journal line (docs/decisions/0006).
        """
        record = await self.registry.read(tx, person_id, ("birth_date", "representative"))
        birth = record.get("birth_date")
        return incapacity(
            PartialDate.parse(birth) if birth else None,
            bool(record.get("representative")),
            vietnam_day(self.clock.now()),
        )


async def _load_declined(
    tx: Tx, person_id: uuid.UUID, agency_id: uuid.UUID, majors: Mapping[str, int], now: datetime
) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for row in await tx.rows(_DECLINED, person_id=person_id, agency_id=agency_id, now=now):
        code = row["purpose_code"]
        if majors.get(code) == row["purpose_major"]:
            found[code] = found.get(code, frozenset()) | {row["field_code"]}
    return found

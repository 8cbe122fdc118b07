"""Loads what the question is built from, and says what is granted."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from consent.capacity import Incapacity, incapacity
from consent.coverage import cover
from consent.facts import Facts, load_live_facts
from consent.published import load_purposes
from consent.question import CONSENT, ConsentAsk, Known, PurposeAsk, Question, allowed_fields, build_question, merged
from consent.tables import DeclinedRow
from core.clock import Clock, vietnam_day
from core.database import Query, Reads
from core.record import record
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


@record
class Granted:
    """What is agreed to for one purpose: by which consents, and which of the asked fields."""

    consent_ids: tuple[uuid.UUID, ...]
    fields: tuple[str, ...]


@record
class Standing:
    """How a request stands with a person: what is still to be asked (None: nothing), and what is agreed to already.

    min_aal, min_ial: what the policies of the purposes agreed to ask of a sign-in.
    """

    question: Question | None
    granted: Mapping[str, Granted]
    min_aal: int
    min_ial: int


@dataclass(frozen=True, slots=True)
class Asking:
    """The questions. They read names of fields and instants; of the record only the two fields of `why_not_alone`."""

    identity: Identity
    registry: Registry
    clock: Clock

    async def question(self, tx: Reads, ask: ConsentAsk) -> Question | None:
        """What is still to be asked, or None. Raises NotAllowed `purpose-not-allowed`, NotFound (agency)."""
        return (await self.standing(tx, ask)).question

    async def standing(self, tx: Reads, ask: ConsentAsk, *, answered: bool = False) -> Standing:
        """What is still to be asked and what is agreed to, in one pass. answered: the person has just answered, so
        that nothing is asked and what is not agreed to stays out.

        What is agreed to in full costs one statement. Raises NotAllowed `purpose-not-allowed`, NotFound (agency).
        """
        now = self.clock.now()
        asks = merged(ask.asks)
        facts = await load_live_facts(tx, ask.agency_id, [one.code for one in asks], ask.person_id, now)
        granted = _granted(asks, facts, now)
        question = None
        if not answered and (ask.again or not _all_granted(asks, facts, granted)):
            question = await self._question(tx, ask, facts, now)
        held = [facts[code].policy for code in granted]
        return Standing(
            question,
            granted,
            min_aal=max((one.min_aal for one in held), default=1),
            min_ial=max((one.min_ial for one in held), default=1),
        )

    async def _question(
        self,
        tx: Reads,
        ask: ConsentAsk,
        facts: Mapping[str, Facts],
        now: datetime,
    ) -> Question | None:
        agency = await self.identity.agency(tx, agency_id=ask.agency_id)
        purposes = await load_purposes(tx, [one.code for one in ask.asks], now)
        known = Known(
            purposes=purposes,
            policies={code: one.policy for code, one in facts.items()},
            consents={code: one.consents for code, one in facts.items()},
            declined=await _load_declined(
                tx, ask.person_id, ask.agency_id, {code: one.major for code, one in purposes.items()}, now
            ),
        )
        return build_question(ask, agency, known, now)

    async def granted(
        self,
        tx: Reads,
        person_id: uuid.UUID,
        agency_id: uuid.UUID,
        purpose_fields: Mapping[str, Iterable[str]],
    ) -> dict[str, Granted]:
        """Per purpose what live consents cover of the asked fields (none named: of all of the policy's).

        A purpose that the agency may not ask for, or that nothing covers, is missing.
        """
        now = self.clock.now()
        facts = await load_live_facts(tx, agency_id, list(purpose_fields), person_id, now)
        asks = [PurposeAsk(code, tuple(fields)) for code, fields in purpose_fields.items()]
        return _granted(asks, facts, now)

    async def why_not_alone(self, tx: Reads, person_id: uuid.UUID) -> Incapacity | None:
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


def _granted(asks: Iterable[PurposeAsk], facts: Mapping[str, Facts], now: datetime) -> dict[str, Granted]:
    found: dict[str, Granted] = {}
    for ask in asks:
        known = facts.get(ask.code)
        if known is None or CONSENT not in known.policy.legal_bases:
            continue
        policy = known.policy
        fields = allowed_fields(ask, policy)
        state = cover(fields, known.consents, major=policy.purpose_major, keep_days=policy.keep_days, now=now)
        if state.covered:
            found[ask.code] = Granted(state.consent_ids, tuple(one for one in fields if one in state.covered))
    return found


def _all_granted(asks: Iterable[PurposeAsk], facts: Mapping[str, Facts], granted: Mapping[str, Granted]) -> bool:
    """Whether nothing is left that could be asked; a purpose without a policy is left, to be refused."""
    return all(
        one.code in granted and granted[one.code].fields == allowed_fields(one, facts[one.code].policy) for one in asks
    )


async def _load_declined(
    tx: Reads, person_id: uuid.UUID, agency_id: uuid.UUID, majors: Mapping[str, int], now: datetime
) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for row in await tx.rows(_DECLINED, person_id=person_id, agency_id=agency_id, now=now):
        code = row["purpose_code"]
        if majors.get(code) == row["purpose_major"]:
            found[code] = found.get(code, frozenset()) | {row["field_code"]}
    return found

"""What the rule needs to know of policies and consents, in one trip to the database."""

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Text, Uuid, and_, bindparam, func

from consent.decide import Consented
from consent.policies import Policy
from consent.published import JOINED, policy_of
from consent.tables import ConsentRow, PolicyRow
from core.database import Query, Reads, Row
from core.record import record

_P: Any = PolicyRow.__table__.c  # type: ignore[attr-defined]
_C: Any = ConsentRow.__table__.c  # type: ignore[attr-defined]
_MOST = 200
"""Rows of one person, recipient and purpose: far more than there are; a limit all the same."""

_WITH_CONSENTS = JOINED.add_columns(
    _C.consent_id,
    _C.person_id,
    _C.purpose_major.label("consented_major"),
    _C.fields.label("consented_fields"),
    _C.keep_days.label("consented_keep_days"),
    _C.given_at,
    _C.expires_at,
    _C.withdrawn_at,
)
_SAME_DECLARATION = and_(
    _C.person_id == bindparam("person_id"),
    _C.agency_id == _P.agency_id,
    _C.purpose_code == _P.purpose_code,
)
_BY_PURPOSE = Query(
    _WITH_CONSENTS.outerjoin(ConsentRow, _SAME_DECLARATION)
    .where(_P.purpose_code == bindparam("purpose_code"))
    .order_by(_C.given_at.desc())
    .limit(_MOST)
)
_BY_CONSENTS = Query(
    _WITH_CONSENTS.join(ConsentRow, _SAME_DECLARATION)
    .where(_C.consent_id == func.any(bindparam("consent_ids", type_=ARRAY(Uuid))))
    .order_by(_P.purpose_code, _C.given_at.desc())
    .limit(_MOST)
)
_OF_PURPOSES = Query(
    _WITH_CONSENTS.outerjoin(
        ConsentRow, and_(_SAME_DECLARATION, _C.withdrawn_at.is_(None), _C.expires_at > bindparam("now"))
    ).where(_P.purpose_code == func.any(bindparam("purpose_codes", type_=ARRAY(Text))))
)


@record
class Facts:
    """A policy in force and the person's consents to it: live and ended, newest first, unless said otherwise."""

    policy: Policy
    consents: tuple[Consented, ...]


async def load_facts(
    tx: Reads, agency_id: uuid.UUID, purpose: str, person_id: uuid.UUID, now: datetime
) -> Facts | None:
    """For one purpose; None when the agency has no policy for it in force."""
    rows = await tx.rows(_BY_PURPOSE, agency_id=agency_id, purpose_code=purpose, person_id=person_id, now=now)
    return _grouped(rows).get(purpose)


async def load_facts_of_consents(
    tx: Reads, agency_id: uuid.UUID, consent_ids: Collection[uuid.UUID], person_id: uuid.UUID, now: datetime
) -> Mapping[str, Facts]:
    """For the purposes of these consents, by purpose code; a consent of somebody else adds nothing."""
    rows = await tx.rows(_BY_CONSENTS, agency_id=agency_id, consent_ids=list(consent_ids), person_id=person_id, now=now)
    return _grouped(rows)


async def load_live_facts(
    tx: Reads, agency_id: uuid.UUID, purposes: Collection[str], person_id: uuid.UUID, now: datetime
) -> Mapping[str, Facts]:
    """For these purposes, by code, with live consents only, in any order; one without a policy is missing."""
    rows = await tx.rows(_OF_PURPOSES, agency_id=agency_id, purpose_codes=list(purposes), person_id=person_id, now=now)
    return _grouped(rows)


def _grouped(rows: Collection[Row]) -> dict[str, Facts]:
    policies: dict[str, Policy] = {}
    consents: dict[str, list[Consented]] = {}
    for row in rows:
        purpose = row["purpose_code"]
        if purpose not in policies:
            policies[purpose] = policy_of(row)
        if row["consent_id"] is not None:
            consents.setdefault(purpose, []).append(_consented(row))
    return {code: Facts(policy, tuple(consents.get(code, ()))) for code, policy in policies.items()}


def _consented(row: Row) -> Consented:
    return Consented(
        consent_id=row["consent_id"],
        person_id=row["person_id"],
        agency_id=row["agency_id"],
        purpose=row["purpose_code"],
        purpose_major=row["consented_major"],
        fields=frozenset(row["consented_fields"]),
        keep_days=row["consented_keep_days"],
        given_at=row["given_at"],
        expires_at=row["expires_at"],
        withdrawn_at=row["withdrawn_at"],
    )

"""Sharing policies (chính sách chia sẻ): what one agency may get for one purpose. No policy means: nothing.

Decree 278/2025 and Decree 194/2025 ask for sharing by default between bodies; what is shared stays bounded by
the purpose and the fields the body's task needs (Law 91/2025 art. 3, 17).
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Text, and_, bindparam, func, or_, select

from consent import decide
from consent.tables import PolicyRow, PurposeRow
from core.database import Query, Row, Tx


@dataclass(frozen=True, slots=True)
class Policy(decide.Policy):
    """One version of a policy, with the version of its purpose in force at the same instant.

    Beyond what the rule needs: the recipient's code, which fields the purpose cannot be served without, and
    how long a consent lasts. legal_bases: codes that both the policy and the purpose allow.
    """

    agency_code: str
    purpose_minor: int
    mandatory_fields: frozenset[str]
    consent_days: int


_P: Any = PolicyRow.__table__.c  # type: ignore[attr-defined]
_U: Any = PurposeRow.__table__.c  # type: ignore[attr-defined]
_NOW: Any = bindparam("now")
_BOTH_IN_FORCE = and_(
    _P.valid_from <= _NOW,
    or_(_P.valid_to.is_(None), _P.valid_to > _NOW),
    _U.valid_from <= _NOW,
    or_(_U.valid_to.is_(None), _U.valid_to > _NOW),
)
_JOINED = (
    select(
        *_P,
        _U.major.label("purpose_major"),
        _U.minor.label("purpose_minor"),
        _U.legal_bases.label("purpose_bases"),
    )
    .join_from(PolicyRow, PurposeRow, _U.purpose_code == _P.purpose_code)
    .where(_P.agency_id == bindparam("agency_id"), _BOTH_IN_FORCE)
)
_ONE = Query(_JOINED.where(_P.purpose_code == bindparam("purpose_code")))
_SOME = Query(_JOINED.where(_P.purpose_code == func.any(bindparam("purpose_codes", type_=ARRAY(Text)))))
_ALL = Query(_JOINED.order_by(_P.purpose_code))


async def load_policy(tx: Tx, agency_id: uuid.UUID, purpose_code: str, now: datetime) -> Policy | None:
    """The policy in force at `now`; None when it, or its purpose, is not."""
    row = await tx.row(_ONE, agency_id=agency_id, purpose_code=purpose_code, now=now)
    return None if row is None else policy_of(row)


async def load_policies(
    tx: Tx, agency_id: uuid.UUID, purpose_codes: Collection[str], now: datetime
) -> dict[str, Policy]:
    """The policies in force at `now`, by purpose code; what the agency may not is missing."""
    rows = await tx.rows(_SOME, agency_id=agency_id, purpose_codes=list(purpose_codes), now=now)
    return {row["purpose_code"]: policy_of(row) for row in rows}


async def policies_of(tx: Tx, agency_id: uuid.UUID, now: datetime) -> list[Policy]:
    """All policies of an agency in force at `now`, by purpose code."""
    return [policy_of(row) for row in await tx.rows(_ALL, agency_id=agency_id, now=now)]


def policy_of(row: Row) -> Policy:
    """A joined row as a domain object."""
    return Policy(
        agency_id=row["agency_id"],
        purpose=row["purpose_code"],
        version=row["version"],
        purpose_major=row["purpose_major"],
        fields=frozenset(row["fields"]),
        legal_bases=frozenset(row["legal_bases"]) & frozenset(row["purpose_bases"]),
        max_answer=row["max_answer"],
        min_aal=row["min_aal"],
        min_ial=row["min_ial"],
        needs_dossier=row["needs_dossier"],
        needs_procedure=row["needs_procedure"],
        procedures=frozenset(row["procedures"]),
        keep_days=row["keep_days"],
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
        agency_code=row["agency_code"],
        purpose_minor=row["purpose_minor"],
        mandatory_fields=frozenset(row["mandatory_fields"]),
        consent_days=row["consent_days"],
    )

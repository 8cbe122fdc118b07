"""What is published and in force: purposes and sharing policies, loaded for an instant."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Text, and_, bindparam, func, or_, select

from consent.policies import Policy
from consent.purposes import Purpose, PurposeTexts
from consent.tables import PolicyRow, PurposeRow
from core.database import Query, Reads, Row, Tx

_U: Any = PurposeRow.__table__.c  # type: ignore[attr-defined]
_P: Any = PolicyRow.__table__.c  # type: ignore[attr-defined]
_NOW: Any = bindparam("now")


def _in_force(columns: Any) -> Any:
    return and_(columns.valid_from <= _NOW, or_(columns.valid_to.is_(None), columns.valid_to > _NOW))


_CURRENT = Query(select(*_U).where(_U.purpose_code == func.any(bindparam("codes", type_=ARRAY(Text))), _in_force(_U)))
_VERSION = Query(
    select(*_U).where(
        _U.purpose_code == bindparam("code"), _U.major == bindparam("major"), _U.minor == bindparam("minor")
    )
)
JOINED = (
    select(
        *_P,
        _U.major.label("purpose_major"),
        _U.minor.label("purpose_minor"),
        _U.legal_bases.label("purpose_bases"),
    )
    .join_from(PolicyRow, PurposeRow, _U.purpose_code == _P.purpose_code)
    .where(_P.agency_id == bindparam("agency_id"), _in_force(_P), _in_force(_U))
)
_ONE = Query(JOINED.where(_P.purpose_code == bindparam("purpose_code")))
_SOME = Query(JOINED.where(_P.purpose_code == func.any(bindparam("purpose_codes", type_=ARRAY(Text)))))
_ALL = Query(JOINED.order_by(_P.purpose_code))


async def load_purposes(tx: Reads, codes: Collection[str], now: datetime) -> dict[str, Purpose]:
    """The versions in force at `now`, by code; a code without one is missing."""
    rows = await tx.rows(_CURRENT, codes=list(codes), now=now)
    return {row["purpose_code"]: purpose_of(row) for row in rows}


async def load_purpose_version(tx: Tx, code: str, major: int, minor: int) -> Purpose | None:
    """One version, in force or not: what a consent was given to."""
    row = await tx.row(_VERSION, code=code, major=major, minor=minor)
    return None if row is None else purpose_of(row)


def purpose_of(row: Row) -> Purpose:
    """A row of consent.purposes as a domain object."""
    return Purpose(
        code=row["purpose_code"],
        major=row["major"],
        minor=row["minor"],
        vi=_texts_of(row, "vi"),
        en=_texts_of(row, "en"),
        text_hash=bytes(row["text_hash"]),
        legal_bases=frozenset(row["legal_bases"]),
        valid_from=row["valid_from"],
    )


def _texts_of(row: Row, locale: str) -> PurposeTexts:
    return PurposeTexts(
        title=row[f"title_{locale}"],
        description=row[f"description_{locale}"],
        if_refused=row[f"if_refused_{locale}"],
        legal_source=row[f"legal_source_{locale}"],
    )


async def load_policy(tx: Reads, agency_id: uuid.UUID, purpose_code: str, now: datetime) -> Policy | None:
    """The policy in force at `now`; None when it, or its purpose, is not."""
    row = await tx.row(_ONE, agency_id=agency_id, purpose_code=purpose_code, now=now)
    return None if row is None else policy_of(row)


async def load_policies(
    tx: Reads, agency_id: uuid.UUID, purpose_codes: Collection[str], now: datetime
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

"""Consents (sự đồng ý) as they are loaded: for coverage, for the disclosure door, for the citizen's page."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Uuid, and_, bindparam, column, func, select

from consent.coverage import GivenConsent
from consent.tables import ConsentRow
from core.database import Query, Reads, Row, Tx

_C: Any = ConsentRow.__table__.c  # type: ignore[attr-defined]
_ABOUT = and_(
    _C.person_id == bindparam("person_id"),
    _C.agency_id == bindparam("agency_id"),
    _C.purpose_code == bindparam("purpose_code"),
)
_MOST = 200
"""Far more than a person gives one recipient for one purpose; a limit all the same."""
_HISTORY = Query(select(*_C).where(_ABOUT).order_by(_C.given_at.desc()).limit(_MOST))
_LIVE = Query(
    select(*_C)
    .where(_ABOUT, _C.withdrawn_at.is_(None), _C.expires_at > bindparam("now"))
    .order_by(_C.given_at.desc())
    .limit(_MOST)
)
_OF_AGENCY = Query(
    select(*_C).where(
        _C.person_id == bindparam("person_id"),
        _C.agency_id == bindparam("agency_id"),
        _C.withdrawn_at.is_(None),
        _C.expires_at > bindparam("now"),
    )
)
_OF_PERSON = Query(
    select(*_C)
    .where(_C.person_id == bindparam("person_id"))
    .order_by(_C.given_at.desc(), _C.consent_id.desc())
    .limit(bindparam("most"))
)
_BY_REFERENCE = Query(select(*_C).where(_C.person_id == bindparam("person_id"), _C.reference == bindparam("reference")))
_ASKED_PAIRS = (
    func.unnest(bindparam("person_ids", type_=ARRAY(Uuid)), bindparam("consent_ids", type_=ARRAY(Uuid)))
    .table_valued(column("person_id", Uuid), column("consent_id", Uuid), name="asked")
    .render_derived()
)
_STILL_LIVE = Query(
    select(_C.person_id, _C.consent_id)
    .join_from(
        ConsentRow,
        _ASKED_PAIRS,
        and_(_C.person_id == _ASKED_PAIRS.c.person_id, _C.consent_id == _ASKED_PAIRS.c.consent_id),
    )
    .where(_C.withdrawn_at.is_(None), _C.expires_at > bindparam("now"))
    # In one order, so that two batches never wait for each other. FOR SHARE: a withdrawal that is under way
    # is waited for and seen, and one that comes later waits until the batch with its answers is committed.
    .order_by(_C.person_id, _C.consent_id)
    .with_for_update(read=True, of=ConsentRow)
)


async def load_live_consents(
    tx: Tx, person_id: uuid.UUID, agency_id: uuid.UUID, purpose_code: str, now: datetime
) -> list[GivenConsent]:
    """Neither withdrawn nor expired at `now`, the newest first. Whether one counts: coverage.counts."""
    rows = await tx.rows(_LIVE, person_id=person_id, agency_id=agency_id, purpose_code=purpose_code, now=now)
    return [consent_of(row) for row in rows]


async def load_consents(tx: Tx, person_id: uuid.UUID, agency_id: uuid.UUID, purpose_code: str) -> list[GivenConsent]:
    """Live and ended ones, the newest first: to say why a consent does not hold."""
    rows = await tx.rows(_HISTORY, person_id=person_id, agency_id=agency_id, purpose_code=purpose_code)
    return [consent_of(row) for row in rows]


async def load_live_by_purpose(
    tx: Reads, person_id: uuid.UUID, agency_id: uuid.UUID, now: datetime
) -> dict[str, list[GivenConsent]]:
    """All live consents of a person to one recipient, by purpose code."""
    found: dict[str, list[GivenConsent]] = {}
    for row in await tx.rows(_OF_AGENCY, person_id=person_id, agency_id=agency_id, now=now):
        found.setdefault(row["purpose_code"], []).append(consent_of(row))
    return found


async def load_own_consents(tx: Tx, person_id: uuid.UUID, most: int = 500) -> list[GivenConsent]:
    """What a person gave to anybody, live and ended, the newest first."""
    return [consent_of(row) for row in await tx.rows(_OF_PERSON, person_id=person_id, most=most)]


async def find_own_consent(tx: Tx, person_id: uuid.UUID, reference: str) -> GivenConsent | None:
    """One of the person's own consents by its reference; another's is as if it did not exist."""
    row = await tx.row(_BY_REFERENCE, person_id=person_id, reference=reference)
    return None if row is None else consent_of(row)


async def still_live(
    tx: Tx, pairs: Iterable[tuple[uuid.UUID, uuid.UUID]], now: datetime
) -> frozenset[tuple[uuid.UUID, uuid.UUID]]:
    """Which of these (person_id, consent_id) are live, locked until the transaction ends.

    For the journal's batch: what it commits after this stands before any later withdrawal.
    """
    asked: Sequence[tuple[uuid.UUID, uuid.UUID]] = sorted(set(pairs))
    if not asked:
        return frozenset()
    rows = await tx.rows(
        _STILL_LIVE,
        person_ids=[person_id for person_id, _ in asked],
        consent_ids=[consent_id for _, consent_id in asked],
        now=now,
    )
    return frozenset((row["person_id"], row["consent_id"]) for row in rows)


def consent_of(row: Row) -> GivenConsent:
    """A row of consent.consents as a domain object."""
    return GivenConsent(
        consent_id=row["consent_id"],
        person_id=row["person_id"],
        agency_id=row["agency_id"],
        purpose=row["purpose_code"],
        purpose_major=row["purpose_major"],
        fields=frozenset(row["fields"]),
        given_at=row["given_at"],
        expires_at=row["expires_at"],
        withdrawn_at=row["withdrawn_at"],
        reference=row["reference"],
        agency_code=row["agency_code"],
        client_id=row["client_id"],
        client_name=row["client_name"],
        purpose_minor=row["purpose_minor"],
        policy_version=row["policy_version"],
        text_hash=bytes(row["text_hash"]),
        locale=row["locale"],
        channel=row["channel"],
        aal=row["aal"],
        ial=row["ial"],
        keep_days=row["keep_days"],
        withdrawn_by=row["withdrawn_by"],
    )


def consent_row(consent: GivenConsent, answer_key: bytes) -> dict[str, Any]:
    """The columns of consent.consents; fields sorted. answer_key: the claim it was given under."""
    return {
        "person_id": consent.person_id,
        "consent_id": consent.consent_id,
        "reference": consent.reference,
        "answer_key": answer_key,
        "agency_id": consent.agency_id,
        "agency_code": consent.agency_code,
        "client_id": consent.client_id,
        "client_name": consent.client_name,
        "purpose_code": consent.purpose,
        "purpose_major": consent.purpose_major,
        "purpose_minor": consent.purpose_minor,
        "policy_version": consent.policy_version,
        "text_hash": consent.text_hash,
        "locale": consent.locale,
        "channel": consent.channel,
        "fields": sorted(consent.fields),
        "aal": consent.aal,
        "ial": consent.ial,
        "keep_days": consent.keep_days,
        "given_at": consent.given_at,
        "expires_at": consent.expires_at,
        "withdrawn_at": consent.withdrawn_at,
        "withdrawn_by": consent.withdrawn_by,
    }

"""A case in which everything holds; each test spoils one thing."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from consent.decide import Asker, Case, Consented, Desk, Policy, Subject

NOW = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
AGENCY = uuid.UUID(int=0xA)
OTHER_AGENCY = uuid.UUID(int=0xB)
PERSON = uuid.UUID(int=0x1)
OTHER_PERSON = uuid.UUID(int=0x2)
CONSENT_ID = uuid.UUID(int=0xC)


def policy(**changes: Any) -> Policy:
    made = Policy(
        agency_id=AGENCY,
        purpose="school-enrolment",
        version=3,
        purpose_major=1,
        fields=frozenset({"full_name", "birth_date", "permanent_residence"}),
        legal_bases=frozenset({"consent", "statutory-duty"}),
        max_answer="fields",
        min_aal=2,
        min_ial=2,
        needs_dossier=True,
        needs_procedure=True,
        procedures=frozenset({"1.004441"}),
        keep_days=90,
        valid_from=NOW - timedelta(days=10),
        valid_to=None,
    )
    return replace(made, **changes)


def consented(**changes: Any) -> Consented:
    made = Consented(
        consent_id=CONSENT_ID,
        person_id=PERSON,
        agency_id=AGENCY,
        purpose="school-enrolment",
        purpose_major=1,
        fields=frozenset({"full_name", "birth_date"}),
        keep_days=90,
        given_at=NOW - timedelta(days=1),
        expires_at=NOW + timedelta(days=1),
        withdrawn_at=None,
    )
    return replace(made, **changes)


def case(**changes: Any) -> Case:
    """A client's question on the ground of consent."""
    made = Case(
        answer="fields",
        asker=Asker(kind="client", agency_id=AGENCY),
        purpose="school-enrolment",
        legal_basis="consent",
        fields=("full_name", "birth_date"),
        at=NOW,
        procedure="1.004441",
        dossier="H26.12-261102-0001",
        policy=policy(),
        subject=Subject(person_id=PERSON),
        consents=(consented(),),
    )
    return replace(made, **changes)


def desk(**changes: Any) -> Desk:
    made = Desk(
        areas=frozenset({"01"}),
        permissions=frozenset({"check.match", "check.fields"}),
        valid_from=date(2026, 1, 1),
        valid_to=date(2026, 11, 2),
    )
    return replace(made, **changes)


def official_case(**changes: Any) -> Case:
    """An official's question in his statutory duty."""
    made = case(
        asker=Asker(kind="official", agency_id=AGENCY, aal=2, ial=2, desk=desk()),
        legal_basis="statutory-duty",
        subject=Subject(person_id=PERSON, places=(("01", "00004"),)),
        consents=(),
    )
    return replace(made, **changes)

"""Purposes, policies and consents as plain values, for tests of pure rules."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from consent.coverage import GivenConsent
from consent.policies import Policy
from consent.purposes import Purpose, PurposeTexts, text_hash
from consent.question import ConsentAsk, Known, PurposeAsk
from identity.api import Agency

NOW = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
PERSON = uuid.UUID("0199aaaa-0000-7000-8000-000000000001")
AGENCY = Agency(uuid.UUID("0199aaaa-0000-7000-8000-00000000000a"), "H26.12", "Phòng Giáo dục", "Education office")
SCHOOL, HEALTH = "school-enrolment", "health-card"
FIELDS = frozenset({"full_name", "birth_date", "permanent_residence", "religion"})


def a_purpose(code: str = SCHOOL, *, major: int = 1, minor: int = 0, title: str = "School") -> Purpose:
    texts = PurposeTexts(title, "To enrol a child.", "Bring the papers.", "Law on Education")
    bases = frozenset({"consent", "statutory-duty"})
    return Purpose(code, major, minor, texts, texts, text_hash(code, texts, texts), bases, NOW)


def a_policy(purpose: str = SCHOOL, **changes: Any) -> Policy:
    values: dict[str, Any] = {
        "agency_id": AGENCY.agency_id,
        "agency_code": AGENCY.code,
        "purpose": purpose,
        "version": 1,
        "purpose_major": 1,
        "purpose_minor": 0,
        "fields": FIELDS,
        "mandatory_fields": frozenset({"full_name", "birth_date"}),
        "legal_bases": frozenset({"consent"}),
        "max_answer": "fields",
        "min_aal": 1,
        "min_ial": 1,
        "needs_dossier": False,
        "needs_procedure": False,
        "procedures": frozenset(),
        "keep_days": 90,
        "consent_days": 365,
        "valid_from": NOW - timedelta(days=1),
        "valid_to": None,
    }
    return Policy(**{**values, **changes})


def a_consent(fields: set[str] | frozenset[str], **changes: Any) -> GivenConsent:
    values: dict[str, Any] = {
        "consent_id": uuid.uuid4(),
        "person_id": PERSON,
        "agency_id": AGENCY.agency_id,
        "purpose": SCHOOL,
        "purpose_major": 1,
        "fields": frozenset(fields),
        "keep_days": 90,
        "given_at": NOW - timedelta(days=1),
        "expires_at": NOW + timedelta(days=364),
        "withdrawn_at": None,
        "reference": "reference",
        "agency_code": AGENCY.code,
        "client_id": "portal",
        "client_name": "School portal",
        "purpose_minor": 0,
        "policy_version": 1,
        "text_hash": b"\x00" * 32,
        "locale": "vi",
        "channel": "web",
        "aal": 2,
        "ial": 2,
        "withdrawn_by": None,
    }
    return GivenConsent(**{**values, **changes})


def an_ask(*asks: PurposeAsk, **changes: Any) -> ConsentAsk:
    values: dict[str, Any] = {
        "person_id": PERSON,
        "agency_id": AGENCY.agency_id,
        "client_id": "portal",
        "client_name": "School portal",
        "asks": asks or (PurposeAsk(SCHOOL),),
    }
    return ConsentAsk(**{**values, **changes})


def known(*consents: GivenConsent, **changes: Any) -> Known:
    """One purpose and its policy, with these consents to it."""
    values: dict[str, Any] = {
        "purposes": {SCHOOL: a_purpose()},
        "policies": {SCHOOL: a_policy()},
        "consents": {SCHOOL: consents},
        "declined": {},
    }
    return Known(**{**values, **changes})

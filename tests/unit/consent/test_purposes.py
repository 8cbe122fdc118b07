"""Texts, their hash, and drafts."""

import unicodedata
from dataclasses import fields, replace

import pytest

from consent.drafts import PolicyDraft, PurposeDraft, policy_faults, purpose_faults
from consent.purposes import PurposeTexts, text_hash
from tests.support.consent_cases import AGENCY, NOW, SCHOOL, a_purpose

VI = PurposeTexts("Nhập học", "Để ghi danh cho trẻ.", "Nộp giấy tờ.", "Luật Giáo dục")
EN = PurposeTexts("School", "To enrol a child.", "Bring the papers.", "Law on Education")
DRAFT = PurposeDraft(SCHOOL, VI, EN, frozenset({"consent"}))
POLICY = PolicyDraft(
    agency_id=AGENCY.agency_id,
    agency_code=AGENCY.code,
    purpose=SCHOOL,
    fields=frozenset({"full_name", "sex"}),
    legal_bases=frozenset({"consent"}),
    keep_days=90,
    consent_days=365,
)


def test_the_hash_is_of_the_words_not_of_their_encoding() -> None:
    decomposed = PurposeTexts(*(unicodedata.normalize("NFD", getattr(VI, one.name)) for one in fields(VI)))
    assert decomposed != VI
    assert text_hash(SCHOOL, decomposed, EN) == text_hash(SCHOOL, VI, EN)
    assert len(text_hash(SCHOOL, VI, EN)) == 32


@pytest.mark.parametrize("name", [one.name for one in fields(PurposeTexts)])
def test_every_text_counts_in_both_languages(name: str) -> None:
    other = {name: "Something else"}
    hashes = {
        text_hash(SCHOOL, VI, EN),
        text_hash(SCHOOL, replace(VI, **other), EN),
        text_hash(SCHOOL, VI, replace(EN, **other)),
        text_hash("health-card", VI, EN),
        text_hash(SCHOOL, EN, VI),
    }
    assert len(hashes) == 5


def test_a_good_draft_has_no_faults() -> None:
    assert purpose_faults(DRAFT) == {}
    assert policy_faults(POLICY, a_purpose()) == {}


@pytest.mark.parametrize(
    ("changes", "entry"),
    [
        ({"code": "School"}, "code"),
        ({"code": "x"}, "code"),
        ({"legal_bases": frozenset()}, "legal_bases"),
        ({"legal_bases": frozenset({"because"})}, "legal_bases"),
        ({"vi": replace(VI, title=" ")}, "vi.title"),
        ({"en": replace(EN, description="x" * 2001)}, "en.description"),
        ({"en": replace(EN, if_refused="\x00")}, "en.if_refused"),
    ],
)
def test_faults_of_a_purpose(changes: dict[str, object], entry: str) -> None:
    assert set(purpose_faults(replace(DRAFT, **changes))) == {entry}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "entry"),
    [
        ({"fields": frozenset()}, "fields"),
        ({"fields": frozenset({"shoe_size"})}, "fields"),
        ({"mandatory_fields": frozenset({"religion"})}, "mandatory_fields"),
        ({"legal_bases": frozenset({"contract"})}, "legal_bases"),
        ({"legal_bases": frozenset()}, "legal_bases"),
        ({"max_answer": "everything"}, "max_answer"),
        ({"min_aal": 5}, "min_aal"),
        ({"min_ial": 3}, "min_aal"),
        ({"keep_days": -1}, "keep_days"),
        ({"consent_days": 0}, "consent_days"),
        ({"consent_days": 1828}, "consent_days"),
    ],
)
def test_faults_of_a_policy(changes: dict[str, object], entry: str) -> None:
    assert set(policy_faults(replace(POLICY, **changes), a_purpose())) == {entry}  # type: ignore[arg-type]


def test_a_policy_needs_a_purpose_in_force() -> None:
    assert set(policy_faults(POLICY, None)) == {"purpose"}


def test_a_draft_knows_whether_it_says_anything_new() -> None:
    current = DRAFT.published(1, 0, NOW)
    assert DRAFT.says_the_same(current)
    assert not replace(DRAFT, vi=replace(VI, title="Khác")).says_the_same(current)
    assert not replace(DRAFT, legal_bases=frozenset({"contract"})).says_the_same(current)

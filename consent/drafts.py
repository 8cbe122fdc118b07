"""Drafts of purposes and policies, and what has to be mended in them before they are published. Pure."""

import re
import uuid
from dataclasses import astuple, dataclass, field
from datetime import datetime
from typing import Any

from consent.catalogue import CATALOGUE
from consent.policies import Policy
from consent.purposes import Purpose, PurposeTexts, normal, text_hash
from consent.tables import ANSWERS, LEGAL_BASES
from identity.api import SELF_DECLARED

MAX_TITLE = 200
MAX_TEXT = 2_000
MAX_CONSENT_DAYS = 1_827
"""Five years: no consent is without end."""
MAX_KEEP_DAYS = 36_525
_CODE = re.compile(r"[a-z][a-z0-9-]{1,62}")


@dataclass(frozen=True, slots=True)
class PurposeDraft:
    """A purpose to be published. code: kebab-case. legal_bases: codes of tables.LEGAL_BASES."""

    code: str
    vi: PurposeTexts
    en: PurposeTexts
    legal_bases: frozenset[str]

    def says_the_same(self, current: Purpose) -> bool:
        """Whether the version in force has these texts and grounds."""
        same_texts = text_hash(self.code, self.vi, self.en) == current.text_hash
        return same_texts and self.legal_bases == current.legal_bases

    def published(self, major: int, minor: int, valid_from: datetime) -> Purpose:
        """The version it becomes."""
        vi, en = normal(self.vi), normal(self.en)
        return Purpose(self.code, major, minor, vi, en, text_hash(self.code, vi, en), self.legal_bases, valid_from)


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """A policy to be published; the fields as in tables.PolicyRow. Both terms in days must be said."""

    agency_id: uuid.UUID
    agency_code: str
    purpose: str
    fields: frozenset[str]
    legal_bases: frozenset[str]
    keep_days: int
    consent_days: int
    mandatory_fields: frozenset[str] = frozenset()
    max_answer: str = "fields"
    min_aal: int = 1
    min_ial: int = 1
    needs_dossier: bool = True
    needs_procedure: bool = True
    procedures: frozenset[str] = field(default_factory=frozenset)

    def columns(self) -> dict[str, Any]:
        """The columns of consent.policies; fields in the order of the catalogue."""
        return {
            "agency_id": self.agency_id,
            "agency_code": self.agency_code,
            "purpose_code": self.purpose,
            "fields": [code for code in CATALOGUE if code in self.fields],
            "mandatory_fields": [code for code in CATALOGUE if code in self.mandatory_fields],
            "legal_bases": sorted(self.legal_bases),
            "max_answer": self.max_answer,
            "min_aal": self.min_aal,
            "min_ial": self.min_ial,
            "needs_dossier": self.needs_dossier,
            "needs_procedure": self.needs_procedure,
            "procedures": sorted(self.procedures),
            "keep_days": self.keep_days,
            "consent_days": self.consent_days,
        }

    def says_the_same(self, current: Policy) -> bool:
        """Whether the version in force says exactly this."""
        return all(
            getattr(self, name) == getattr(current, name)
            for name in (
                "fields", "mandatory_fields", "legal_bases", "max_answer", "min_aal", "min_ial",
                "needs_dossier", "needs_procedure", "procedures", "keep_days", "consent_days",
            )
        )  # fmt: skip


def purpose_faults(draft: PurposeDraft) -> dict[str, str]:
    """Entry → what to mend; empty when the draft may be published."""
    faults: dict[str, str] = {}
    if not _CODE.fullmatch(draft.code):
        faults["code"] = "A code has 2 to 63 lower-case letters, digits and hyphens."
    if not draft.legal_bases or not draft.legal_bases <= set(LEGAL_BASES):
        faults["legal_bases"] = "Name at least one known legal basis."
    for locale, texts in (("vi", draft.vi), ("en", draft.en)):
        for name, text in zip(PurposeTexts.__slots__, astuple(texts), strict=True):
            longest = MAX_TITLE if name == "title" else MAX_TEXT
            if not text.strip() or len(text) > longest or "\x00" in text:
                faults[f"{locale}.{name}"] = f"A text of 1 to {longest} characters is needed."
    return faults


def policy_faults(draft: PolicyDraft, purpose: Purpose | None) -> dict[str, str]:
    """Entry → what to mend. purpose: the version in force when the policy begins, if there is one."""
    faults: dict[str, str] = {}
    if purpose is None:
        faults["purpose"] = "There is no such purpose in force."
    elif not draft.legal_bases or not draft.legal_bases <= purpose.legal_bases:
        faults["legal_bases"] = "Name at least one legal basis, and only those of the purpose."
    if not draft.fields or not draft.fields <= CATALOGUE.keys():
        faults["fields"] = "Name at least one field, and only those of the catalogue."
    elif SELF_DECLARED in draft.fields and draft.legal_bases != {"consent"}:
        faults["fields"] = "What people say of themselves is shared by their consent alone."
    if not draft.mandatory_fields <= draft.fields:
        faults["mandatory_fields"] = "A mandatory field must be one of the fields."
    if draft.max_answer not in ANSWERS:
        faults["max_answer"] = "The answer goes as far as match or fields."
    if not (1 <= draft.min_aal <= 4 and 1 <= draft.min_ial <= 2):
        faults["min_aal"] = "Levels are 1 to 4 (authentication) and 1 to 2 (account)."
    if not 0 <= draft.keep_days <= MAX_KEEP_DAYS:
        faults["keep_days"] = "The keeping time is 0 to 36525 days."
    if not 1 <= draft.consent_days <= MAX_CONSENT_DAYS:
        faults["consent_days"] = "A consent lasts 1 to 1827 days."
    return faults

"""Journal lines as the citizen reads them: who, when, which fields, what for, on what ground. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from consent.api import CATALOGUE
from core.clock import VIETNAM
from identity.api import PART_LABELS
from privacy.journal.api import StoredLine

Translate = Callable[[str], str]

TITLES: Mapping[str, str] = {
    "lookup.records": "Looked up and received data",
    "lookup.matches": "Compared data",
    "oidc.userinfo": "Received data when you signed in",
    "official.match": "Compared at the service desk",
    "official.fields": "Viewed at the service desk",
    "self.view": "Looked at your own data",
    "consent.given": "You agreed to share data",
    "consent.refused": "You refused to share data",
    "consent.withdrawn": "You withdrew an agreement",
    "oidc.request-allowed": "You allowed a request",
    "oidc.request-refused": "You refused a request",
    "sign-in": "Signed in",
    "step-up": "Entered a code of the authenticator app",
    "session.end": "Signed out",
    "account.enrol": "Your account was opened",
    "appointment.make": "You were appointed as an official",
    "appointment.end": "Your appointment as an official ended",
    "account.lock": "Your account was locked",
    "account.unlock": "Your account was unlocked",
    "profile.changed": "You changed your self-declared profile",
}
"""Action → English msgid; an action that is not here is shown by its kind."""

FAILED: Mapping[str, str] = {
    "sign-in": "A sign-in that failed",
    "step-up": "A sign-in that failed",
}
"""Action → English msgid, when it was refused."""

KINDS: Mapping[str, str] = {
    "disclosure": "Data shown",
    "refusal": "Asked for data and was refused",
    "act": "A change",
    "signin": "Sign-in",
}

BASES: Mapping[str, str] = {
    "consent": "Your consent",
    "statutory-duty": "Statutory duty of a state body",
    "contract": "An agreement with you",
    "vital-interest": "Urgent protection of life or health",
    "emergency": "Emergency or national security",
    "other-law": "Another law",
    "self": "Your own right to see your data",
}

REASONS: Mapping[str, str] = {
    "person-not-matched": "The name or birth date given did not match",
    "number-cancelled": "The number given is cancelled",
    "consent-missing": "You had not agreed",
    "consent-expired": "Your consent had expired",
    "consent-withdrawn": "You had withdrawn your consent",
    "no-longer-allowed": "The right to it had just ended",
    "no-basis": "The right to it had just ended",
    "policy-ended": "The right to it had just ended",
    "grant-revoked": "The right to it had just ended",
    "purpose-not-allowed": "The agency may not do this",
    "legal-basis-not-allowed": "The agency may not do this",
    "answer-not-allowed": "The agency may only compare",
    "field-not-allowed": "More data than the agency may have",
    "beyond-authorization": "More than you had allowed",
    "procedure-missing": "No procedure was named",
    "procedure-not-allowed": "Not allowed for this procedure",
    "dossier-missing": "No dossier was named",
    "level-too-low": "The sign-in was too weak for it",
    "appointment-not-valid": "The official's appointment was not valid",
    "permission-missing": "The official lacks the permission",
    "own-record": "Officials may not look up themselves",
    "own-family": "Officials may not look up their family",
    "outside-area": "You do not live in the official's area",
}
"""Reason of a refusal → English msgid, as the person it is about may read it; another is shown by its code."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line on the page. refused: why nothing was shown. own: the reader's own look.

    office: of an official, his title and unit; never his name. intact: False when the row was changed or its
    key destroyed; what is shown then cannot be relied on.
    """

    line_id: str
    at: datetime
    title: str
    recipient: str
    office: str
    fields: tuple[str, ...]
    purpose: str | None
    basis: str | None
    procedure: str | None
    dossier: str | None
    refused: str | None
    proof: str
    own: bool = False
    intact: bool = True

    @property
    def day(self) -> date:
        """The day in Viet Nam, under which the page shows it."""
        return self.at.astimezone(VIETNAM).date()


def present_line(
    stored: StoredLine, *, translate: Translate, locale: str, agencies: Mapping[str, str], purposes: Mapping[str, str]
) -> HistoryEntry:
    """A stored line in words. agencies, purposes: code → name in the locale."""
    line = stored.line
    title = TITLES.get(line.action) if line.kind != "refusal" else KINDS["refusal"]
    if line.kind == "act" and line.outcome == "refused":
        title = FAILED.get(line.action, title)
    labels = [_label(code, locale) for code in line.fields]
    agency = line.agency or line.actor.agency
    return HistoryEntry(
        line_id=str(stored.line_id),
        at=stored.recorded_at,
        title=translate(title or KINDS.get(line.kind, "A change")),
        recipient=agencies.get(agency, agency) if agency else line.details.get("client", ""),
        office=line.actor.name_hint if line.actor.kind == "official" else "",
        fields=tuple(labels),
        purpose=", ".join(purposes.get(code, code) for code in line.purpose.split()) if line.purpose else None,
        basis=translate(BASES.get(line.legal_basis, line.legal_basis)) if line.legal_basis else None,
        procedure=line.procedure,
        dossier=line.dossier,
        refused=translate(REASONS.get(line.reason or "", line.reason or "?")) if line.kind == "refusal" else None,
        proof=stored.leaf_hash.hex() if stored.leaf_hash else "",
        own=line.action == "self.view" and stored.intact,
        intact=stored.intact,
    )


def _label(code: str, locale: str) -> str:
    """What people call a field; a code that nobody knows any more is shown as it is."""
    spec = CATALOGUE.get(code)
    label_vi, label_en = PART_LABELS.get(code, (code, code)) if spec is None else (spec.label_vi, spec.label_en)
    return label_vi if locale == "vi" else label_en

"""Journal lines as the citizen reads them: who, when, which fields, what for, on what ground. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from population_db.api import FIELDS
from privacy.journal.api import StoredLine

Translate = Callable[[str], str]

TITLES: Mapping[str, str] = {
    "lookup.records": "Data given to an agency",
    "lookup.matches": "Data compared for an agency",
    "oidc.userinfo": "Data given to a service you signed in to",
    "official.match": "Compared by an official at the desk",
    "official.fields": "Viewed by an official at the desk",
    "self.view": "Viewed by yourself",
    "consent.given": "You agreed to share data",
    "consent.withdrawn": "You withdrew an agreement",
}
"""Action → English msgid; an action that is not here is shown by its kind."""

KINDS: Mapping[str, str] = {
    "disclosure": "Data shown",
    "refusal": "A look that was refused",
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


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line on the page. refused: the reason code when nothing was shown."""

    line_id: str
    at: datetime
    title: str
    recipient: str
    fields: tuple[str, ...]
    purpose: str | None
    basis: str | None
    procedure: str | None
    dossier: str | None
    refused: str | None
    proof: str


def present_line(
    stored: StoredLine, *, translate: Translate, locale: str, agencies: Mapping[str, str], purposes: Mapping[str, str]
) -> HistoryEntry:
    """A stored line in words. agencies, purposes: code → name in the locale."""
    line = stored.line
    title = TITLES.get(line.action) if line.kind != "refusal" else KINDS["refusal"]
    labels = []
    for code in line.fields:
        spec = FIELDS.get(code)
        labels.append(code if spec is None else spec.label_vi if locale == "vi" else spec.label_en)
    agency = line.agency or line.actor.agency
    return HistoryEntry(
        line_id=str(stored.line_id),
        at=stored.recorded_at,
        title=translate(title or KINDS.get(line.kind, "A change")),
        recipient=agencies.get(agency, agency) if agency else "",
        fields=tuple(labels),
        purpose=purposes.get(line.purpose, line.purpose) if line.purpose else None,
        basis=translate(BASES.get(line.legal_basis, line.legal_basis)) if line.legal_basis else None,
        procedure=line.procedure,
        dossier=line.dossier,
        refused=line.reason if line.kind == "refusal" else None,
        proof=stored.leaf_hash.hex() if stored.leaf_hash else "",
    )

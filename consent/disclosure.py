"""What goes into the disclosure door and what comes out of it, and how its refusals are told.

A refusal has a precise reason, which is journalled, and a public code, which tells the asker what to mend
and nothing about the person. Where consent is the ground, "no such person", "name does not match", "dead"
and "no consent" are one answer: else an agency without any right could test a stranger's particulars.
"""

import uuid
from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any

from consent.decide import CONSENT
from consent.minimise import Matched
from consent.plugs import Recipient
from core.actor import Actor
from core.errors import NotAllowed
from core.record import record
from population_db.api import FieldValue
from privacy.journal.api import LineRef

PERSON_REASONS = frozenset(
    {"number-unknown", "number-cancelled", "person-not-matched", "consent-missing", "consent-expired",
     "consent-withdrawn"}
)  # fmt: skip
"""Reasons that say something about the person."""

PUBLIC_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "purpose-not-allowed": "The agency has no sharing policy in force for this purpose.",
        "legal-basis-not-allowed": "The policy does not stand on this legal basis.",
        "answer-not-allowed": "The policy allows matches only, not the fields themselves.",
        "procedure-missing": "The procedure has to be named.",
        "procedure-not-allowed": "The policy does not hold for this procedure.",
        "dossier-missing": "The dossier number has to be named.",
        "field-not-allowed": "A field is not in the policy for this purpose.",
        "level-too-low": "The sign-in does not reach the level that the policy asks for.",
        "appointment-not-valid": "The appointment is not valid today.",
        "permission-missing": "The appointment does not hold the permission for this.",
        "own-record": "You may not look up your own record as an official.",
        "own-family": "You may not look up your family or your household. A colleague has to do it.",
        "outside-area": "The person does not live in the area of your appointment. "
        "Opening a record outside it is not available here.",
        "not-your-record": "This is not your own record.",
        "person-not-matched": "No person with this number and this name or birth date was found.",
        "consent-missing": "No person with these particulars has given your agency a consent that is in force "
        "for this purpose and these fields.",
        "beyond-authorization": "The person has not allowed this by this access token.",
        "no-longer-allowed": "What this request rests on has just ended. No data were given out.",
    }
)
"""Public code → English msgid."""


class DisclosureDenied(NotAllowed):
    """The door stays shut; the refusal is journalled. reason: the precise one, for our own eyes."""

    def __init__(self, code: str, reason: str, refused: Mapping[str, str] | None = None) -> None:
        extra = {"fields": dict(refused)} if refused else None
        super().__init__(code, PUBLIC_TEXTS[code], private=reason, extra=extra)
        self.reason = reason
        if code == "person-not-matched":
            self.status = 404


@record
class PersonProof:
    """What proves whom is meant: the number plus a name, or a birth date to the day, or both.

    The number has no check digit and is widely known: alone it proves nothing. strict: each given value must
    match; an official at the desk sees per value whether it does, as long as one of them does.
    """

    number: str = field(repr=False)
    full_name: str | None = field(default=None, repr=False)
    birth_date: str | None = field(default=None, repr=False)
    strict: bool = True


@record
class DisclosureRequest:
    """One question to the door.

    action: of the journal line, e.g. "lookup.records". actor: who asks; for a portal its person_id is the
    signed-in person. subject: the person, known by a grant or a session, or the proof that finds him.
    agency: who receives; None when the citizen himself does. purpose: None = the purposes of `consent_ids`.
    consent_ids: when not empty, only these consents count. matches: asked values by field; the answer then
    says match or no match, and `fields` must be their names (and "life_status", which may go along).
    details: more for the line; no values of the record.
    """

    action: str
    actor: Actor
    subject: uuid.UUID | PersonProof
    agency: Recipient | None
    purpose: str | None
    legal_basis: str
    fields: tuple[str, ...]
    procedure: str | None = None
    dossier: str | None = field(default=None, repr=False)
    consent_ids: frozenset[uuid.UUID] = frozenset()
    grant_id: uuid.UUID | None = None
    matches: Mapping[str, Any] | None = field(default=None, repr=False)
    details: Mapping[str, str] = field(default_factory=dict, repr=False)


@record
class Disclosure:
    """What may leave, its journal line being committed.

    values: held values by field. matched: results by field, for matches. refused: asked fields that stay
    in, with the reason. not_held: allowed fields the registry has nothing for.
    """

    subject: uuid.UUID
    values: Mapping[str, FieldValue] = field(repr=False)
    matched: Mapping[str, Matched] = field(repr=False)
    refused: Mapping[str, str]
    not_held: tuple[str, ...]
    line: LineRef


def public_code(reason: str, legal_basis: str, by_proof: bool) -> str:
    """The code to tell for a precise reason."""
    if reason in PERSON_REASONS:
        if legal_basis == CONSENT:
            return "consent-missing"
        return "person-not-matched" if by_proof else "no-longer-allowed"
    return reason if reason in PUBLIC_TEXTS else "no-longer-allowed"

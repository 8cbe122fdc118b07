"""What a line says, and its canonical bytes: what the tree commits to.

    leaf data = SHA-256(salt (32 random bytes) ‖ canonical line)
    leaf hash = SHA-256(0x00 ‖ leaf data)                                  (RFC 6962 §2.1)

The canonical line is JSON with sorted keys and without spaces, UTF-8. It holds every column that lies in
clear beside it, so that a column changed by hand contradicts the sealed copy.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from core.record import record

SCHEMA_VERSION = 1
NOBODY = UUID(int=0)
"""The subject of lines without a subject: the primary key starts with a person."""

KINDS = frozenset({"disclosure", "refusal", "act"})
SALT_BYTES = 32
MAX_CODE = 200
MAX_TEXT = 2_000
MAX_FIELDS = 200
MAX_DETAILS = 50


class BadLine(ValueError):
    """A line that cannot be written: too long, an unknown kind, a character a database cannot hold."""


@record
class ActorRef:
    """Who did it. kind: citizen, official, client or operator. id: an internal id, never a number or a name.

    agency, appointment: in whose name and by which appointment. name_hint: what the citizen is shown
    (an office, a title); lies sealed.
    """

    kind: str
    id: str
    agency: str | None = None
    appointment: str | None = None
    name_hint: str = ""


@record
class Line:
    """One line. kind: disclosure, refusal or act. action: what was done, e.g. "lookup.records".

    subject: whose data; None for acts on nobody's. agency: the recipient's code. fields: names only, never
    values. outcome: e.g. "answered", "refused", "done". Everything is content under the subject's key but
    kind, action, outcome, agency, purpose, and the actor's kind and id, which stay in clear for counting.
    Raises BadLine.
    """

    kind: str
    action: str
    subject: UUID | None
    actor: ActorRef
    agency: str | None = None
    purpose: str | None = None
    legal_basis: str | None = None
    procedure: str | None = None
    dossier: str | None = field(default=None, repr=False)
    fields: tuple[str, ...] = ()
    outcome: str = "done"
    reason: str | None = None
    details: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadLine("unknown kind of line")
        if self.subject == NOBODY:
            raise BadLine("a line without a subject has subject None")
        actor = self.actor
        codes = (self.action, self.outcome, self.agency, self.purpose, self.legal_basis, self.procedure)
        _check((*codes, actor.kind, actor.id, actor.agency, actor.appointment, *self.fields), MAX_CODE)
        _check((self.dossier, self.reason, actor.name_hint, *self.details, *self.details.values()), MAX_TEXT)
        if not (self.action and self.outcome and actor.kind and actor.id):
            raise BadLine("a line names action, outcome and actor")
        if len(self.fields) > MAX_FIELDS or len(self.details) > MAX_DETAILS:
            raise BadLine("too many fields or details")


def _check(values: Iterable[str | None], longest: int) -> None:
    present = [value for value in values if value is not None]
    for value in present:
        if not isinstance(value, str) or len(value) > longest:
            raise BadLine("a text in the line is too long, or not a text")
    together = "".join(present)
    # One line that PostgreSQL or JSON refuses would sink the batch of all who wait with it.
    if "\x00" in together or (not together.isascii() and any("\ud800" <= letter <= "\udfff" for letter in together)):
        raise BadLine("a text in the line holds a character that cannot be stored")


@record
class LineRef:
    """A committed (or, from `write`, about to be committed) line. leaf_hash: 32 bytes."""

    line_id: UUID
    leaf_hash: bytes
    recorded_at: datetime


@record
class StoredLine:
    """A line read back. leaf_hash: None when it could not be opened.

    intact: False when the key was destroyed or the row was changed: then `line` holds the clear columns
    only (key destroyed, content changed) or what was sealed (a clear column changed).
    """

    line_id: UUID
    recorded_at: datetime
    line: Line
    intact: bool
    leaf_hash: bytes | None


@record
class Draft:
    """A line with its identity and commitment, not yet sealed."""

    line_id: UUID
    recorded_at: datetime
    line: Line
    opening: bytes = field(repr=False)
    """salt ‖ canonical line: what is sealed."""
    leaf_hash: bytes

    @property
    def person_id(self) -> UUID:
        return self.line.subject or NOBODY


def draft(line: Line, line_id: UUID, recorded_at: datetime) -> Draft:
    """Gives a line its salt and its leaf hash."""
    opening = os.urandom(SALT_BYTES) + canonical(line, line_id, recorded_at)
    return Draft(line_id, recorded_at, line, opening, leaf_hash_of(opening))


def leaf_hash_of(opening: bytes) -> bytes:
    """The leaf hash of salt ‖ canonical line."""
    return hashlib.sha256(b"\x00" + hashlib.sha256(opening).digest()).digest()


def canonical(line: Line, line_id: UUID, recorded_at: datetime) -> bytes:
    """The bytes the tree commits to."""
    return orjson.dumps(
        {
            "schema_version": SCHEMA_VERSION,
            "line_id": str(line_id),
            "recorded_at": instant_text(recorded_at),
            "person_id": str(line.subject or NOBODY),
            "kind": line.kind,
            "action": line.action,
            "outcome": line.outcome,
            "agency": line.agency,
            "purpose": line.purpose,
            "actor_kind": line.actor.kind,
            "actor_id": line.actor.id,
            "actor_agency": line.actor.agency,
            "actor_appointment": line.actor.appointment,
            "actor_name_hint": line.actor.name_hint,
            "legal_basis": line.legal_basis,
            "procedure": line.procedure,
            "dossier": line.dossier,
            "fields": line.fields,
            "reason": line.reason,
            "details": dict(line.details),
        },
        option=orjson.OPT_SORT_KEYS,
    )


def instant_text(at: datetime) -> str:
    """RFC 3339 in UTC with six digits of a second, as stored."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_canonical(content: Mapping[str, Any]) -> Line:
    """The line in a parsed canonical form. Raises KeyError or BadLine for another schema."""
    person_id = UUID(content["person_id"])
    return Line(
        kind=content["kind"],
        action=content["action"],
        subject=None if person_id == NOBODY else person_id,
        actor=ActorRef(
            kind=content["actor_kind"],
            id=content["actor_id"],
            agency=content["actor_agency"],
            appointment=content["actor_appointment"],
            name_hint=content["actor_name_hint"],
        ),
        agency=content["agency"],
        purpose=content["purpose"],
        legal_basis=content["legal_basis"],
        procedure=content["procedure"],
        dossier=content["dossier"],
        fields=tuple(content["fields"]),
        outcome=content["outcome"],
        reason=content["reason"],
        details=content["details"],
    )

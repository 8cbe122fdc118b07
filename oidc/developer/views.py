"""What the pages show of clients: words for states, methods, members. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from oidc.client_ends import NOTHING, Seen
from oidc.client_log import Note
from oidc.developer.advice import advice_for
from oidc.developer.health import Expiry, radar, worst
from oidc.registration.as_metadata import PROFILE, STATE

STATES: Mapping[str, tuple[str, str]] = {
    "pending": ("Waiting for review", "warn"),
    "active": ("In use", "good"),
    "suspended": ("Suspended", "bad"),
    "deleted": ("Deleted", "bad"),
}
"""State → English msgid and tone."""

WHAT_ENDS: Mapping[str, str] = {
    "secret": "Secret",
    "former-secret": "Former secret, replaced",
    "key": "Key",
    "certificate": "Certificate of the key",
    "client-certificate": "Certificate that the client came with last",
    "statement": "Software statement",
}
WHEN_ENDS = ("Far off", "Within 30 days", "Within 7 days", "Within a day", "Over")

LEGACY = "openid-core"


@dataclass(frozen=True, slots=True)
class ClientLine:
    """A client in a list. legacy: its profile is for certification and for old systems alone."""

    client_id: str
    name: str
    state: str
    tone: str
    profile: str
    legacy: bool
    soon: Expiry | None


@dataclass(frozen=True, slots=True)
class NoteView:
    """A request as a developer reads it. description, reason: in English, as the program got it."""

    at: datetime
    endpoint: str
    error: str
    description: str
    reason: str
    advice: str
    status: int
    request_id: str
    proven: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """One member of the metadata. now, then: as text; "" when it is not there."""

    name: str
    now: str
    then: str


def client_line(row: Mapping[str, Any], locale: str, now: datetime, seen: Seen = NOTHING) -> ClientLine:
    return ClientLine(
        client_id=row["client_id"],
        name=row["name_en"] if locale == "en" else row["name_vi"],
        state=STATES[row["state"]][0],
        tone=STATES[row["state"]][1],
        profile=row["profile"],
        legacy=row["profile"] == LEGACY,
        soon=worst(radar(row, now, seen)),
    )


def note_views(notes: Sequence[Note]) -> list[NoteView]:
    return [
        NoteView(
            at=datetime.fromtimestamp(note.at, UTC),
            endpoint=f"/{note.endpoint}",
            error=note.error or "",
            description=note.description,
            reason=note.reason,
            advice=advice_for(note),
            status=note.status,
            request_id=note.request_id,
            proven=note.proven,
        )
        for note in notes
    ]


def differences(now: Mapping[str, Any], then: Mapping[str, Any]) -> list[Difference]:
    """Members that differ, in the order of the new metadata and then of the old."""
    now, then = _said(now), _said(then)
    names = dict.fromkeys([*then, *now])
    own = {PROFILE, STATE}
    return [
        Difference(name, as_text(now.get(name)), as_text(then.get(name)))
        for name in names
        if name not in own and now.get(name) != then.get(name)
    ]


def members(metadata: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every member with its value as text."""
    return [(name, as_text(value)) for name, value in _said(metadata).items() if name != STATE]


def _said(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is as good as left out: false is the default of every flag."""
    return {name: value for name, value in metadata.items() if value is not False and value != []}


def as_text(value: Any) -> str:
    """A value as people can read it: lists of words by lines, the rest as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "\n".join(value)
    return json.dumps(value, ensure_ascii=False, indent=2)

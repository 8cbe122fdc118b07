"""Sealing a line under its subject's key, and opening it again."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from core.database import Row
from privacy.journal.line import (
    NOBODY,
    SALT_BYTES,
    SCHEMA_VERSION,
    ActorRef,
    Draft,
    Line,
    StoredLine,
    from_canonical,
    instant_text,
    leaf_hash_of,
)
from privacy.journal.protocols import PersonKey

CLEAR_TEXTS = ("kind", "action", "outcome", "agency", "purpose", "actor_kind", "actor_id")


def sealing_context(line_id: UUID) -> bytes:
    """Binds a sealed line to its row; the person is bound by the key."""
    return b"privacy.journal_lines\x00" + line_id.bytes


def line_columns(draft: Draft, key: PersonKey) -> dict[str, Any]:
    """The row of privacy.journal_lines."""
    line = draft.line
    return {
        "person_id": draft.person_id,
        "recorded_at": draft.recorded_at,
        "line_id": draft.line_id,
        "schema_version": SCHEMA_VERSION,
        "kind": line.kind,
        "action": line.action,
        "outcome": line.outcome,
        "agency": line.agency,
        "purpose": line.purpose,
        "actor_kind": line.actor.kind,
        "actor_id": line.actor.id,
        "sealed": key.seal(sealing_context(draft.line_id), draft.opening),
    }


def open_line(row: Row, key: PersonKey | None) -> StoredLine:
    """A row of privacy.journal_lines, opened; never raises for a row that was tampered with."""
    line_id, recorded_at = row["line_id"], row["recorded_at"]
    try:
        if key is None:
            raise ValueError("the key was destroyed")
        opening = key.unseal(sealing_context(line_id), row["sealed"])
        content: Mapping[str, Any] = orjson.loads(opening[SALT_BYTES:])
        line = from_canonical(content)
    except (ValueError, KeyError, TypeError):
        return StoredLine(line_id, recorded_at, _clear_only(row), intact=False, leaf_hash=None)
    intact = (
        all(row[name] == content[name] for name in CLEAR_TEXTS)
        and content["line_id"] == str(line_id)
        and content["recorded_at"] == instant_text(recorded_at)
        and content["person_id"] == str(row["person_id"])
        and content["schema_version"] == row["schema_version"]
    )
    return StoredLine(line_id, recorded_at, line, intact, leaf_hash_of(opening))


def _clear_only(row: Row) -> Line:
    person_id = row["person_id"]
    return Line(
        kind=row["kind"],
        action=row["action"],
        subject=None if person_id == NOBODY else person_id,
        actor=ActorRef(row["actor_kind"], row["actor_id"]),
        agency=row["agency"],
        purpose=row["purpose"],
        outcome=row["outcome"],
    )

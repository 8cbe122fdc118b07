"""The sign-in history of an account: written with each sign-in, shown to its holder, kept five years."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import bindparam, select, text

from core.database import Query, Tx
from identity.tables import SignInEvent
from identity.where import MAX_NAME, Where
from privacy.vault.api import KeyMissing, PersonKey, SealBroken, Vault

MAX_LISTED = 200

_C = SignInEvent.__table__.c  # type: ignore[attr-defined]
_INSERT = Query(
    text(
        """
        INSERT INTO identity.sign_in_events (person_id, event_id, account_id, at, outcome, aal, amr, sealed)
        VALUES (:person_id, :event_id, :account_id, :at, :outcome, :aal, :amr, :sealed)
        ON CONFLICT (person_id, event_id) DO NOTHING
        """
    )
)
_NEWEST = Query(
    select(_C.event_id, _C.at, _C.outcome, _C.aal, _C.amr, _C.sealed)
    .where(_C.person_id == bindparam("person_id"))
    .order_by(_C.at.desc(), _C.event_id.desc())
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """One line of the history. outcome: signed-in, stepped-up, password-wrong, code-wrong, refused-locked,
    locked, unlocked or session-ended. network: the address cut short.
    """

    event_id: uuid.UUID
    at: datetime
    outcome: str
    aal: int
    amr: tuple[str, ...]
    client: str
    agency: str
    browser: str
    network: str


async def record(
    tx: Tx,
    vault: Vault,
    *,
    event_id: uuid.UUID,
    person_id: uuid.UUID,
    account_id: uuid.UUID,
    at: datetime,
    outcome: str,
    where: Where,
    aal: int = 0,
    amr: Sequence[str] = (),
) -> bool:
    """Writes one line in the caller's transaction; False when this event is there already."""
    key = await vault.person_key(tx, person_id)
    content = orjson.dumps(
        {
            "client": where.client[:MAX_NAME],
            "agency": where.agency[:MAX_NAME],
            "browser": where.browser[:MAX_NAME],
            "network": where.network[:MAX_NAME],
        }
    )
    done = await tx.run(
        _INSERT,
        person_id=person_id,
        event_id=event_id,
        account_id=account_id,
        at=at,
        outcome=outcome,
        aal=aal,
        amr=list(amr),
        sealed=key.seal(_context(person_id, event_id), content),
    )
    return done == 1


async def newest(tx: Tx, vault: Vault, person_id: uuid.UUID, limit: int) -> list[SignIn]:
    """The person's history, newest first, at most `limit` (1..200) lines.

    When his key was destroyed, or a row was changed by hand, the line is there without its content.
    """
    rows = await tx.rows(_NEWEST, person_id=person_id, limit=max(1, min(limit, MAX_LISTED)))
    key = (await vault.find_person_keys(tx, [person_id])).get(person_id) if rows else None
    found = []
    for row in rows:
        content = _opened(key, person_id, row["event_id"], row["sealed"])
        found.append(
            SignIn(
                event_id=row["event_id"],
                at=row["at"],
                outcome=row["outcome"],
                aal=row["aal"],
                amr=tuple(row["amr"]),
                client=content.get("client", ""),
                agency=content.get("agency", ""),
                browser=content.get("browser", ""),
                network=content.get("network", ""),
            )
        )
    return found


def _opened(key: PersonKey | None, person_id: uuid.UUID, event_id: uuid.UUID, sealed: bytes) -> dict[str, str]:
    if key is None:
        return {}
    try:
        content: dict[str, str] = orjson.loads(key.unseal(_context(person_id, event_id), sealed))
    except (SealBroken, KeyMissing):
        return {}
    return content


def _context(person_id: uuid.UUID, event_id: uuid.UUID) -> bytes:
    """A sealed content belongs to one row: moved to another, it does not open."""
    return b"identity.sign_in_events\x00" + person_id.bytes + event_id.bytes

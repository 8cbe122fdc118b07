"""Logout messages: written in the transaction that ends a session, claimed by the worker, settled, forgotten.

Told are the clients that got tokens in the session, whether their grant is live or ended before, since they may
well still hold a session of their own; not those whose code was never redeemed.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ARRAY, DateTime, Text, Uuid, bindparam, text

from core.database import Query, Tx

RETRY_SECONDS = (15, 60, 300, 1200, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
"""From a try to the next, by the number of tries before; also how long a try may last before another worker takes
the message for abandoned, so that the first must be longer than a call."""
MAX_ATTEMPTS = len(RETRY_SECONDS)
RECENT = timedelta(days=1)
"""Sessions here last half a day: older ones are not told of one by one."""
KEEP_SETTLED = timedelta(days=7)

_NOW = bindparam("now", type_=DateTime(timezone=True))
_PERSON = bindparam("person_id", type_=Uuid)

_OF_SESSION = Query(
    text(
        """
        INSERT INTO oidc.logout_messages (person_id, message_id, client_id, sid, created_at, due_at, attempts)
        SELECT g.person_id, gen_random_uuid(), g.client_id, g.sid, :now, :now, 0
        FROM oidc.grants g JOIN oidc.clients c ON c.client_id = g.client_id
        WHERE g.person_id = :person_id AND g.sid = :sid AND g.code_used_at IS NOT NULL
            AND c.state = 'active' AND c.options ->> 'backchannel_logout_uri' IS NOT NULL
        GROUP BY g.person_id, g.client_id, g.sid
        ON CONFLICT DO NOTHING
        """
    ).bindparams(_NOW, _PERSON, bindparam("sid", type_=Text))
)
_HOLD = Query(
    text("SELECT gid FROM oidc.grants WHERE person_id = :person_id AND revoked_at IS NULL FOR UPDATE").bindparams(
        _PERSON
    )
)
_OF_PERSON = Query(
    text(
        """
        INSERT INTO oidc.logout_messages (person_id, message_id, client_id, sid, created_at, due_at, attempts)
        SELECT told.person_id, gen_random_uuid(), told.client_id, told.sid, :now, :now, 0
        FROM (
            SELECT DISTINCT g.person_id, g.client_id,
                CASE WHEN (c.options ->> 'backchannel_logout_session_required')::boolean IS TRUE THEN g.sid END AS sid
            FROM oidc.grants g JOIN oidc.clients c ON c.client_id = g.client_id
            WHERE g.person_id = :person_id AND g.revoked_at IS NULL
                AND (g.code_used_at IS NOT NULL OR g.kind <> 'code')
                AND c.state = 'active' AND c.options ->> 'backchannel_logout_uri' IS NOT NULL
                AND ((c.options ->> 'backchannel_logout_session_required')::boolean IS NOT TRUE
                    OR (g.sid IS NOT NULL AND g.granted_at >= :since))
        ) told
        ON CONFLICT DO NOTHING
        """
    ).bindparams(_NOW, _PERSON, bindparam("since", type_=DateTime(timezone=True)))
)
_CLAIM = Query(
    text(
        f"""
        UPDATE oidc.logout_messages SET
            attempts = attempts + 1,
            due_at = :now + make_interval(secs => (ARRAY{list(RETRY_SECONDS)})[attempts + 1])
        WHERE (person_id, message_id) = (
            SELECT person_id, message_id FROM oidc.logout_messages
            WHERE outcome IS NULL AND due_at <= :now AND attempts < {MAX_ATTEMPTS} AND client_id <> ALL (:busy)
            ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING person_id, message_id, client_id, sid, attempts
        """
    ).bindparams(_NOW, bindparam("busy", type_=ARRAY(Text)))
)
_SETTLE = Query(
    text(
        """
        UPDATE oidc.logout_messages SET outcome = :outcome, settled_at = :now, last_error = :error
        WHERE person_id = :person_id AND message_id = :message_id AND outcome IS NULL
        """
    ).bindparams(
        _NOW,
        _PERSON,
        bindparam("message_id", type_=Uuid),
        bindparam("outcome", type_=Text),
        bindparam("error", type_=Text),
    )
)
_NOTE = Query(
    text(
        """
        UPDATE oidc.logout_messages SET last_error = :error
        WHERE person_id = :person_id AND message_id = :message_id AND outcome IS NULL
        """
    ).bindparams(_PERSON, bindparam("message_id", type_=Uuid), bindparam("error", type_=Text))
)
_GIVE_UP = Query(
    text(
        f"""
        UPDATE oidc.logout_messages SET outcome = 'given-up', settled_at = :now
        WHERE outcome IS NULL AND attempts >= {MAX_ATTEMPTS} AND due_at <= :now
        """
    ).bindparams(_NOW)
)
_FORGET = Query(
    text("DELETE FROM oidc.logout_messages WHERE settled_at < :before").bindparams(
        bindparam("before", type_=DateTime(timezone=True))
    )
)


@dataclass(frozen=True, slots=True)
class LogoutMessage:
    """A claimed message. attempts: this one included."""

    person_id: uuid.UUID
    message_id: uuid.UUID
    client_id: str
    sid: str | None
    attempts: int

    @property
    def is_last_try(self) -> bool:
        return self.attempts >= MAX_ATTEMPTS


async def tell_of_session(tx: Tx, person_id: uuid.UUID, sid: str, *, now: datetime) -> int:
    """One message to each client of a session that ends; gives how many are new. Ask after the grants were revoked: a
    redemption that was under way has then either failed or is seen here."""
    return await tx.run(_OF_SESSION, person_id=person_id, sid=sid, now=now)


async def tell_of_person(tx: Tx, person_id: uuid.UUID, *, now: datetime) -> int:
    """One message to each client with a live grant of the person: all of his sessions there are over. Ask before the
    grants are revoked. A client that wants a `sid` is told of each recent session."""
    await tx.rows(_HOLD, person_id=person_id)  # after any redemption of a code that is under way
    return await tx.run(_OF_PERSON, person_id=person_id, now=now, since=now - RECENT)


async def claim(tx: Tx, *, busy: Collection[str], now: datetime) -> LogoutMessage | None:
    """The message that is due the longest, its next try put off in the same statement. busy: clients to leave out."""
    row = await tx.row(_CLAIM, busy=sorted(busy), now=now)
    return None if row is None else LogoutMessage(**row)


async def settle(tx: Tx, message: LogoutMessage, outcome: str, *, error: str | None, now: datetime) -> None:
    """How it ended, for good."""
    ids = {"person_id": message.person_id, "message_id": message.message_id}
    await tx.run(_SETTLE, **ids, outcome=outcome, error=error, now=now)


async def note_failure(tx: Tx, message: LogoutMessage, error: str) -> None:
    """It waits for the next try."""
    await tx.run(_NOTE, person_id=message.person_id, message_id=message.message_id, error=error)


async def tidy(tx: Tx, *, now: datetime) -> int:
    """Gives up what was tried often enough, forgets what was settled a week ago; gives how many rows it touched."""
    return await tx.run(_GIVE_UP, now=now) + await tx.run(_FORGET, before=now - KEEP_SETTLED)

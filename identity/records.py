"""What is written of a sign-in and of an act on an account: a line of the history and one of the journal."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.actor import Actor
from core.database import Tx
from core.ids import new_id
from identity import history
from identity.where import MAX_NAME, Where
from privacy.journal.api import ActorRef, Journal, Line
from privacy.vault.api import Vault

NOWHERE = Where(address="", network="", browser="")
SYSTEM = ActorRef(kind="operator", id="system")
"""Acts that no person asked for: a death recorded elsewhere, the command line."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened to an account. action: as the journal names it, e.g. "sign-in"."""

    action: str
    outcome: str
    person_id: uuid.UUID
    account_id: uuid.UUID
    at: datetime
    where: Where = NOWHERE
    aal: int = 0
    amr: Sequence[str] = ()
    refused: bool = False
    reason: str | None = None
    by: ActorRef | None = None
    event_id: uuid.UUID = field(default_factory=new_id)


class Records:
    """Writes both lines in the caller's transaction."""

    def __init__(self, vault: Vault, journal: Journal) -> None:
        self._vault = vault
        self._journal = journal

    async def write(self, tx: Tx, happened: Happened) -> bool:
        """False when this event was written before (a handler that runs twice)."""
        fresh = await history.record(
            tx,
            self._vault,
            event_id=happened.event_id,
            person_id=happened.person_id,
            account_id=happened.account_id,
            at=happened.at,
            outcome=happened.outcome,
            where=happened.where,
            aal=happened.aal,
            amr=happened.amr,
        )
        if not fresh:
            return False
        details = {"aal": str(happened.aal)} if happened.aal else {}
        if happened.where.client:
            details["client"] = happened.where.client[:MAX_NAME]
        await self._journal.write(
            tx,
            Line(
                kind="act",
                action=happened.action,
                subject=happened.person_id,
                actor=happened.by or ActorRef(kind="citizen", id=str(happened.account_id)),
                outcome="refused" if happened.refused else "done",
                reason=happened.reason,
                details=details,
            ),
        )
        return True

    async def act(
        self,
        tx: Tx,
        action: str,
        *,
        subject: uuid.UUID | None,
        by: ActorRef | None,
        details: dict[str, str],
        fields: tuple[str, ...] = (),
    ) -> None:
        """An act that is no part of the sign-in history: a line of the journal alone. fields: names only."""
        await self._journal.write(
            tx, Line(kind="act", action=action, subject=subject, actor=by or SYSTEM, details=details, fields=fields)
        )


def actor_ref(actor: Actor) -> ActorRef:
    """How the journal names an actor."""
    appointment = actor.appointment
    return ActorRef(
        kind=actor.kind,
        id=str(actor.account_id or actor.client_id or "system"),
        agency=appointment.agency_code if appointment else actor.agency_code,
        appointment=str(appointment.appointment_id) if appointment else None,
        name_hint=appointment.title if appointment else "",
    )

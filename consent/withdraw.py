"""Withdrawing consent (rút lại sự đồng ý): at any time, as easy as giving it (Law 91/2025 art. 10).

One UPDATE claims the end; journal line, receipt and event stand in the same transaction. From its commit on
every disclosure that checks the row again is refused; tokens end by the event. What was lawfully done before
stays lawful.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update

from consent.consents import consent_of, find_own_consent
from consent.coverage import GivenConsent
from consent.lines import actor_ref
from consent.published import load_purpose_version
from consent.question import CONSENT
from consent.receipts import Receipt, find_receipt_of, issue
from consent.tables import ConsentRow
from core.actor import Actor
from core.clock import Clock
from core.database import Query, Tx
from core.errors import NotFound
from core.outbox import Event, Outbox
from identity.api import Identity
from privacy.journal.api import ActorRef, Journal, Line

WITHDRAWN = "consent.withdrawn"
"""Topic; payload {"person_id", "consent_id", "agency_id", "client_id"}, all text."""

_CONSENTS: Any = ConsentRow.__table__  # type: ignore[attr-defined]
_C = _CONSENTS.c
_END = Query(
    update(_CONSENTS)
    .where(
        _C.person_id == bindparam("b_person_id"),
        _C.consent_id == bindparam("b_consent_id"),
        _C.withdrawn_at.is_(None),
    )
    # Never before it was given, should the clock of another machine be behind.
    .values(
        withdrawn_at=func.greatest(bindparam("b_now", type_=_C.given_at.type), _C.given_at),
        withdrawn_by=bindparam("b_by", type_=_C.withdrawn_by.type),
    )
    .returning(*_C)
)
_LIVE_OF_PERSON = Query(
    select(_C.consent_id)
    .where(_C.person_id == bindparam("person_id"), _C.withdrawn_at.is_(None), _C.expires_at > bindparam("now"))
    .order_by(_C.consent_id)
)


def _unknown() -> NotFound:
    # The same for a consent of somebody else: nobody learns that it exists.
    return NotFound("consent-unknown", "There is no such consent of yours.")


@dataclass(frozen=True, slots=True)
class Withdrawing:
    """The use case."""

    identity: Identity
    journal: Journal
    outbox: Outbox
    clock: Clock

    async def by_reference(self, tx: Tx, actor: Actor, reference: str) -> Receipt:
        """As `withdraw`, by the reference that pages and receipts show. Raises NotFound."""
        if actor.person_id is None:
            raise _unknown()
        consent = await find_own_consent(tx, actor.person_id, reference)
        if consent is None:
            raise _unknown()
        return await self.withdraw(tx, actor, consent.consent_id)

    async def withdraw(self, tx: Tx, actor: Actor, consent_id: uuid.UUID) -> Receipt:
        """Ends one of the actor's own consents and gives the receipt; a second time gives the same receipt.

        Raises NotFound `consent-unknown`.
        """
        if actor.person_id is None:
            raise _unknown()
        made = await self._end(tx, actor.person_id, consent_id, "subject", actor_ref(actor, None))
        if made is None:
            made = await find_receipt_of(tx, actor.person_id, consent_id, "withdrawn")
        if made is None:
            raise _unknown()
        return made

    async def replace(self, tx: Tx, actor: Actor, consents: Iterable[GivenConsent]) -> None:
        """Ends consents that a new answer of the same person narrowed. Those that have ended are left."""
        for consent in consents:
            await self._end(tx, consent.person_id, consent.consent_id, "subject", actor_ref(actor, None))

    async def on_death(self, tx: Tx, event: Event) -> None:
        """Handler of `person.died`: nobody may go on under a dead person's consent. Safe to repeat."""
        person_id = uuid.UUID(event.payload["person_id"])
        for row in await tx.rows(_LIVE_OF_PERSON, person_id=person_id, now=self.clock.now()):
            by = ActorRef(kind="operator", id="registry")
            await self._end(tx, person_id, row["consent_id"], "life-event", by)

    async def _end(
        self, tx: Tx, person_id: uuid.UUID, consent_id: uuid.UUID, ended_by: str, by: ActorRef
    ) -> Receipt | None:
        async with tx.savepoint():
            now = self.clock.now()
            row = await tx.row(_END, b_person_id=person_id, b_consent_id=consent_id, b_now=now, b_by=ended_by)
            if row is None:
                return None
            return await self._record(tx, consent_of(row), by, now)

    async def _record(self, tx: Tx, consent: GivenConsent, by: ActorRef, now: datetime) -> Receipt:
        line = await self.journal.write(
            tx,
            Line(
                kind="act",
                action=WITHDRAWN,
                subject=consent.person_id,
                actor=by,
                agency=consent.agency_code,
                purpose=consent.purpose,
                legal_basis=CONSENT,
                fields=tuple(sorted(consent.fields)),
                details={"consent": consent.reference, "client": consent.client_id},
            ),
        )
        await self.outbox.emit(
            tx,
            WITHDRAWN,
            {
                "person_id": str(consent.person_id),
                "consent_id": str(consent.consent_id),
                "agency_id": str(consent.agency_id),
                "client_id": consent.client_id,
            },
        )
        agency = await self.identity.agency(tx, agency_id=consent.agency_id)
        purpose = await load_purpose_version(tx, consent.purpose, consent.purpose_major, consent.purpose_minor)
        if purpose is None:
            raise LookupError("a consent without its purpose")  # a foreign key forbids it
        return await issue(tx, "withdrawn", consent, agency, purpose, line, now)

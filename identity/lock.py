"""Locking and unlocking an account (Law 26/2023 art. 34). Every reason is set and cleared alone."""

import uuid

from sqlalchemy import text

from core.clock import Clock
from core.database import Query, Tx
from core.errors import NotAllowed
from core.outbox import Outbox
from identity.locks import Clearer, LockReason, may_clear
from identity.records import NOWHERE, SYSTEM, Happened, Records
from identity.where import Where
from privacy.journal.api import ActorRef

_LOCK = Query(
    text(
        """
        UPDATE identity.accounts SET
            lock_reasons = array_append(lock_reasons, CAST(:reason AS text)),
            status = 'locked',
            locked_at = COALESCE(locked_at, :now)
        WHERE person_id = :person_id AND NOT CAST(:reason AS text) = ANY(lock_reasons)
        RETURNING account_id
        """
    )
)
_UNLOCK = Query(
    text(
        """
        UPDATE identity.accounts SET
            lock_reasons = array_remove(lock_reasons, CAST(:reason AS text)),
            status = CASE WHEN cardinality(lock_reasons) = 1 THEN 'active' ELSE 'locked' END,
            locked_at = CASE WHEN cardinality(lock_reasons) = 1 THEN NULL ELSE locked_at END,
            code_tries = CASE WHEN CAST(:reason AS text) = 'attempts' THEN 0 ELSE code_tries END
        WHERE person_id = :person_id AND CAST(:reason AS text) = ANY(lock_reasons)
        RETURNING account_id
        """
    )
)


class Locks:
    """The two acts. Both write history and journal; a lock tells the rest of the house by `account.locked`."""

    def __init__(self, clock: Clock, records: Records, outbox: Outbox) -> None:
        self._clock = clock
        self._records = records
        self._outbox = outbox

    async def lock(
        self,
        tx: Tx,
        person_id: uuid.UUID,
        reason: LockReason,
        *,
        by: ActorRef | None = None,
        where: Where | None = None,
    ) -> bool:
        """Adds a reason; False when there is no account or the reason holds already.

        In the caller's transaction; the event `account.locked` {person_id, account_id} then ends sessions
        and grants.
        """
        now = self._clock.now()
        row = await tx.row(_LOCK, person_id=person_id, reason=reason, now=now)
        if row is None:
            return False
        await self._write(tx, "lock", "locked", person_id, row["account_id"], reason, by, where)
        ids = {"person_id": str(person_id), "account_id": str(row["account_id"])}
        await self._outbox.emit(tx, "account.locked", ids)
        return True

    async def unlock(
        self,
        tx: Tx,
        person_id: uuid.UUID,
        reason: LockReason,
        *,
        cleared_by: Clearer,
        by: ActorRef | None = None,
        where: Where | None = None,
    ) -> bool:
        """Clears one reason; the account is open again when it was the last. False when it did not hold.

        Raises NotAllowed when this one may not clear it.
        """
        if not may_clear(reason, cleared_by):
            raise NotAllowed("lock-not-yours", "This lock can only be removed by the body that asked for it.")
        row = await tx.row(_UNLOCK, person_id=person_id, reason=reason)
        if row is None:
            return False
        await self._write(tx, "unlock", "unlocked", person_id, row["account_id"], reason, by, where)
        return True

    async def _write(
        self,
        tx: Tx,
        action: str,
        outcome: str,
        person_id: uuid.UUID,
        account_id: uuid.UUID,
        reason: str,
        by: ActorRef | None,
        where: Where | None,
    ) -> None:
        happened = Happened(
            action=f"account.{action}",
            outcome=outcome,
            person_id=person_id,
            account_id=account_id,
            at=self._clock.now(),
            where=where or NOWHERE,
            reason=reason,
            by=by or SYSTEM,
        )
        await self._records.write(tx, happened)

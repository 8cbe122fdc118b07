"""What identity does when something happened elsewhere. Every handler may run twice."""

import uuid
from base64 import b64decode
from datetime import datetime

import orjson

from core.database import Tx
from core.outbox import Event, Outbox
from identity import throttle
from identity.identity import Identity
from identity.records import Happened
from identity.sign_in import FAILED_PLACE, FAILED_TOPIC
from identity.where import Where
from population_db.api import DIED


def register_events(outbox: Outbox, identity: Identity) -> None:
    """Registers the handlers; their names are stored with the events, so they stay as they are."""

    async def lock_account(tx: Tx, event: Event) -> None:
        """A death locks the account; the lock's own event then ends sessions and grants."""
        await identity.lock(tx, uuid.UUID(event.payload["person_id"]), "death")

    async def end_sessions(tx: Tx, event: Event) -> None:
        await identity.end_sessions(uuid.UUID(event.payload["person_id"]))

    async def record_failed_sign_in(tx: Tx, event: Event) -> None:
        """Writes the failed try into the history of the account, when the number has one."""
        told = orjson.loads(identity.vault.unseal_system(FAILED_PLACE, b64decode(event.payload["sealed"])))
        await throttle.sweep(tx, identity.clock.now())
        if told["person_id"] is None:
            return
        await identity.records.write(
            tx,
            Happened(
                action="sign-in",
                outcome="password-wrong",
                person_id=uuid.UUID(told["person_id"]),
                account_id=uuid.UUID(told["account_id"]),
                at=datetime.fromisoformat(told["at"]),
                where=Where(*told["where"]),
                refused=True,
                reason="password-wrong",
                event_id=uuid.UUID(told["event_id"]),
            ),
        )

    outbox.register(DIED, "identity.lock-account", lock_account)
    outbox.register("account.locked", "identity.end-sessions", end_sessions)
    outbox.register(FAILED_TOPIC, "identity.record-failed-sign-in", record_failed_sign_in)

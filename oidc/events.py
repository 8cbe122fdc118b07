"""What ends grants from outside: a consent withdrawn, a session ended, an account locked, a death. Idempotent.

Where sessions end with them, the services that want it are told (Back-Channel Logout), in the same transaction.
"""

import uuid

from core.clock import Clock
from core.database import Tx
from core.outbox import Event, Outbox
from oidc import grants
from oidc.ciba.events import register_ciba_events
from oidc.logout.messages import tell_of_person, tell_of_session


class GrantEnder:
    """The handlers; each ends what is still live, so running one twice does no more."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def on_consent_withdrawn(self, tx: Tx, event: Event) -> None:
        """Every grant that rests on the consent; others of the same portal stay."""
        await grants.revoke_of_consent(
            tx,
            uuid.UUID(event.payload["person_id"]),
            uuid.UUID(event.payload["consent_id"]),
            reason="consent-withdrawn",
            now=self._clock.now(),
        )

    async def on_session_ended(self, tx: Tx, event: Event) -> None:
        """Signed out here: what the session was used for ends with it, and the services are told."""
        person_id, sid, now = uuid.UUID(event.payload["person_id"]), str(event.payload["sid"]), self._clock.now()
        # First, and by that after any redemption of a code that is under way: who got tokens is told.
        await grants.revoke_of_session(tx, person_id, sid, reason="signed-out", now=now)
        await tell_of_session(tx, person_id, sid, now=now)

    async def on_account_locked(self, tx: Tx, event: Event) -> None:
        await self._end_all(tx, event, "account-locked")

    async def on_person_died(self, tx: Tx, event: Event) -> None:
        await self._end_all(tx, event, "person-died")

    async def _end_all(self, tx: Tx, event: Event, reason: str) -> None:
        person_id, now = uuid.UUID(event.payload["person_id"]), self._clock.now()
        await tell_of_person(tx, person_id, now=now)
        await grants.revoke_of_person(tx, person_id, reason=reason, now=now)


def register_events(outbox: Outbox, clock: Clock) -> None:
    """The handlers' names are stored with the events: they must stay as they are."""
    register_ciba_events(outbox, clock)
    ender = GrantEnder(clock)
    outbox.register("consent.withdrawn", "oidc.revoke-grants", ender.on_consent_withdrawn)
    outbox.register("session.ended", "oidc.revoke-grants", ender.on_session_ended)
    outbox.register("account.locked", "oidc.revoke-grants", ender.on_account_locked)
    outbox.register("person.died", "oidc.revoke-grants", ender.on_person_died)

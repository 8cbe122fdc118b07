"""Who may not answer any more refuses all that waits for him. The client cannot tell it from a refusal of his own."""

import uuid
from dataclasses import dataclass

from core.clock import Clock
from core.database import Tx
from core.outbox import Event, Outbox
from oidc.ciba import requests


@dataclass(frozen=True, slots=True)
class RequestEnder:
    """The handler; running it twice does no more."""

    clock: Clock

    async def on_person_out(self, tx: Tx, event: Event) -> None:
        """The account was locked, or the person died."""
        await requests.deny_all(tx, uuid.UUID(event.payload["person_id"]), now=self.clock.now())


def register_ciba_events(outbox: Outbox, clock: Clock) -> None:
    """The handlers' names are stored with the events: they must stay as they are."""
    ender = RequestEnder(clock)
    outbox.register("account.locked", "oidc.refuse-requests", ender.on_person_out)
    outbox.register("person.died", "oidc.refuse-requests", ender.on_person_out)

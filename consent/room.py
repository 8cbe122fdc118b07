"""The room as packages above see it: one object; methods take the transaction first.

The disclosure door and the citizen's half (questions, consents, withdrawal) are made apart and held together
here.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from consent.asking import Asking, Granted, Standing
from consent.disclose import DisclosureDoor
from consent.disclosure import Disclosure, DisclosureRequest
from consent.drafts import PolicyDraft, PurposeDraft
from consent.give import Giving, Submission
from consent.policies import Policy
from consent.publish import Publisher
from consent.published import load_policy, load_purposes, policies_of
from consent.purposes import Purpose
from consent.question import ConsentAsk, Question
from consent.receipts import Receipt
from consent.withdraw import Withdrawing
from core.actor import Actor
from core.clock import Clock
from core.database import Reads, Tx
from core.outbox import Outbox
from identity.api import Identity
from population_db.api import DIED, Registry
from privacy.journal.api import ActorRef, Journal


class Consent:
    """One per process."""

    def __init__(
        self,
        *,
        clock: Clock,
        outbox: Outbox,
        journal: Journal,
        registry: Registry,
        identity: Identity,
        door: DisclosureDoor,
    ) -> None:
        self.clock = clock
        self._door = door
        self._publisher = Publisher(journal, clock)
        self.asking = Asking(identity, registry, clock)
        self.withdrawing = Withdrawing(identity, journal, outbox, clock)
        self.giving = Giving(self.asking, self.withdrawing, journal, clock)

    # --- asking and answering --------------------------------------------------------------------------

    async def question(self, tx: Reads, ask: ConsentAsk) -> Question | None:
        """What is still to be asked of the person, or None. Raises NotAllowed `purpose-not-allowed`."""
        return await self.asking.question(tx, ask)

    async def standing(self, tx: Reads, ask: ConsentAsk, *, answered: bool = False) -> Standing:
        """What is still to be asked and what is agreed to already, in one pass. See Asking.standing."""
        return await self.asking.standing(tx, ask, answered=answered)

    async def answer(self, tx: Tx, submission: Submission) -> dict[str, Any]:
        """The citizen's answer, written. See Giving.answer."""
        return await self.giving.answer(tx, submission)

    async def granted(
        self, tx: Tx, person_id: uuid.UUID, agency_id: uuid.UUID, purpose_fields: Mapping[str, Iterable[str]]
    ) -> dict[str, Granted]:
        """What live consents cover now, by purpose. See Asking.granted."""
        return await self.asking.granted(tx, person_id, agency_id, purpose_fields)

    async def withdraw(self, tx: Tx, actor: Actor, consent_id: uuid.UUID) -> Receipt:
        """Ends one of the actor's own consents. Raises NotFound `consent-unknown`."""
        return await self.withdrawing.withdraw(tx, actor, consent_id)

    # --- disclosing ------------------------------------------------------------------------------------

    async def disclose(self, tx: Tx, request: DisclosureRequest) -> Disclosure:
        """The door, from a page's transaction. See DisclosureDoor.disclose."""
        return await self._door.disclose(tx, request)

    async def disclose_by_itself(self, request: DisclosureRequest) -> Disclosure:
        """The door, for hot routes. See DisclosureDoor.disclose_by_itself."""
        return await self._door.disclose_by_itself(request)

    async def disclose_to_self(self, tx: Tx, actor: Actor, fields: tuple[str, ...]) -> Disclosure:
        """A citizen's own record to himself. See DisclosureDoor.disclose_to_self."""
        return await self._door.disclose_to_self(tx, actor, fields)

    # --- what is published -----------------------------------------------------------------------------

    async def publish_purpose(
        self,
        tx: Tx,
        draft: PurposeDraft,
        *,
        by: ActorRef,
        new_major: bool = False,
        valid_from: datetime | None = None,
    ) -> Purpose:
        """See Publisher.purpose."""
        return await self._publisher.purpose(tx, draft, by=by, new_major=new_major, valid_from=valid_from)

    async def publish_policy(
        self, tx: Tx, draft: PolicyDraft, *, by: ActorRef, valid_from: datetime | None = None
    ) -> Policy:
        """See Publisher.policy."""
        return await self._publisher.policy(tx, draft, by=by, valid_from=valid_from)

    async def policy(self, tx: Tx, agency_id: uuid.UUID, purpose_code: str) -> Policy | None:
        """The policy in force, with the levels a sign-in for it must reach."""
        return await load_policy(tx, agency_id, purpose_code, self.clock.now())

    async def policies(self, tx: Tx, agency_id: uuid.UUID) -> Sequence[Policy]:
        """All policies of an agency in force."""
        return await policies_of(tx, agency_id, self.clock.now())

    async def purposes(self, tx: Tx, codes: Iterable[str]) -> dict[str, Purpose]:
        """The purposes in force, by code."""
        return await load_purposes(tx, list(codes), self.clock.now())


def register_events(outbox: Outbox, consent: Consent) -> None:
    """Subscribes to what happens below. Called in every process that emits or handles."""
    outbox.register(DIED, "consent.end-consents", consent.withdrawing.on_death)

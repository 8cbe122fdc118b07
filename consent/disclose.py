"""The disclosure door: the only way by which a value of a record leaves the house.

load → decide → read only the groups needed → minimise (all in weigh.py) → journal, committed → give. A
refusal is journalled as well. When the journal cannot be written nothing leaves (Unavailable, zero fields).
"""

from consent.brake import Brake
from consent.cases import NOBODY
from consent.decide_self import decide_self
from consent.disclosure import Disclosure, DisclosureDenied, DisclosureRequest, PersonProof, public_code
from consent.lines import SELF, refusal_line
from consent.weigh import Ready, Stopped, make_ready, weigh
from core.actor import Actor
from core.clock import Clock
from core.database import Database, Reads, Tx
from identity.api import SelfDeclarations
from population_db.api import Registry
from privacy.journal.api import DisclosureRefused, Journal, Line


class DisclosureDoor:
    """One per process."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        journal: Journal,
        clock: Clock,
        brake: Brake,
        declarations: SelfDeclarations,
    ) -> None:
        self._database = database
        self._registry = registry
        self._journal = journal
        self._clock = clock
        self._brake = brake
        self._declarations = declarations

    async def disclose(self, tx: Tx, request: DisclosureRequest) -> Disclosure:
        """Answers in the caller's transaction. Raises DisclosureDenied, TooMany (both journalled in `tx`,
        so call it outside a savepoint), Unavailable.

        For the session door. On the raw door, whose pool the journal uses as well, callers that hold a
        connection each while they wait for the journal could starve it: there use `disclose_by_itself`.
        """
        return await self._finish(tx, request, await self._weigh(tx, request))

    async def disclose_by_itself(self, request: DisclosureRequest) -> Disclosure:
        """As `disclose`, by reads shared with others who ask now; no connection is held while the journal commits."""
        weighed = await self._weigh(self._database.shared, request)
        if isinstance(weighed, Ready):
            return await self._give(request, weighed)
        async with self._database.raw() as tx:
            return await self._finish(tx, request, weighed)

    async def disclose_to_self(self, tx: Tx, actor: Actor, fields: tuple[str, ...]) -> Disclosure:
        """A citizen's own record to himself; fields beyond his level are in `refused`.

        Raises DisclosureDenied, Unavailable.
        """
        person_id = actor.person_id or NOBODY
        request = DisclosureRequest("self.view", actor, person_id, None, None, SELF, fields)
        decision = decide_self(actor, fields)
        if decision.refusal is not None:
            await self._journal.write(tx, refusal_line(request, actor.person_id, decision.refusal))
            raise DisclosureDenied(decision.refusal, decision.refusal)
        record = await self._registry.read(tx, person_id, decision.allowed)
        return await self._give(request, make_ready(request, record, decision, {}))

    async def note_refusal(self, line: Line) -> None:
        """Writes the line of a request that never came to a decision, on a connection of its own."""
        async with self._database.raw() as tx:
            await self._journal.write(tx, line)

    async def _weigh(self, tx: Reads, request: DisclosureRequest) -> Ready | Stopped:
        return await weigh(
            tx,
            request,
            registry=self._registry,
            clock=self._clock,
            brake=self._brake,
            declarations=self._declarations,
        )

    async def _finish(self, tx: Tx, request: DisclosureRequest, weighed: Ready | Stopped) -> Disclosure:
        if isinstance(weighed, Stopped):
            await self._journal.write(tx, weighed.line)
            raise weighed.refusal
        return await self._give(request, weighed)

    async def _give(self, request: DisclosureRequest, ready: Ready) -> Disclosure:
        try:
            line = await self._journal.disclose(ready.line, basis=ready.basis)
        except DisclosureRefused as refused:
            # The journal's own transaction found the ground gone, and wrote the refusal line.
            by_proof = isinstance(request.subject, PersonProof)
            code = public_code(refused.reason, request.legal_basis, by_proof)
            raise DisclosureDenied(code, refused.reason) from None
        return Disclosure(ready.subject, ready.values, ready.matched, ready.refused, ready.not_held, line)

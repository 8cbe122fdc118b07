"""An agency's back end under load: lookups one after the other, each with a fresh proof; faults do not stop it."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from core.clock import Clock
from core.jose import SigningKey
from service.sandbox_guide import ClientGuide
from tests.actors.agency import AgencyBackend
from tests.actors.load_watch import Dropped, Watch, WatchedClient
from tests.actors.relying_party import RelyingParty

PAUSE_SECONDS = 0.05


@dataclass
class LoadAgency:
    """One back end that asks about some people, matches and records in turn."""

    client: ClientGuide
    purpose: str
    procedure: str
    legal_basis: str
    people: Sequence[str]
    fields: Sequence[str]
    watch: Watch
    transport: httpx.AsyncBaseTransport
    issuer: str
    clock: Clock
    answers: int = 0

    async def backend(self, who: str) -> AgencyBackend:
        """Connected, with a token."""
        assert self.client.private_jwk is not None
        key = SigningKey.from_jwk(self.client.private_jwk)
        party = RelyingParty(
            WatchedClient(self.watch, who, self.issuer, self.transport),
            self.clock,
            self.issuer,
            self.client.client_id,
            method="private_key_jwt",
            key=key,
            proof_key=key,
        )
        return await AgencyBackend(party, self.purpose, self.procedure, self.legal_basis).connect()

    async def live(self, number: int, stop: asyncio.Event) -> None:
        """Asks until told to stop. Needs a running service at its beginning only."""
        backend = await self.backend(f"{self.client.client_id}-{number}")
        for turn, key in enumerate(itertools.cycle(self.people)):
            if stop.is_set():
                return
            try:
                answer = await self.ask(backend, key, matches=turn % 2 == 1)
                self.answers += answer.status_code == 200
            except Dropped:
                pass
            await asyncio.sleep(PAUSE_SECONDS)

    async def ask(self, backend: AgencyBackend, key: str, *, matches: bool = False) -> httpx.Response:
        """One lookup. Raises Dropped."""
        if matches:
            return await backend.matches(key, match={"full_name": backend.question(key)["person"]["full_name"]})
        return await backend.records(key, fields=self.fields)

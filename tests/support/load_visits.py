"""Somebody who is signed in while the storm goes on, and looks what is left of it: session, tokens, consents."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.actors.browser import Browser, Page
from tests.actors.load_citizen import LoadCitizen
from tests.actors.load_watch import WatchedClient
from tests.support.load_sandbox import Part

CONSENTS = "/me/consents"


@dataclass
class Visitor:
    """pages: what the own page was after each kill. tokens: got before the storm."""

    citizen: LoadCitizen
    pages: dict[Part, Page] = field(default_factory=dict)
    consents_before: set[str] = field(default_factory=set)
    consents_after: set[str] = field(default_factory=set)
    userinfo_after: int = 0
    refreshed_after: int = 0
    tokens: dict[str, Any] = field(default_factory=dict)
    first_after_idle: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        citizen = self.citizen
        self.http = WatchedClient(citizen.watch, f"visitor {citizen.persona.key}", citizen.issuer, citizen.transport)
        self.browser = Browser(self.http, citizen.issuer, citizen.clock)
        self.party = citizen.party(self.http)

    async def come(self) -> None:
        """Signs in for a portal, agrees, and opens the own page."""
        attempt = self.party.ask()
        code = await self.citizen.code(self.browser, attempt)
        answer = await self.party.exchange(attempt, code)
        assert answer.status_code == 200, answer.text
        self.tokens = answer.json()
        page = await self.browser.open(CONSENTS)
        self.consents_before = _consents(page)
        assert self.consents_before, page.text

    async def look_in(self, part: Part) -> None:
        """Opens the own page again: shown, or the sign-in page when the session is gone."""
        self.pages[part] = await self.browser.open(CONSENTS)

    async def come_back(self) -> None:
        """What came through: the tokens at the portal; then, signed in anew, the consents."""
        self.userinfo_after = (await self.party.userinfo(self.tokens["access_token"])).status_code
        self.refreshed_after = (await self.party.refresh(self.tokens["refresh_token"])).status_code
        page = await self.browser.open(CONSENTS)
        if page.path == "/signin":
            page = await self.browser.sign_in(self.citizen.persona)
        self.consents_after = _consents(page)

    async def knock(self, times: int) -> list[int]:
        """Opens the own page over so many connections at once, so that every process has to answer."""

        async def once() -> int:
            fresh = httpx.AsyncHTTPTransport()
            http = WatchedClient(self.citizen.watch, "knocking", self.citizen.issuer, fresh)
            http.cookies = self.http.cookies
            async with http:
                return (await http.get(CONSENTS)).status_code

        return list(await asyncio.gather(*(once() for _ in range(times))))


def _consents(page: Page) -> set[str]:
    """References of the consents shown."""
    return {part.split('"', 1)[0] for part in page.text.split('id="consent-')[1:]}

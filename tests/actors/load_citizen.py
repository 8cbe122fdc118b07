"""A citizen with a portal, over and over: sign in, agree, code, tokens, claims, refresh. Faults end a walk, not him.

The portal misbehaves on purpose: it asks again with the same code or refresh token when an answer was lost, and
at times sends two requests at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from core.clock import Clock
from service.sandbox_guide import PersonaGuide
from tests.actors.browser import Browser, Page, left_for
from tests.actors.load_watch import Dropped, Watch, WatchedClient
from tests.actors.relying_party import Attempt, RelyingParty

RETRIES = 6
RETRY_AFTER_SECONDS = 0.4
MAX_REFRESHES = 2

Ask = Callable[[], Awaitable[httpx.Response]]


class Broken(Exception):
    """The walk cannot go on: a page or an answer of a fault, or a step that was refused."""


@dataclass
class Portal:
    """One registered client: what it takes to play it."""

    client_id: str
    redirect_uri: str
    scope: str
    secret: str | None = None


@dataclass
class LoadCitizen:
    """One persona at one portal. walks: whole ones."""

    persona: PersonaGuide
    portal: Portal
    issuer: str
    watch: Watch
    transport: httpx.AsyncBaseTransport
    clock: Clock
    walks: int = 0
    tries: int = 0

    async def live(self, stop: asyncio.Event) -> None:
        """Walks until told to stop."""
        while not stop.is_set():
            try:
                await self.walk()
                self.walks += 1
            except (Broken, Dropped):
                await asyncio.sleep(0.1)

    async def walk(self) -> dict[str, Any]:
        """One whole walk with a fresh browser; the last token answer. Raises Broken, Dropped."""
        self.tries += 1
        http = WatchedClient(self.watch, self.persona.key, self.issuer, self.transport)
        browser, party = Browser(http, self.issuer, self.clock), self.party(http)
        attempt = party.ask(prompt="consent")
        code = await self.code(browser, attempt)
        tokens = await self._redeem(party, attempt, code)
        await self._claims(party, tokens)
        for _ in range(MAX_REFRESHES):
            tokens = await self._refreshed(party, tokens)
            await self._claims(party, tokens)
        return tokens

    async def code(self, browser: Browser, attempt: Attempt) -> str:
        """The browser's part. Raises Broken at every page that is not the expected one."""
        page = await browser.open(attempt.url)
        if page.path == "/signin" and page.status == 200:
            page = await browser.sign_in(self.persona)
        if page.path == "/consent" and page.status == 200:
            page = await agree_to_all(browser, page)
        if not page.response.is_redirect:
            raise Broken(f"{page.path} {page.status}")
        told = left_for(page)
        if "code" not in told:
            raise Broken(str(told))
        assert (told["state"], told["iss"]) == (attempt.state, self.issuer)
        return told["code"]

    async def _redeem(self, party: RelyingParty, attempt: Attempt, code: str) -> dict[str, Any]:
        def ask() -> Awaitable[httpx.Response]:
            return party.exchange(attempt, code)

        return await self._at_once(ask) if self.tries % 5 == 0 else await self._again(ask)

    async def _refreshed(self, party: RelyingParty, tokens: dict[str, Any]) -> dict[str, Any]:
        def ask() -> Awaitable[httpx.Response]:
            return party.refresh(tokens["refresh_token"])

        # Two at once, or a retry: within its grace a rotating token then has one and the same successor.
        answer = await self._at_once(ask) if self.tries % 3 == 0 else await self._again(ask)
        return {**tokens, **answer}

    async def _claims(self, party: RelyingParty, tokens: dict[str, Any]) -> None:
        answer = await party.userinfo(tokens["access_token"])
        if answer.status_code != 200:
            raise Broken(f"userinfo {answer.status_code}")

    async def _again(self, ask: Ask) -> dict[str, Any]:
        """Asks until there is an answer, as a portal does whose answer was lost on the way."""
        for _ in range(RETRIES):
            try:
                answer = await ask()
            except Dropped:
                answer = None
            if answer is not None and answer.status_code == 200:
                told: dict[str, Any] = answer.json()
                return told
            if answer is not None and answer.status_code != 503:
                break
            await asyncio.sleep(RETRY_AFTER_SECONDS)
        raise Broken("no token")

    async def _at_once(self, ask: Ask) -> dict[str, Any]:
        """Sends the same request twice at once; at least one may win."""
        answers = await asyncio.gather(ask(), ask(), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, httpx.Response) and answer.status_code == 200:
                told: dict[str, Any] = answer.json()
                return told
        raise Broken("no token of two")

    def party(self, http: WatchedClient) -> RelyingParty:
        """The portal's part."""
        return RelyingParty(
            http,
            self.clock,
            self.issuer,
            self.portal.client_id,
            method="client_secret_basic" if self.portal.secret else "none",
            secret=self.portal.secret,
            redirect_uri=self.portal.redirect_uri,
            scope=self.portal.scope,
        )


async def agree_to_all(browser: Browser, page: Page) -> Page:
    """Ticks every box of the consent page."""
    chosen: dict[str, list[str]] = {}
    for name, value in page.form("consent-form").checkboxes:
        chosen.setdefault(name, []).append(value)
    return await browser.submit("consent-form", button=("decision", "allow"), **chosen)

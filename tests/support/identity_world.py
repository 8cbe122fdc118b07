"""The identity rooms on a test module's database, with the personas' accounts, and a service that starts sign-ins.

Everything is real. `Starter` plays what oidc does: it starts an interaction with an ask and shows what the
sign-in gave back.
"""

import re
import secrets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pyotp
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

import core.web
import identity
from core.cache import Cache
from core.clock import Clock, FixedClock
from core.database import Database, Tx
from core.interaction import Interactions, SignInAsk
from core.outbox import Outbox
from core.runtime import Parts, part
from core.settings import Settings
from core.web import edge
from core.web.browser import WebSecret
from core.web.pages import Pages, PageSource
from identity.api import Identity, register_events, routers
from population_db.api import Registry
from population_db.synthetic.personas import persona
from privacy.journal.api import Journal, StoredLine
from privacy.vault.api import KeyEncryptionKeys, Vault
from tests.support.disclosure_world import import_personas

ISSUER = "http://localhost:8000"
PORTAL = "https://portal.example.vn"
PASSWORD = "mật khẩu rất dài"
HOME = ("198.51.100.7", 4711)


@dataclass
class IdentityWorld:
    """web and worker: the rooms as the two kinds of process have them."""

    app: FastAPI
    settings: Settings
    clock: FixedClock
    cache: Cache
    database: Database
    worker: Database
    owner: Database
    vault: Vault
    registry: Registry
    outbox: Outbox
    identity: Identity
    secrets: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, uuid.UUID] = field(default_factory=dict)

    async def person(self, key: str) -> uuid.UUID:
        async with self.database.raw_read() as tx:
            ref = await self.registry.find_by_number(tx, persona(key).number)
        assert ref is not None
        return ref.person_id

    async def enrol(self, key: str, *, ial: int = 2, totp: bool = True) -> None:
        """An account for a persona with the one password of these tests."""
        self.secrets[key] = pyotp.random_base32()
        async with self.database.page() as tx:
            self.accounts[key] = await self.identity.enrol(
                tx,
                await self.person(key),
                ial=2 if ial == 2 else 1,
                password=PASSWORD,
                totp_secret=self.secrets[key] if totp else None,
            )

    def code(self, key: str, *, steps: int = 0) -> str:
        """The code that a persona's app shows, some steps of 30 seconds away from now."""
        at = self.clock.now() + timedelta(seconds=30 * steps)
        return pyotp.TOTP(self.secrets[key]).at(at)

    def browser(self, address: tuple[str, int] = HOME, user_agent: str = "") -> "Browser":
        return Browser(self, address, user_agent)

    async def run_events(self) -> int:
        """Lets the worker handle what is due; gives how many steps it did."""
        done = 0
        while await self.outbox.run_once(self.worker):
            done += 1
        return done

    async def journal_lines(self, key: str) -> list[StoredLine]:
        async with self.database.raw_read() as tx:
            return await self.journal.about(tx, await self.person(key), limit=50)

    @property
    def journal(self) -> Journal:
        found: Journal = self.app.state.parts.get(Journal)
        return found

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        """As the owner of the database."""
        async with self.owner.raw() as tx:
            found: list[Any] = await tx.conn.fetch(sql, *values)
            return found

    async def reset(self) -> None:
        """Between tests: nothing in Redis, no counted tries, no locks, an hour later."""
        await self.cache.redis.flushdb()
        self.clock.advance(timedelta(hours=1))
        async with self.owner.raw() as tx:
            await tx.conn.execute("DELETE FROM identity.sign_in_attempts")
            await tx.conn.execute("DELETE FROM core.outbox")
            await tx.conn.execute(
                "UPDATE identity.accounts SET status = 'active', lock_reasons = '{}', locked_at = NULL,"
                " code_tries = 0, code_next_try_at = enrolled_at"
            )


class Browser:
    """A browser that keeps cookies, follows nothing by itself and sends the forms it is shown."""

    def __init__(self, world: IdentityWorld, address: tuple[str, int], user_agent: str) -> None:
        self.world = world
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(world.app, client=address),
            base_url=ISSUER,
            headers={"user-agent": user_agent} if user_agent else {},
        )
        self.page: httpx.Response | None = None

    async def get(self, url: str) -> httpx.Response:
        return self._shown(await self.http.get(url))

    async def follow(self) -> httpx.Response:
        """Goes where the last answer points, once."""
        assert self.page is not None
        assert self.page.status_code == 303, (self.page.status_code, self.page.text)
        return await self.get(self.page.headers["location"])

    async def send(self, form_id: str, **fields: str) -> httpx.Response:
        """Fills in and sends the form with this id on the present page."""
        assert self.page is not None
        action, hidden = form_of(self.page.text, form_id)
        return self._shown(await self.http.post(action, data={**hidden, **fields}))

    async def post(self, url: str, **fields: str) -> httpx.Response:
        """Sends a form with the CSRF token of the present page, whatever its forms are."""
        assert self.page is not None
        return self._shown(await self.http.post(url, data={"csrf": csrf_of(self.page.text), **fields}))

    def cookie(self, name: str) -> str:
        return self.http.cookies.get(f"dd_{name}") or ""

    def plant(self, name: str, value: str) -> None:
        """A cookie as our service would have set it."""
        self.http.cookies.set(f"dd_{name}", value, domain="localhost.local", path="/")

    async def start(self, **ask: Any) -> httpx.Response:
        """A portal asks for a sign-in; the first page it leads to."""
        await self.get("/start?" + str(httpx.QueryParams({name: str(value) for name, value in ask.items()})))
        return await self.follow()

    async def enter_password(self, key: str, password: str = PASSWORD) -> httpx.Response:
        return await self.send("signin-form", number=persona(key).number, password=password)

    async def enter_code(self, key: str, *, steps: int = 0) -> httpx.Response:
        return await self.send("code-form", code=self.world.code(key, steps=steps))

    async def sign_in(self, key: str, **ask: Any) -> dict[str, Any]:
        """The whole way; what the portal's interaction holds at its end."""
        await self.start(**ask)
        await self.enter_password(key)
        if self.redirects_to("/signin/code"):
            await self.follow()
            await self.enter_code(key)
        return await self.result()

    async def result(self) -> dict[str, Any]:
        """What the starter finds when the browser comes back."""
        answer = await self.follow()
        found: dict[str, Any] = answer.json()
        return found

    def redirects_to(self, path: str) -> bool:
        assert self.page is not None
        return self.page.status_code == 303 and self.page.headers["location"].split("?")[0] == path

    def _shown(self, response: httpx.Response) -> httpx.Response:
        self.page = response
        return response


def form_of(html: str, form_id: str) -> tuple[str, dict[str, str]]:
    """Action and hidden fields of a form."""
    found = re.search(rf'<form[^>]*\bid="{form_id}"[^>]*>.*?</form>', html, re.DOTALL)
    assert found, f"the page has no form {form_id}"
    action = re.search(r'action="([^"]*)"', found[0])
    assert action
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', found[0]))
    return unescape(action[1]), {name: unescape(value) for name, value in hidden.items()}


def csrf_of(html: str) -> str:
    found = re.search(r'name="csrf" value="([^"]*)"', html)
    assert found, "the page has no form"
    return found[1]


def text_of(html: str, element_id: str) -> str:
    """The text inside an element with this id (up to its first end tag)."""
    found = re.search(rf'id="{element_id}"[^>]*>(.*?)</', html, re.DOTALL)
    assert found, f"the page has no element {element_id}"
    return unescape(re.sub(r"<[^>]+>", "", found[1])).strip()


def _install_starter(app: FastAPI) -> None:
    """What oidc does around a sign-in."""

    @app.get("/start")
    async def start(request: Request) -> Response:
        query = dict(request.query_params)
        ask = SignInAsk(
            min_aal=int(query.get("aal", "1")),
            min_ial=int(query.get("ial", "1")),
            max_age_seconds=int(query["max_age"]) if "max_age" in query else None,
            force="force" in query,
            login_hint=query.get("hint"),
            client_name=query.get("client", "Cổng dịch vụ công"),
            agency_name="Sở Giáo dục",
        )
        interaction = await part(request, Interactions).start(
            request, resume="/start/resume", sign_in=ask, redirect_origin=PORTAL, data={"of": "starter"}
        )
        return RedirectResponse(interaction.url("/signin"), 303)

    @app.get("/start/resume")
    async def resume(request: Request) -> Response:
        return JSONResponse(asdict(await part(request, Interactions).load(request, request.query_params["i"])))


@asynccontextmanager
async def identity_world(
    *,
    settings: Settings,
    owner: Database,
    web: Database,
    worker: Database,
    worker_url: str,
    redis_url: str,
    folder: Path,
    queue: int = 64,
) -> AsyncIterator[IdentityWorld]:
    """A world with the personas in the registry; no account yet."""
    clock = FixedClock(datetime(2026, 11, 2, 2, 0, tzinfo=UTC))
    settings = settings.model_copy(update={"argon2_queue": queue})
    cache = Cache.connect(redis_url)
    keys_path = folder / f"kek-{secrets.token_hex(4)}.json"
    keks = KeyEncryptionKeys.create(keys_path)
    async with owner.raw() as tx:
        await Vault.create_missing_keys(tx, keks)
        vault = await Vault.load(tx, keks)
    await import_personas(worker_url, keys_path, clock, folder)
    outbox = Outbox(clock)
    registry = Registry(vault, clock, outbox)
    web_secret = WebSecret(secrets.token_bytes(32))
    parts = Parts()
    parts.add(Settings, settings)
    parts.add(Clock, clock)  # type: ignore[type-abstract]
    parts.add(Database, web)
    parts.add(Cache, cache)
    parts.add(WebSecret, web_secret)
    parts.add(Interactions, Interactions(cache, clock))
    journal = parts.add(Journal, Journal(web, clock, vault))
    here = Path(identity.__file__).parent
    sources = [PageSource("core", Path(core.web.__file__).parent), PageSource("identity", here)]
    parts.add(Pages, Pages(sources, sandbox=True, asset_version="test"))
    room = parts.add(
        Identity,
        Identity(
            settings=settings,
            clock=clock,
            database=web,
            cache=cache,
            outbox=outbox,
            web_secret=web_secret,
            vault=vault,
            journal=journal,
            registry=registry,
        ),
    )
    register_events(outbox, room)
    app = FastAPI()
    app.state.parts = parts
    edge.install(app)
    for router in routers():
        app.include_router(router)
    _install_starter(app)
    try:
        yield IdentityWorld(app, settings, clock, cache, web, worker, owner, vault, registry, outbox, room)
    finally:
        room.close()
        await cache.close()


async def make_desk(world: IdentityWorld, tx: Tx, key: str, agency: str, unit: str, title: str) -> uuid.UUID:
    """An appointment of a persona, in force since the first of the month."""
    return await world.identity.appoint(
        tx, await world.person(key), agency, unit, title, {"01"}, {"check.match"}, date(2026, 11, 1), None
    )

"""A storm: real load on a real sandbox, while its parts are killed one after the other with kill -9.

`rage` drives it and returns what happened; the tests judge. Bounded in time, in requests in flight and in kills.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic

import httpx

from core.clock import SystemClock
from core.database import Database
from identity.api import Identity
from oidc.api import OpenIdProvider
from privacy.journal.api import ActorRef
from service.compose import composed
from service.sandbox_world import EDUCATION
from tests.actors.browser import Browser
from tests.actors.load_agency import LoadAgency
from tests.actors.load_citizen import LoadCitizen, Portal
from tests.actors.load_watch import Dropped, Watch, WatchedClient
from tests.support.load_ledger import late_lines
from tests.support.load_sandbox import PARTS, WEB_PROCESSES, LiveSandbox, Part
from tests.support.load_visits import Visitor

APP = Portal("load-app", "http://127.0.0.1:8003/callback", "openid profile phone email offline_access")
STEADY, KEEPER = "An", "Chau"
"""An agreed to the lookups and is left alone; Châu stays signed in to see what losing the cache does."""
WALKERS = ("Binh", "Dung", "Giang", "Hoa", "Hoa2", "Tam", "Uyen", "Van")
BACKENDS = (("agency-insurance", 5), ("agency-education", 2))
IN_FLIGHT = len(WALKERS) + sum(count for _, count in BACKENDS) + 2
"""Walkers may send two at once; the health watch and the probe come on top."""

WARM_SECONDS = 2.0
CALM_SECONDS = 2.0
BACK_WITHIN_SECONDS = 30.0
HEALTH_EVERY_SECONDS = 0.04
PROBES = 3
IDLE_VISITS = 12


Probe = Callable[[], Awaitable[bool]]


@dataclass
class Fault:
    """One kill. in_flight: requests without an answer at that moment. seconds: until all was well again."""

    part: Part
    at: float
    in_flight: int
    over: float = 0.0
    not_ready: set[str] = field(default_factory=set)
    """The checks that /health/ready named meanwhile."""

    @property
    def seconds(self) -> float:
        return self.over - self.at


@dataclass
class Storm:
    """What happened. health: instant and the failed checks of every answer of /health/ready."""

    live: LiveSandbox
    watch: Watch = field(default_factory=Watch)
    faults: list[Fault] = field(default_factory=list)
    health: list[tuple[float, frozenset[str]]] = field(default_factory=list)
    citizens: list[LoadCitizen] = field(default_factory=list)
    agencies: list[LoadAgency] = field(default_factory=list)
    stalled: frozenset[str] = frozenset()
    visitor: Visitor | None = field(default=None, repr=False)
    began: float = 0.0
    ended: float = 0.0

    def fault(self, part: Part) -> Fault:
        return next(fault for fault in self.faults if fault.part == part)

    def calm(self, started: float, ended: float) -> bool:
        """Whether nothing was broken between these instants."""
        return all(ended < fault.at or started > fault.over for fault in self.faults)


async def rage(live: LiveSandbox) -> Storm:
    """The whole storm. Raises AssertionError when a part does not come back."""
    storm, stop = Storm(live), asyncio.Event()
    await _register_app(live)
    async with _transport() as transport, _transport() as own:
        storm.visitor = Visitor(_citizen(storm, KEEPER, portal_of(live, APP.scope), own))
        await storm.visitor.come()
        await _steady_consent(storm, own)
        storm.citizens, storm.agencies = _citizens(storm, transport), _agencies(storm, transport)
        probe = await _probe(storm, own)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_watch_health(storm, own, stop))
            for citizen in storm.citizens:
                tasks.create_task(citizen.live(stop))
            for agency, (_, count) in zip(storm.agencies, BACKENDS, strict=True):
                for number in range(count):
                    tasks.create_task(agency.live(number, stop))
            try:
                storm.began = monotonic()
                await asyncio.sleep(WARM_SECONDS)
                for part in PARTS:
                    await _break(storm, part, probe)
                    await asyncio.sleep(CALM_SECONDS)
                    await storm.visitor.look_in(part)
                storm.ended = monotonic()
            finally:
                stop.set()
        await storm.visitor.come_back()
        await _break_idle(storm, probe)
        await _stall_redis(storm, own)
    return storm


async def _break_idle(storm: Storm, probe: Probe) -> None:
    """PostgreSQL killed while nobody works: what lay idle in the pools must not trouble who comes next."""
    assert storm.visitor is not None
    await storm.visitor.knock(IDLE_VISITS)
    storm.live.kill("postgres")
    await asyncio.sleep(0.5)
    async with asyncio.timeout(BACK_WITHIN_SECONDS):
        while not await probe():  # noqa: ASYNC110  what is asked is another process
            await asyncio.sleep(HEALTH_EVERY_SECONDS)
    storm.visitor.first_after_idle = await storm.visitor.knock(IDLE_VISITS)


async def _break(storm: Storm, part: Part, probe: Probe) -> None:
    live = storm.live
    before = live.pids(part)
    victim = live.kill(part)
    fault = Fault(part, monotonic(), storm.watch.running)
    fault.over = float("inf")
    storm.faults.append(fault)
    wanted = WEB_PROCESSES if part == "web" else 1
    passed = 0
    while passed < PROBES:
        assert monotonic() < fault.at + BACK_WITHIN_SECONDS, f"{part} did not come back: {live.logs()}"
        now = live.pids(part)
        replaced = victim not in now and len(now) >= wanted and bool(now - before)
        back = replaced and await probe() and not await late_lines(live.urls.database_owner_url)
        passed = passed + 1 if back else 0
        if not passed:
            await asyncio.sleep(HEALTH_EVERY_SECONDS)
    fault.over = monotonic()
    fault.not_ready = {name for at, failed in storm.health if fault.at <= at <= fault.over for name in failed}


async def _stall_redis(storm: Storm, transport: httpx.AsyncBaseTransport) -> None:
    """Redis halted, not dead: it takes connections and never answers. Then it goes on."""
    http = WatchedClient(storm.watch, "stalled", storm.live.issuer, transport)
    [pid] = storm.live.pids("redis")

    async def failing() -> frozenset[str]:
        checks: dict[str, str] = (await http.get("/health/ready")).json()["checks"]
        return frozenset(name for name, outcome in checks.items() if outcome != "ok")

    os.kill(pid, signal.SIGSTOP)
    try:
        storm.stalled = await failing()
    finally:
        os.kill(pid, signal.SIGCONT)
    async with asyncio.timeout(BACK_WITHIN_SECONDS):
        while await failing():  # noqa: ASYNC110  what is asked is another process
            await asyncio.sleep(HEALTH_EVERY_SECONDS)


async def _probe(storm: Storm, transport: httpx.AsyncBaseTransport) -> Probe:
    """A question that needs every part: ready, and a lookup that is answered."""
    agency = storm.agencies[0]
    backend = await LoadAgency(**{**vars(agency), "transport": transport}).backend("probe")
    http = WatchedClient(storm.watch, "probe", storm.live.issuer, transport)

    async def ask() -> bool:
        try:
            ready = await http.get("/health/ready")
            return ready.status_code == 200 and (await agency.ask(backend, STEADY)).status_code == 200
        except Dropped:
            return False

    return ask


async def _watch_health(storm: Storm, transport: httpx.AsyncBaseTransport, stop: asyncio.Event) -> None:
    http = WatchedClient(storm.watch, "health", storm.live.issuer, transport)
    while not stop.is_set():
        try:
            answer = await http.get("/health/ready")
            checks: dict[str, str] = answer.json().get("checks", {"answer": "none"})
            failed = frozenset(name for name, outcome in checks.items() if outcome != "ok")
            storm.health.append((monotonic(), failed))
        except Dropped:
            pass  # its web process was the one that was killed
        await asyncio.sleep(HEALTH_EVERY_SECONDS)


async def _register_app(live: LiveSandbox) -> None:
    """A public client: the only kind whose refresh tokens rotate."""
    metadata = {
        "client_name": "Ứng dụng tuyển sinh",
        "scope": APP.scope,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "redirect_uris": [APP.redirect_uri],
    }
    async with composed(live.settings, login="web") as parts, parts.get(Database).page() as tx:
        agency = await parts.get(Identity).agency(tx, code=EDUCATION)
        await parts.get(OpenIdProvider).register_client(
            tx,
            metadata,
            agency_id=agency.agency_id,
            agency_code=agency.code,
            by=ActorRef("operator", "tests"),
            profile="standard",
            client_id=APP.client_id,
        )


async def _steady_consent(storm: Storm, transport: httpx.AsyncBaseTransport) -> None:
    """One person agrees that the education agency looks her up; with two factors, as its policy asks."""
    portal = portal_of(storm.live, "openid purpose:school-enrolment")
    citizen = _citizen(storm, STEADY, portal, transport)
    http = WatchedClient(storm.watch, STEADY, storm.live.issuer, transport)
    attempt = citizen.party(http).ask(acr_values="urn:dinhdanh:loa:ial2:aal2")
    await citizen.code(Browser(http, storm.live.issuer, SystemClock()), attempt)


def portal_of(live: LiveSandbox, scope: str) -> Portal:
    """The demo portal, which has a secret."""
    known = next(client for client in live.sandbox.clients if client.client_id == "portal-enrolment")
    return Portal(known.client_id, known.redirect_uris[0], scope, known.client_secret)


def _citizen(storm: Storm, key: str, portal: Portal, transport: httpx.AsyncBaseTransport) -> LoadCitizen:
    persona = next(one for one in storm.live.sandbox.personas if one.key == key)
    return LoadCitizen(persona, portal, storm.live.issuer, storm.watch, transport, SystemClock())


def _citizens(storm: Storm, transport: httpx.AsyncBaseTransport) -> list[LoadCitizen]:
    """Half of them at the app, half at the portal."""
    portals = (APP, portal_of(storm.live, APP.scope))
    return [_citizen(storm, key, portals[at % 2], transport) for at, key in enumerate(WALKERS)]


def _agencies(storm: Storm, transport: httpx.AsyncBaseTransport) -> list[LoadAgency]:
    clients = {client.client_id: client for client in storm.live.sandbox.clients}
    asks = {
        "agency-insurance": ("benefit-check", "1.001667", "statutory-duty", (STEADY, *WALKERS), ("life_status",)),
        "agency-education": ("school-enrolment", "3.000181", "consent", (STEADY,), ("children", "birth_date")),
    }
    common = (storm.watch, transport, storm.live.issuer, SystemClock())
    return [LoadAgency(clients[client_id], *asks[client_id], *common) for client_id, _ in BACKENDS]


def _transport() -> httpx.AsyncHTTPTransport:
    return httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=40, max_keepalive_connections=40))

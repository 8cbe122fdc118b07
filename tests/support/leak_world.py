"""A canary person in a furnished sandbox, and clients whose every exchange is listened to."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import orjson

from core.cache import Cache
from core.database import Database
from core.jose import SigningKey
from core.outbox import Outbox
from core.settings import secret_value
from identity.api import Identity
from oidc.api import OpenIdProvider
from population_db.api import Registry
from population_db.import_run import import_file
from privacy.journal.api import ActorRef
from privacy.vault.api import KeyEncryptionKeys
from service.key_files import key_files
from service.sandbox_guide import PersonaGuide
from service.sandbox_world import EDUCATION
from tests.actors.agency import AgencyBackend
from tests.actors.browser import Browser
from tests.actors.relying_party import RelyingParty
from tests.support import leak_canaries as canary
from tests.support.furnished import Furnished
from tests.support.leak_canaries import Needles
from tests.support.leak_scan import redis_now

INTROSPECTOR = "leak-resource"
_CSRF = re.compile(r'name="csrf" value="([^"]*)"')
_ADDRESS = re.compile(r'(?:href|action)="([^"]*)"')
_TOKENS = ("access_token", "refresh_token", "id_token", "auth_req_id", "device_code", "user_code")


@dataclass
class LeakWorld:
    """logs: all that was logged. addresses: every Location, link and form target answered. redis: what lay in it."""

    furnished: Furnished
    needles: Needles
    logs: StringIO
    addresses: list[str] = field(default_factory=list)
    redis: set[bytes] = field(default_factory=set)
    statuses: dict[str, set[int]] = field(default_factory=dict)
    introspector_secret: str = ""

    @property
    def person(self) -> PersonaGuide:
        """The canary, as a persona that a browser can sign in as."""
        return PersonaGuide(
            "Zar", canary.FULL_NAME, canary.NUMBER, canary.BIRTH_DATE, 2, canary.PASSWORD, canary.TOTP_SECRET, "", ""
        )

    @asynccontextmanager
    async def http(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client that sends canaries in its headers and is listened to."""
        async with self.furnished.http(canary.ADDRESS_OF_PEER) as http:
            http.headers.update(canary.HEADERS)
            http.cookies.set(*canary.COOKIE)
            http.event_hooks = {"response": [self._listen]}
            yield http

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[Browser]:
        async with self.http() as http:
            yield Browser(http, self.furnished.settings.issuer, self.furnished.clock)

    def party(self, http: httpx.AsyncClient, client_id: str, scope: str = "openid") -> RelyingParty:
        """One of the sandbox's clients, its secrets among the needles."""
        known = self.furnished.client(client_id)
        key = SigningKey.from_jwk(known.private_jwk) if known.private_jwk else None
        if known.client_secret:
            self.needles.add("client secret", known.client_secret)
        if known.private_jwk:
            self.needles.add("client key", known.private_jwk["d"])
        return RelyingParty(
            http,
            self.furnished.clock,
            self.furnished.settings.issuer,
            client_id,
            method=known.auth_method,
            secret=known.client_secret,
            key=key,
            proof_key=key if known.dpop_bound else None,
            redirect_uri=known.redirect_uris[0] if known.redirect_uris else "",
            scope=scope,
        )

    async def backend(
        self, http: httpx.AsyncClient, client_id: str, purpose: str, procedure: str, legal_basis: str = "statutory-duty"
    ) -> AgencyBackend:
        return await AgencyBackend(self.party(http, client_id), purpose, procedure, legal_basis).connect()

    def resource_server(self, http: httpx.AsyncClient) -> RelyingParty:
        """The client that may introspect tokens for userinfo."""
        settings = self.furnished.settings
        return RelyingParty(http, self.furnished.clock, settings.issuer, INTROSPECTOR, secret=self.introspector_secret)

    def code(self) -> str:
        """The canary's one-time code of this moment."""
        return self.needles.one_time_code(int(self.furnished.clock.now().timestamp()))

    def seen(self, path: str, status: int) -> bool:
        """Whether this answer was really given: journeys that go astray would prove nothing."""
        return status in self.statuses.get(path, set())

    async def _listen(self, response: httpx.Response) -> None:
        await response.aread()
        request = response.request
        self.statuses.setdefault(request.url.path, set()).add(response.status_code)
        self.addresses += response.headers.get_list("location")
        links = [unescape(address) for address in _ADDRESS.findall(response.text)]
        # The link to the other language repeats the address that was asked for, whatever stood in it.
        self.addresses += [link for link in links if httpx.URL(link).path != request.url.path]
        for cookie in response.headers.get_list("set-cookie"):
            self.needles.add("cookie", cookie.split(";", 1)[0].partition("=")[2])
        for token in _CSRF.findall(response.text):
            self.needles.add("form token", unescape(token))
        if response.headers.get("content-type", "").startswith("application/json"):
            told = response.json()
            for name in _TOKENS:
                if isinstance(told, dict) and name in told:
                    self.needles.add(name, told[name])
        code = httpx.URL(response.headers.get("location", "")).params.get("code")
        if code:
            self.needles.add("authorization code", code)
        for name in ("authorization", "dpop"):
            if name in request.headers:
                self.needles.add(name, request.headers[name].partition(" ")[2] or request.headers[name])
        for name, value in httpx.QueryParams(_body_of(request)).items():
            if name in {"client_assertion", "code_verifier"}:
                self.needles.add(name, value)
        self.redis |= set(await redis_now(self.furnished.web.get(Cache).redis))


def _body_of(request: httpx.Request) -> str:
    form = request.headers.get("content-type", "") == "application/x-www-form-urlencoded"
    return request.content.decode("utf-8", "replace") if form else ""


async def leak_world(furnished: Furnished, logs: StringIO, folder: Path) -> LeakWorld:
    """Imports and enrols the canary; registers a resource server."""
    world = LeakWorld(furnished, Needles.of_person(), logs)
    report = await _import(furnished, folder)
    assert (report.inserted, report.rejected) == (1, 1)
    web = furnished.web
    async with web.get(Database).page() as tx:
        person = await web.get(Registry).find_by_number(tx, canary.NUMBER)
        assert person is not None
        await web.get(Identity).enrol(
            tx, person.person_id, ial=2, password=canary.PASSWORD, totp_secret=canary.TOTP_SECRET
        )
        agency = await web.get(Identity).agency(tx, code=EDUCATION)
        made = await web.get(OpenIdProvider).register_client(
            tx,
            {
                "client_name": "Máy chủ tài nguyên",
                "grant_types": ["client_credentials"],
                "response_types": [],
                "scope": "lookup",
                "dpop_bound_access_tokens": False,
                "token_endpoint_auth_method": "client_secret_basic",
            },
            agency_id=agency.agency_id,
            agency_code=agency.code,
            by=ActorRef("operator", "tests"),
            profile="standard",
            audiences=[f"{furnished.settings.issuer}/userinfo"],
            client_id=INTROSPECTOR,
        )
    assert made.secret is not None
    world.introspector_secret = made.secret
    world.needles.add("client secret", made.secret)
    return world


async def _import(furnished: Furnished, folder: Path) -> Any:
    file = folder / "people.jsonl"
    file.write_bytes(orjson.dumps(canary.ROW) + b"\n" + orjson.dumps(canary.BROKEN_ROW) + b"\n")
    return await import_file(
        file,
        database_url=secret_value(furnished.settings.database_worker_url, "DATABASE_WORKER_URL"),
        open_keys=partial(KeyEncryptionKeys.from_file, key_files(furnished.settings).kek),
        clock=furnished.clock,
        events=furnished.worker.get(Outbox).names(),
        rejects_path=folder / "rejects.jsonl",
        processes=0,
    )

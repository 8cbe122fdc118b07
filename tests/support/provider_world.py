"""The whole application on a test module's database: personas, accounts, an agency with policies, clients.

Everything is real, composed by `service`; a `FixedClock` is the only thing handed in. A `CitizenBrowser` walks the
pages, a `RelyingParty` plays the portal.
"""

import re
import secrets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pyotp
from fastapi import FastAPI

from consent.api import Consent, PolicyDraft, PurposeDraft
from consent.purposes import PurposeTexts
from core.cache import Cache
from core.clock import FixedClock
from core.database import Database
from core.jose import SigningKey
from core.outbox import Outbox
from core.runtime import Parts
from core.settings import Settings
from identity.api import Identity
from oidc.api import OpenIdProvider
from population_db.api import Registry
from population_db.synthetic.personas import persona
from privacy.journal.api import ActorRef, Journal, StoredLine
from privacy.vault.api import KeyEncryptionKeys, Vault
from service.app import create_app
from service.key_files import key_files, make_sandbox_keys
from tests.actors.relying_party import RelyingParty, answer_of
from tests.support.disclosure_world import import_personas

OPERATOR = ActorRef("operator", "tests")
SECOND_OPERATOR = ActorRef("operator", "more-tests")
PASSWORD = "mật khẩu rất dài"
AGENCY = "H26.12"
SIGN_IN, SCHOOL, STRICT = "sign-in", "school-enrolment", "land-register"
BASIC_FIELDS = frozenset(
    {
        "full_name", "birth_date", "sex", "email", "phone", "permanent_residence", "marital_status", "card",
        "personal_number", "self_declared",
    }
)  # fmt: skip
REDIRECT = "https://rp.example/callback"
SIGNED_OUT = "https://rp.example/signed-out"
ALL_SCOPES = (
    f"openid profile email phone address offline_access purpose:{SCHOOL} purpose:{STRICT} purpose:without-policy"
)


@dataclass
class ProviderWorld:
    """The application and its rooms."""

    app: FastAPI
    settings: Settings
    clock: FixedClock
    worker: Database
    owner: Database
    agency_id: uuid.UUID = field(default_factory=uuid.uuid4)
    totp: dict[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> Parts:
        found: Parts = self.app.state.parts
        return found

    @property
    def issuer(self) -> str:
        return self.settings.issuer

    @property
    def database(self) -> Database:
        return self.parts.get(Database)

    @property
    def provider(self) -> OpenIdProvider:
        return self.parts.get(OpenIdProvider)

    def http(self) -> httpx.AsyncClient:
        """A client of the application that keeps cookies and follows nothing."""
        transport = httpx.ASGITransport(self.app, client=("198.51.100.7", 4711))
        return httpx.AsyncClient(transport=transport, base_url=self.issuer)

    def browser(self) -> "CitizenBrowser":
        return CitizenBrowser(self, self.http())

    async def person(self, key: str) -> uuid.UUID:
        async with self.database.raw_read() as tx:
            ref = await self.parts.get(Registry).find_by_number(tx, persona(key).number)
        assert ref is not None
        return ref.person_id

    async def enrol(self, key: str, *, ial: int = 2, totp: bool = True) -> None:
        self.totp[key] = pyotp.random_base32()
        person_id = await self.person(key)
        async with self.database.page() as tx:
            await self.parts.get(Identity).enrol(
                tx,
                person_id,
                ial=2 if ial == 2 else 1,
                password=PASSWORD,
                totp_secret=self.totp[key] if totp else None,
            )

    async def register(
        self, *, profile: str = "standard", method: str = "client_secret_basic", dpop: bool = False, **changes: Any
    ) -> RelyingParty:
        """A client of the agency, and the relying party that plays it."""
        own = ("agency_code", "audiences", "sector", "purpose")
        ours = {"agency_code": AGENCY, **{name: changes.pop(name) for name in own if name in changes}}
        key = SigningKey.generate("ES256") if method == "private_key_jwt" else None
        grant_types = changes.get("grant_types", ["authorization_code", "refresh_token"])
        metadata: dict[str, Any] = {
            "client_name": "Cổng dịch vụ công",
            "client_name#en": "Public service portal",
            "token_endpoint_auth_method": method,
            "grant_types": grant_types,
            "response_types": ["code"] if "authorization_code" in grant_types else [],
            "scope": ALL_SCOPES if "authorization_code" in grant_types else "lookup",
            "dpop_bound_access_tokens": dpop or profile == "fapi2",
        }
        if "authorization_code" in grant_types:
            metadata |= {"redirect_uris": [REDIRECT], "post_logout_redirect_uris": [SIGNED_OUT]}
        if key is not None:
            metadata["jwks"] = {"keys": [key.public().public_jwk()]}
        metadata |= changes
        async with self.database.raw() as tx:
            made = await self.provider.register_client(
                tx,
                metadata,
                agency_id=self.agency_id,
                by=OPERATOR,
                seconded_by=SECOND_OPERATOR if profile == "openid-core" else None,
                profile=profile,
                **ours,
            )
        return RelyingParty(
            http=self.http(),
            clock=self.clock,
            issuer=self.issuer,
            client_id=made.client_id,
            method=method,
            secret=made.secret,
            key=key,
            proof_key=SigningKey.generate("ES256") if metadata["dpop_bound_access_tokens"] else None,
            redirect_uri=metadata.get("redirect_uris", [REDIRECT])[0],
        )

    async def run_events(self) -> int:
        """Lets the worker handle what is due; gives how many steps it did."""
        done = 0
        while await self.parts.get(Outbox).run_once(self.worker):
            done += 1
        return done

    async def lines(self, key: str) -> list[StoredLine]:
        """What the journal says about a persona, newest first."""
        async with self.database.raw_read() as tx:
            return await self.parts.get(Journal).about(tx, await self.person(key), limit=200)

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        """As the owner of the database."""
        async with self.owner.raw() as tx:
            found: list[Any] = await tx.conn.fetch(sql, *values)
            return found


@dataclass
class CitizenBrowser:
    """A browser that keeps cookies and sends the forms it is shown, as one of the personas."""

    world: ProviderWorld
    http: httpx.AsyncClient
    page: httpx.Response | None = None

    async def open(self, url: str) -> httpx.Response:
        """Goes to an address and along every redirect that stays at the provider."""
        return await self._along(await self.http.get(url))

    async def send(self, form_id: str, **fields: Any) -> httpx.Response:
        """Fills in and sends a form of the present page."""
        assert self.page is not None
        action, hidden = form_of(self.page.text, form_id)
        return await self._along(await self.http.post(action, data={**hidden, **fields}))

    async def sign_in(self, key: str) -> httpx.Response:
        """Gives number and password, and the code when that is asked for."""
        answer = await self.send("signin-form", number=persona(key).number, password=PASSWORD)
        if 'id="code-form"' in answer.text:
            answer = await self.send("code-form", code=pyotp.TOTP(self.world.totp[key]).at(self.world.clock.now()))
        return answer

    async def allow(self, *, fields: bool = True) -> httpx.Response:
        """Ticks every purpose, and every voluntary field as well, and agrees."""
        assert self.page is not None
        ticks: dict[str, list[str]] = {}
        for name, value in re.findall(r'<input type="checkbox" name="(purpose|field)" value="([^"]*)"', self.page.text):
            if name == "purpose" or fields:
                ticks.setdefault(name, []).append(unescape(value))
        return await self.send("consent-form", decision="allow", **ticks)

    async def refuse(self) -> httpx.Response:
        return await self.send("consent-form", decision="refuse")

    async def walk(self, party: RelyingParty, key: str = "An", **changes: Any) -> tuple[Any, dict[str, str]]:
        """The whole way through, agreeing to everything: the attempt, and what the portal got."""
        attempt = await party.pushed(**changes) if party.method == "private_key_jwt" else party.ask(**changes)
        answer = await self.open(attempt.url)
        if 'id="signin-form"' in answer.text or 'id="code-form"' in answer.text:
            answer = await self.sign_in(key)
        if 'id="consent-form"' in answer.text:
            answer = await self.allow()
        return attempt, self.got(answer)

    def got(self, answer: httpx.Response) -> dict[str, str]:
        """The parameters that the portal gets by this redirect."""
        return answer_of(answer)

    async def _along(self, answer: httpx.Response) -> httpx.Response:
        for _ in range(8):
            location = answer.headers.get("location", "")
            if answer.status_code != 303 or not location.startswith(("/", self.world.issuer + "/")):
                break
            answer = await self.http.get(location)
        self.page = answer
        return answer


def form_of(html: str, form_id: str) -> tuple[str, dict[str, str]]:
    """Action and hidden fields of a form."""
    found = re.search(rf'<form[^>]*\bid="{form_id}"[^>]*>.*?</form>', html, re.DOTALL)
    assert found, f"the page has no form {form_id}: {html[:3000]}"
    action = re.search(r'action="([^"]*)"', found[0])
    assert action
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', found[0]))
    return unescape(action[1]), {name: unescape(value) for name, value in hidden.items()}


@asynccontextmanager
async def provider_world(
    settings: Settings, owner: Database, worker: Database, worker_url: str, folder: Path
) -> AsyncIterator[ProviderWorld]:
    """The application, running, with An, Binh (level 2) and Chau (level 1, no second factor) enrolled."""
    clock = FixedClock(datetime(2026, 11, 2, 2, 0, tzinfo=UTC))
    make_sandbox_keys(settings)
    keks = KeyEncryptionKeys.from_file(key_files(settings).kek)
    async with owner.raw() as tx:
        await Vault.create_missing_keys(tx, keks)
    await import_personas(worker_url, key_files(settings).kek, clock, folder)
    app = create_app(settings, clock=clock)
    async with app.router.lifespan_context(app):
        world = ProviderWorld(app, settings, clock, worker, owner)
        # Redis outlives the database of a test module: rate windows of the last one must not count here.
        await world.parts.get(Cache).redis.flushdb()
        async with world.database.page() as tx:
            world.agency_id = await world.parts.get(Identity).create_agency(
                tx, AGENCY, "Sở Giáo dục và Đào tạo", "Department of Education"
            )
        await publish(world, SIGN_IN, fields=BASIC_FIELDS)
        await publish(world, SCHOOL, fields=frozenset({"full_name", "permanent_residence", "children"}))
        await publish(world, STRICT, fields=frozenset({"marital_status"}), min_aal=2, min_ial=2)
        await world.enrol("An")
        await world.enrol("Binh")
        await world.enrol("Chau", ial=1, totp=False)
        yield world


async def publish(world: ProviderWorld, purpose: str, **terms: Any) -> None:
    texts = PurposeTexts(purpose, f"What {purpose} is for.", "Bring the papers.", "Law 26/2023")
    bases = terms.get("legal_bases", frozenset({"consent"}))
    consent = world.parts.get(Consent)
    async with world.database.page() as tx:
        await consent.publish_purpose(tx, PurposeDraft(purpose, texts, texts, bases), by=OPERATOR)
        draft = PolicyDraft(
            **{
                "agency_id": world.agency_id,
                "agency_code": AGENCY,
                "purpose": purpose,
                "legal_bases": bases,
                "keep_days": 90,
                "consent_days": 365,
                "needs_dossier": False,
                "needs_procedure": False,
                **terms,
            }
        )
        await consent.publish_policy(tx, draft, by=OPERATOR)


def fresh(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{secrets.token_hex(4)}"

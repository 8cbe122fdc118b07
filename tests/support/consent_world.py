"""The consent pages over the identity world: an agency with two purposes, and a portal that asks.

Everything is real. `Portal` plays what oidc does between sign-in and token: it puts the question into the
interaction, sends the browser to the consent page and shows what came back.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

import consent
import core.web
import identity
from consent import my_pages, pages
from consent.answering import Ticks
from consent.brake import Brake
from consent.disclose import DisclosureDoor
from consent.drafts import PolicyDraft, PurposeDraft
from consent.give import Submission, answer_key
from consent.guard import ConsentGuard
from consent.purposes import PurposeTexts
from consent.question import ConsentAsk, PurposeAsk
from consent.room import Consent, register_events
from consent.withdraw import WITHDRAWN
from core.actor import Actor
from core.cache import Cache
from core.clock import Clock
from core.database import Database, Tx
from core.interaction import Interactions, SignInAsk
from core.outbox import Event
from core.runtime import Parts, part
from core.settings import Settings
from core.web import edge
from core.web.browser import WebSecret
from core.web.pages import Pages, PageSource
from identity.api import Agency, Identity
from identity.api import routers as identity_routers
from privacy.journal.api import ActorRef, Journal, StoredLine
from tests.support.disclosure_world import ListedGrants
from tests.support.identity_world import PORTAL, Browser, IdentityWorld, form_of

OPERATOR = ActorRef("operator", "tests")
SCHOOL, HEALTH = "school-enrolment", "health-card"
CLIENT, CLIENT_NAME = "school-portal", "Cổng tuyển sinh"


@dataclass
class Portal:
    """What the portal asks of whoever signs in."""

    agency: Agency
    asks: tuple[PurposeAsk, ...] = (PurposeAsk(SCHOOL),)
    min_aal: int = 1
    again: bool = False
    client_id: str = CLIENT
    client_name: str = CLIENT_NAME


@dataclass
class ConsentWorld:
    """people: the identity world with our application. events: what handlers of consent.withdrawn saw."""

    people: IdentityWorld
    consent: Consent
    journal: Journal
    portal: Portal
    other_agency: Agency
    events: list[dict[str, Any]] = field(default_factory=list)

    async def purpose(self, code: str, *, new_major: bool = False, **texts: str) -> None:
        vi = PurposeTexts(f"Mục đích {code}", "Để làm hồ sơ.", "Nộp giấy tờ.", "Luật Giáo dục, Điều 28")
        en = PurposeTexts(f"Purpose {code}", "For the dossier.", "Bring the papers.", "Law on Education art. 28")
        draft = PurposeDraft(code, replace(vi, **texts), replace(en, **texts), frozenset({"consent"}))
        async with self.people.database.page() as tx:
            await self.consent.publish_purpose(tx, draft, by=OPERATOR, new_major=new_major)

    async def policy(self, code: str, agency: Agency | None = None, **terms: Any) -> None:
        agency = agency or self.portal.agency
        values: dict[str, Any] = {
            "fields": frozenset({"full_name", "birth_date", "permanent_residence", "religion"}),
            "mandatory_fields": frozenset({"full_name", "birth_date"}),
            "legal_bases": frozenset({"consent"}),
            "keep_days": 90,
            "consent_days": 365,
        }
        draft = PolicyDraft(agency.agency_id, agency.code, code, **{**values, **terms})
        async with self.people.database.page() as tx:
            await self.consent.publish_policy(tx, draft, by=OPERATOR)

    async def actor(self, key: str) -> Actor:
        person_id = await self.people.person(key)
        return Actor(kind="citizen", person_id=person_id, account_id=self.people.accounts.get(key), aal=2, ial=2)

    def ask(self, person_id: uuid.UUID, agency: Agency | None = None) -> ConsentAsk:
        portal = self.portal
        agency_id = (agency or portal.agency).agency_id
        return ConsentAsk(person_id, agency_id, portal.client_id, portal.client_name, portal.asks)

    async def granted(self, key: str, code: str = SCHOOL, agency: Agency | None = None) -> tuple[str, ...]:
        """The fields that live consents cover now."""
        person_id = await self.people.person(key)
        agency_id = (agency or self.portal.agency).agency_id
        async with self.people.database.page() as tx:
            found = await self.consent.granted(tx, person_id, agency_id, {code: ()})
        return found[code].fields if code in found else ()

    async def lines(self, key: str, action: str) -> list[StoredLine]:
        async with self.people.database.raw_read() as tx:
            found = await self.journal.about(tx, await self.people.person(key), limit=200)
        return [one for one in found if one.line.action == action]

    async def consents(self, key: str) -> list[Any]:
        """The rows, newest first."""
        return await self.people.fetch(
            "SELECT * FROM consent.consents WHERE person_id = $1 ORDER BY given_at DESC, consent_id DESC",
            await self.people.person(key),
        )

    async def reset(self) -> None:
        """Between tests: no consents, nothing in Redis, an hour later."""
        await self.people.reset()
        self.events.clear()
        self.portal.asks, self.portal.min_aal, self.portal.again = (PurposeAsk(SCHOOL),), 1, False
        async with self.people.owner.raw() as tx:
            await tx.conn.execute("TRUNCATE consent.receipts, consent.consents, consent.declined, consent.answers")

    async def ask_in_browser(self, key: str) -> Browser:
        """Signs a persona in at the portal, up to the first page after the sign-in."""
        browser = self.people.browser()
        await browser.get("/ask")
        await browser.follow()
        if browser.page is not None and browser.page.status_code == 200:
            await browser.enter_password(key)
            if browser.redirects_to("/signin/code"):
                await browser.follow()
                await browser.enter_code(key)
        while browser.page is not None and browser.page.status_code == 303:
            await browser.follow()
        return browser


async def answer(
    browser: Browser, decision: str, *, purposes: tuple[str, ...] = (), fields: tuple[str, ...] = ()
) -> httpx.Response:
    """Sends the question's form with these ticks."""
    assert browser.page is not None
    action, hidden = form_of(browser.page.text, "consent-form")
    data: dict[str, Any] = {**hidden, "decision": decision, "purpose": list(purposes), "field": list(fields)}
    browser.page = await browser.http.post(action, data=data)
    return browser.page


def _install_portal(app: FastAPI, portal: Portal) -> None:
    @app.get("/ask")
    async def start(request: Request) -> Response:
        interaction = await part(request, Interactions).start(
            request,
            resume="/ask/resume",
            sign_in=SignInAsk(min_aal=portal.min_aal, client_name=portal.client_name),
            redirect_origin=PORTAL,
        )
        return RedirectResponse(interaction.url("/signin"), 303)

    @app.get("/ask/resume")
    async def resume(request: Request) -> Response:
        interactions = part(request, Interactions)
        interaction = await interactions.load(request, request.query_params["i"])
        if interaction.signed_in is None:
            return JSONResponse(asdict(interaction))
        if interaction.consent_answer is None:
            ask = ConsentAsk(
                uuid.UUID(interaction.signed_in.person_id),
                portal.agency.agency_id,
                portal.client_id,
                portal.client_name,
                portal.asks,
                again=portal.again,
            )
            async with part(request, Database).page() as tx:
                question = await part(request, Consent).question(tx, ask)
            if question is not None:
                await interactions.save(replace(interaction, consent_ask=question.to_json()))
                return RedirectResponse(interaction.url("/consent"), 303)
        return JSONResponse(asdict(interaction))


@asynccontextmanager
async def consent_world(people: IdentityWorld) -> AsyncIterator[ConsentWorld]:
    """Two agencies; the first asks for two purposes."""
    below: Parts = people.app.state.parts
    journal = Journal(people.database, people.clock, people.vault, ConsentGuard(people.clock, ListedGrants()))
    brake = Brake(people.cache, lambda number: people.vault.blind("brake", number).mac)
    door = DisclosureDoor(people.database, people.registry, journal, people.clock, brake, people.identity.declarations)
    room = Consent(
        clock=people.clock,
        outbox=people.outbox,
        journal=journal,
        registry=people.registry,
        identity=people.identity,
        door=door,
    )
    register_events(people.outbox, room)
    parts = Parts()
    for kind in (Settings, Clock, Database, Cache, WebSecret, Interactions, Identity):
        parts.add(kind, below.get(kind))
    parts.add(Journal, journal)
    parts.add(DisclosureDoor, door)
    parts.add(Consent, room)
    packages = (("core", core.web), ("identity", identity), ("consent", consent))
    sources = [PageSource(name, Path(str(package.__file__)).parent) for name, package in packages]
    parts.add(Pages, Pages(sources, sandbox=True, asset_version="test"))
    app = FastAPI()
    app.state.parts = parts
    edge.install(app)
    for router in (*identity_routers(), pages.router, my_pages.router):
        app.include_router(router)

    async with people.database.page() as tx:
        first = await _agency(people.identity, tx, "H26.12", "Phòng Giáo dục", "Education office")
        second = await _agency(people.identity, tx, "H40.01", "Bảo hiểm xã hội", "Social insurance")
    portal = Portal(first)
    _install_portal(app, portal)
    world = ConsentWorld(replace(people, app=app), room, journal, portal, second)

    async def seen(tx: Tx, event: Event) -> None:
        world.events.append(dict(event.payload))

    people.outbox.register(WITHDRAWN, "tests.seen", seen)
    for code in (SCHOOL, HEALTH):
        await world.purpose(code)
    await world.policy(SCHOOL)
    await world.policy(SCHOOL, second)
    await world.policy(HEALTH, fields=frozenset({"phone", "blood_group"}), mandatory_fields=frozenset(), min_aal=2)
    try:
        yield world
    finally:
        await journal.close()


async def _agency(identity_room: Identity, tx: Tx, code: str, name_vi: str, name_en: str) -> Agency:
    agency_id = await identity_room.create_agency(tx, code, name_vi, name_en)
    return Agency(agency_id, code, name_vi, name_en)


async def give(
    world: ConsentWorld, key: str, code: str = SCHOOL, *, fields: tuple[str, ...] = ()
) -> tuple[Actor, uuid.UUID]:
    """A persona's consent to one purpose and these voluntary fields, by the use case, without a browser."""
    actor = await world.actor(key)
    assert actor.person_id is not None
    world.portal.asks = (PurposeAsk(code),)
    async with world.people.database.page() as tx:
        question = await world.consent.question(tx, world.ask(actor.person_id))
        assert question is not None
        ticks = Ticks("allow", frozenset({code}), frozenset((code, one) for one in fields))
        submission = Submission(question, ticks, actor, answer_key(str(uuid.uuid4()), question), "vi")
        result = await world.consent.answer(tx, submission)
    return actor, uuid.UUID(result["consents"][0]["consent_id"])

"""An administrator of an agency's clients, by browser; he can try to approve his own proposal."""

import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

import httpx

from core.clock import vietnam_day
from core.jose import SigningKey
from identity.api import Identity
from tests.support.provider_world import AGENCY, CitizenBrowser, ProviderWorld, fresh

UNIT = "H26.12.09"
LIST = "/official/clients"


async def make_unit(world: ProviderWorld, agency: str = AGENCY) -> None:
    async with world.database.page() as tx:
        await world.parts.get(Identity).create_unit(tx, agency, UNIT, "Phòng CNTT", "IT office")


@dataclass
class ClientAdmin:
    """Signed in with two factors, acting under his appointment."""

    world: ProviderWorld
    browser: CitizenBrowser
    key: str
    appointment: uuid.UUID
    dismissed: bool = False

    async def dismiss(self) -> None:
        """His appointment ends now; his session knows nothing of it."""
        if not self.dismissed:
            person_id = await self.world.person(self.key)
            async with self.world.database.page() as tx:
                await self.world.parts.get(Identity).end_appointment(tx, person_id, self.appointment)
        self.dismissed = True

    async def open(self, path: str = LIST) -> httpx.Response:
        return await self.browser.open(path)

    async def propose(self, **changes: Any) -> httpx.Response:
        """Fills in the form of a new client; `changes` bend entries."""
        await self.open(f"{LIST}/new")
        return await self.browser.send("client-form", **{**new_client(), **changes})

    async def post(self, path: str, **form: Any) -> httpx.Response:
        """Sends a form without having opened its page, with a token that holds."""
        page = await self.open(LIST)
        csrf = re.search(r'name="csrf" value="([^"]*)"', page.text)
        assert csrf
        return await self.browser.http.post(path, data={"csrf": unescape(csrf[1]), **form})

    async def decide(self, review: str, decision: str, **form: str) -> httpx.Response:
        await self.open(review)
        return await self.browser.send("review-form", decision=decision, **form)


@asynccontextmanager
async def client_admin(
    world: ProviderWorld, key: str, *, permissions: frozenset[str] = frozenset({"clients"}), agency: str = AGENCY
) -> AsyncIterator[ClientAdmin]:
    """Appointed, signed in; dismissed at the end."""
    identity = world.parts.get(Identity)
    if key not in world.totp:
        await world.enrol(key)
    person_id = await world.person(key)
    async with world.database.page() as tx:
        since = vietnam_day(world.clock.now()) - timedelta(days=1)
        appointment = await identity.appoint(
            tx, person_id, agency, UNIT, f"Quản trị {key}", {"*"}, permissions, since, None
        )
    world.clock.advance(timedelta(seconds=30))  # a code of the authenticator is good once
    admin = ClientAdmin(world, world.browser(), key, appointment)
    await admin.open("/official")
    await admin.browser.sign_in(key)
    try:
        yield admin
    finally:
        await admin.dismiss()
        await identity.end_sessions(person_id)


def new_client(**changes: Any) -> dict[str, Any]:
    """Entries of the form for an ordinary portal with a secret."""
    host = f"https://{fresh('portal')}.example"
    return {
        "name_vi": "Cổng tuyển sinh",
        "name_en": "Enrolment portal",
        "use": ["sign-in", "stay"],
        "scope": ["profile"],
        "redirect_uris": f"{host}/cb",
        "profile": "standard",
        "auth_method": "client_secret_basic",
        **changes,
    }


def key_set() -> dict[str, Any]:
    return {"keys": [SigningKey.generate("ES256").public().public_jwk()]}


def reviews_in(page: httpx.Response) -> list[str]:
    """Addresses of what waits for review, on the list."""
    return re.findall(r'href="(/official/clients/reviews/[0-9a-f-]+)"', page.text)


def clients_in(page: httpx.Response) -> list[str]:
    """Identifiers on the list."""
    return re.findall(r"<br><code>([^<]+)</code>", page.text)


def errors_in(page: httpx.Response) -> set[str]:
    """Entries that the summary of errors names."""
    return set(re.findall(r'<a href="#([a-z_]+)">', page.text))


def state_in(page: httpx.Response) -> str:
    found = re.search(r'id="client-state">([^<]*)<', page.text)
    assert found, page.text[:2000]
    return found[1]


async def proposed(admin: ClientAdmin, **changes: Any) -> tuple[str, str]:
    """Client and review of a proposal that was taken."""
    before = set(reviews_in(await admin.open()))
    page = await admin.propose(**changes)
    assert 'id="told"' in page.text, page.text[:4000]
    review = (set(reviews_in(page)) - before).pop()
    shown = await admin.open(review)
    found = re.search(r'<span class="source">(c-[^<]+)</span>', shown.text)
    assert found
    return found[1], review


async def approved(first: ClientAdmin, second: ClientAdmin, **changes: Any) -> str:
    client_id, review = await proposed(first, **changes)
    page = await second.decide(review, "approve")
    assert 'id="told"' in page.text, page.text[:4000]
    return client_id


async def changed_form(admin: ClientAdmin, path: str | None = None, **changes: Any) -> Any:
    """Sends the open form of a change back with some entries changed, as a browser would."""
    if path is not None:
        await admin.open(path)
    page = admin.browser.page
    assert page is not None
    text = page.text
    entries: dict[str, Any] = dict(re.findall(r'<input id="([a-z_]+)"[^>]* value="([^"]*)"', text))
    entries |= dict(re.findall(r'<textarea id="([a-z_]+)"[^>]*>([^<]*)</textarea>', text))
    entries |= {"auth_method": re.findall(r'<option value="([^"]+)" selected', text)[0]}
    for name in ("use", "scope"):
        entries[name] = re.findall(rf'name="{name}" value="([^"]+)"[^>]* checked', text)
    entries = {
        name: value.replace("&#34;", '"') if isinstance(value, str) else value for name, value in entries.items()
    }
    return await admin.browser.send("client-form", **{**entries, **changes})

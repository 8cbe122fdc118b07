"""An official at his desk, by browser; he can misbehave: look at himself, his family, beyond his area."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx

from population_db.synthetic.personas import persona
from tests.support.provider_world import CitizenBrowser

CHECK, FIELDS = "/official/check", "/official/check/fields"


@dataclass
class OfficialAtDesk:
    """Signed in with two factors, acting under his only appointment."""

    browser: CitizenBrowser
    service: str
    dossier: str = "H26.12-261102-0001"

    async def sign_in(self, key: str) -> httpx.Response:
        """Ends at the desk, or at the choice of appointments when there is none or more than one."""
        await self.browser.open("/official")
        return await self.browser.sign_in(key)

    async def check(self, key: str = "An", **changes: Any) -> httpx.Response:
        """Compares a persona's number and name; `changes` bend the form."""
        await self.browser.open(CHECK)
        one = persona(key)
        told = {"service": self.service, "dossier": self.dossier, "number": one.number, "full_name": one.full_name}
        return await self.browser.send("check-form", **{**told, **changes})

    async def view(self, *fields: str, **changes: Any) -> httpx.Response:
        """Ticks fields on the page of a comparison."""
        return await self.browser.send("fields-form", field=list(fields), **changes)

    async def view_directly(self, key: str, *fields: str, **changes: Any) -> httpx.Response:
        """Sends the second form without the first page having offered it."""
        await self.browser.open(CHECK)
        assert self.browser.page is not None
        csrf = re.search(r'name="csrf" value="([^"]*)"', self.browser.page.text)
        assert csrf
        one = persona(key)
        told: dict[str, Any] = {
            "csrf": unescape(csrf[1]),
            "service": self.service,
            "dossier": self.dossier,
            "number": one.number,
            "full_name": one.full_name,
            "field": list(fields),
        }
        return await self.browser.http.post(FIELDS, data={**told, **changes})


def matches_in(page: httpx.Response) -> dict[str, str]:
    """Field → result on a comparison's page."""
    return dict(re.findall(r'id="match-([a-z_]+)" data-result="([a-z-]+)"', page.text))


def refusal_in(page: httpx.Response) -> str | None:
    """The code of a refusal's page."""
    found = re.search(r'id="refusal" data-code="([a-z-]+)"', page.text)
    return found[1] if found else None

"""Desks and kiosks: clients whose requests are answered on another device, and what the citizen does there."""

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pyotp

from core.jose import sign_jwt
from population_db.synthetic.personas import persona
from tests.actors.relying_party import DROP, RelyingParty
from tests.support.provider_world import ALL_SCOPES, CitizenBrowser, ProviderWorld

CIBA = "urn:openid:params:grant-type:ciba"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
NOTIFICATION_TOKEN = "8d67dc78-7faa-4d41-aabd-67707b374255"
MESSAGE = "Quầy 7 · 4711"


@dataclass
class Desk:
    """A client that asks by CIBA."""

    world: ProviderWorld
    party: RelyingParty

    async def ask(self, key: str = "An", **changes: Any) -> httpx.Response:
        """A request about a persona; `changes` bend it (DROP leaves a parameter out)."""
        params = {"login_hint": persona(key).number, "scope": "openid", "binding_message": MESSAGE, **changes}
        return await self.party.post("/bc-authorize", {name: told for name, told in params.items() if told is not DROP})

    async def asked(self, key: str = "An", **changes: Any) -> str:
        """The auth_req_id of a request that was taken."""
        answer = await self.ask(key, **changes)
        assert answer.status_code == 200, answer.text
        found: str = answer.json()["auth_req_id"]
        return found

    async def ask_signed(self, **claims: Any) -> httpx.Response:
        return await self.party.post("/bc-authorize", {"request": self.signed(**claims)})

    def signed(self, *, typ: str = "oauth-authz-req+jwt", **claims: Any) -> str:
        """A signed request (CIBA §7.1.1); `claims` bend it."""
        now = int(self.world.clock.now().timestamp())
        told = {
            "iss": self.party.client_id,
            "aud": self.world.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": secrets.token_urlsafe(16),
            "login_hint": persona("An").number,
            "scope": "openid",
            "binding_message": MESSAGE,
            **claims,
        }
        assert self.party.key is not None
        return sign_jwt(self.party.key, {name: value for name, value in told.items() if value is not DROP}, typ=typ)

    async def collect(self, auth_req_id: str, **changes: Any) -> httpx.Response:
        params = {"grant_type": CIBA, "auth_req_id": auth_req_id, **changes}
        return await self.party.post("/token", {name: told for name, told in params.items() if told is not DROP})


@dataclass
class Kiosk:
    """A client that asks by a code on its screen."""

    world: ProviderWorld
    party: RelyingParty

    async def ask(self, **changes: Any) -> httpx.Response:
        params = {"scope": "openid profile", **changes}
        told = {name: value for name, value in params.items() if value is not DROP}
        return await self.party.post("/device_authorization", told)

    async def asked(self, **changes: Any) -> dict[str, Any]:
        answer = await self.ask(**changes)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def collect(self, device_code: str, **changes: Any) -> httpx.Response:
        params = {"grant_type": DEVICE, "device_code": device_code, **changes}
        return await self.party.post("/token", {name: told for name, told in params.items() if told is not DROP})


async def make_desk(world: ProviderWorld, **changes: Any) -> Desk:
    told = {
        "grant_types": [CIBA, "refresh_token"],
        "scope": ALL_SCOPES,
        "backchannel_token_delivery_mode": "poll",
        **changes,
    }
    return Desk(world, await world.register(**told))


async def make_fapi_desk(world: ProviderWorld, **changes: Any) -> Desk:
    return await make_desk(world, profile="fapi2", method="private_key_jwt", **changes)


async def make_kiosk(world: ProviderWorld, **changes: Any) -> Kiosk:
    told = {"grant_types": [DEVICE, "refresh_token"], "scope": ALL_SCOPES, **changes}
    return Kiosk(world, await world.register(**told))


async def own_requests(browser: CitizenBrowser, key: str = "An") -> list[str]:
    """The addresses on the person's page, newest first; signs in when needed."""
    answer = await browser.open("/me/requests")
    if 'id="signin-form"' in answer.text:
        await browser.sign_in(key)
        answer = await browser.open("/me/requests")
    assert answer.status_code == 200, answer.text
    return re.findall(r'href="(/me/requests/[0-9a-f-]{36})"', answer.text)


async def answer_newest(browser: CitizenBrowser, decision: str, key: str = "An") -> httpx.Response:
    """Opens the newest request and answers it, agreeing to all data that is asked for."""
    await browser.open((await own_requests(browser, key))[0])
    answer = await browser.send("request-form", decision=decision)
    if 'id="code-form"' in answer.text:
        answer = await give_code(browser, key)
    if 'id="consent-form"' in answer.text:
        answer = await browser.allow()
    return answer


async def give_code(browser: CitizenBrowser, key: str) -> httpx.Response:
    """The code of the authenticator app, on the page that asks for it."""
    now = browser.world.clock.now()
    return await browser.send("code-form", code=pyotp.TOTP(browser.world.totp[key]).at(now))


async def enter_code(browser: CitizenBrowser, code: str) -> httpx.Response:
    await browser.open("/device")
    return await browser.send("device-form", user_code=code)


async def answer_code(browser: CitizenBrowser, code: str, decision: str = "allow", key: str = "An") -> httpx.Response:
    """Enters a code, confirms that it is the same, signs in and agrees to all."""
    await enter_code(browser, code)
    answer = await browser.send("device-confirm-form", decision=decision, same="yes")
    if 'id="signin-form"' in answer.text:
        answer = await browser.sign_in(key)
    if 'id="consent-form"' in answer.text:
        answer = await browser.allow()
    return answer


def outcome_of(page: httpx.Response) -> str:
    """How a page says that it ended."""
    found = re.search(r'data-outcome="([a-z]+)"', page.text)
    assert found, page.text[-3000:]
    return found[1]


def error_of(answer: httpx.Response) -> str:
    assert answer.status_code in {400, 401, 403}, (answer.status_code, answer.text)
    found: str = answer.json()["error"]
    return found


def wait(world: ProviderWorld, seconds: int) -> None:
    world.clock.advance(timedelta(seconds=seconds))

"""Many at once at what is good once: codes, pushed requests, walks, assertions (security cases 14, 24, 67)."""

import asyncio
import re
from collections import Counter
from html import unescape
from typing import Any

import httpx

from tests.actors.relying_party import ASSERTION_TYPE, RelyingParty, answer_of
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]

AT_ONCE = 20


async def in_parallel(work: Any) -> list[httpx.Response]:
    return list(await asyncio.gather(*(work() for _ in range(AT_ONCE))))


async def redeemed(world: ProviderWorld, portal: RelyingParty) -> list[httpx.Response]:
    attempt, got = await world.browser().walk(portal, scope="openid offline_access")
    return await in_parallel(lambda: portal.exchange(attempt, got["code"]))


async def test_twenty_redemptions_of_one_code(world: ProviderWorld) -> None:
    """Case 14: exactly one 200, and the second use ends what the first one got."""
    portal = await world.register()
    answers = await redeemed(world, portal)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: AT_ONCE - 1}
    assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}
    tokens = next(answer for answer in answers if answer.status_code == 200).json()
    assert (await portal.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    rows = await world.fetch(
        "SELECT code_used_at, revoked_reason FROM oidc.grants WHERE client_id = $1", portal.client_id
    )
    assert [row["revoked_reason"] for row in rows] == ["code-reused"]
    assert rows[0]["code_used_at"] is not None


async def test_another_client_in_the_middle_spends_nothing(world: ProviderWorld) -> None:
    portal, thief = await world.register(), await world.register()
    attempt, got = await world.browser().walk(portal)
    own, *others = await asyncio.gather(
        portal.exchange(attempt, got["code"]), *(thief.exchange(attempt, got["code"]) for _ in range(AT_ONCE))
    )
    assert own.status_code == 200
    assert {answer.status_code for answer in others} == {400}
    assert (await portal.userinfo(own.json()["access_token"])).status_code == 200


async def test_twenty_ends_of_one_walk(world: ProviderWorld) -> None:
    portal, browser = await world.register(), world.browser()
    page = await browser.open(portal.ask(scope="openid email", prompt="consent").url)
    ident = httpx.QueryParams(page.url.query.decode())["i"]
    await browser.sign_in("An")
    # The last step before the code, without following where it leads.
    assert browser.page is not None
    html = browser.page.text
    csrf = html.split('name="csrf" value="')[1].split('"')[0]
    question = dict(_hidden(html))
    form = {**question, "csrf": csrf, "decision": "allow", "purpose": "sign-in", "field": "sign-in/email"}
    answered = await browser.http.post(f"/consent?i={ident}", data=form)
    assert answered.status_code == 303, answered.text
    answers = await in_parallel(lambda: browser.http.get(f"/authorize/resume?i={ident}"))
    codes = [answer_of(answer) for answer in answers if answer.status_code == 303]
    assert sum("code" in got for got in codes) == 1
    rows = await world.fetch("SELECT gid FROM oidc.grants WHERE client_id = $1", portal.client_id)
    assert len(rows) == 1


async def test_twenty_openings_of_one_pushed_request(world: ProviderWorld) -> None:
    """Case 41: many may open it, one gets the answer."""
    portal, browser = await world.register(), world.browser()
    await browser.walk(portal)
    attempt = await portal.pushed()
    answers = await in_parallel(lambda: browser.http.get(attempt.url))
    codes = [answer_of(answer) for answer in answers if answer.status_code == 303]
    assert sum("code" in got for got in codes) == 1


async def test_twenty_openings_of_one_posted_request(world: ProviderWorld) -> None:
    """The ticket of a request that was sent in a form is good once."""
    portal, browser = await world.register(), world.browser()
    await browser.walk(portal)
    attempt = portal.ask(claims="{}")
    posted = await browser.http.post("/authorize", data=attempt.params)
    answers = await in_parallel(lambda: browser.http.get(posted.headers["location"]))
    assert Counter(answer.status_code for answer in answers) == {303: 1, 400: AT_ONCE - 1}
    assert sum("code" in answer_of(answer) for answer in answers if answer.status_code == 303) == 1


async def test_twenty_uses_of_one_assertion_or_proof(world: ProviderWorld) -> None:
    """Cases 24 and 39."""
    party = await world.register(method="private_key_jwt", dpop=True, grant_types=["client_credentials"])
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": party.assertion(),
    }
    answers = await in_parallel(
        lambda: party.post("/token", form, headers={"DPoP": party.proof("POST", "/token")}, plain=True)
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: AT_ONCE - 1}
    proof = party.proof("POST", "/token")
    answers = await in_parallel(
        lambda: party.post(
            "/token",
            {**form, "client_assertion": party.assertion()},
            headers={"DPoP": proof},
            plain=True,
        )
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: AT_ONCE - 1}


def _hidden(html: str) -> list[tuple[str, str]]:
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', html)
    return [(name, unescape(value)) for name, value in found]

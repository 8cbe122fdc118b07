"""OpenID Connect Core §3.1.2.1: scope words that nobody here knows are ignored; known ones not."""

from typing import Any

import pytest

from core.jose import decode_unverified
from tests.actors.relying_party import RelyingParty, answer_of
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]

LONG = f"https://api.example/auth/{'calendar.' * 20}readonly"
STRANGE = ["admin", "OpenID", "groups offline", LONG, "https://api.example/x?a=b#c", "purposes:x"]


async def opened(world: ProviderWorld, party: RelyingParty, scope: str, *, way: str) -> dict[str, Any]:
    """The tokens of a request that came this way."""
    party.signs = way == "jar"
    browser = world.browser()
    attempt = await party.pushed(scope=scope) if way == "par" else party.ask(scope=scope)
    if way == "post":
        sent = await browser.http.post("/authorize", data={**attempt.params, "claims": "{}"})
        await browser.open(sent.headers["location"])
    else:
        await browser.open(attempt.url)
    await browser.sign_in("An")
    got = browser.got(await browser.allow())
    answer = await party.exchange(attempt, got["code"])
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize("way", ["get", "post", "par", "jar"])
async def test_they_are_ignored_whichever_way_they_come(world: ProviderWorld, way: str) -> None:
    """And the token response names what was granted (RFC 6749 §3.3, §5.1), the token what its audience knows."""
    portal = await world.register(method="private_key_jwt", scope="openid email offline_access")
    tokens = await opened(world, portal, f"admin openid {LONG} email offline_access groups", way=way)
    granted = "openid email offline_access"
    assert tokens["scope"] == granted
    assert decode_unverified(tokens["access_token"]).claims["scope"] == "openid email"  # RFC 9068 §2.2.3
    stored = await world.fetch("SELECT scopes FROM oidc.grants WHERE client_id = $1", portal.client_id)
    assert [list(row["scopes"]) for row in stored] == [granted.split()]
    # What was ignored was not granted, so a refresh asks for more with it (§6).
    again = await portal.refresh(tokens["refresh_token"], scope=f"{granted} admin")
    assert (again.status_code, again.json()["error"]) == (400, "invalid_scope")
    assert (await portal.refresh(tokens["refresh_token"])).json()["scope"] == granted


@pytest.mark.parametrize("words", STRANGE)
async def test_nothing_of_them_is_kept(world: ProviderWorld, words: str) -> None:
    """As of parameters that nobody reads: they may be anything."""
    portal = await world.register()
    attempt = await portal.pushed(scope=f"openid {words}", prompt="none")
    redis = world.provider.authorize._cache.redis
    for key in await redis.keys("*"):
        if await redis.type(key) == b"string":
            assert words.encode() not in (await redis.get(key) or b"")
    assert answer_of(await portal.http.get(attempt.url))["error"] == "login_required"


@pytest.mark.parametrize(
    "scope", ["openid admin phone", "openid admin lookup", "openid admin purpose:nobodys", "admin"]
)
async def test_known_words_are_refused_as_before(world: ProviderWorld, scope: str) -> None:
    portal = await world.register(scope="openid email")
    got = answer_of(await portal.http.get(portal.ask(scope=scope, prompt="none").url))
    assert got["error"] == "invalid_scope"
    pushed = await portal.push(portal.ask(scope=scope))
    assert (pushed.status_code, pushed.json()["error"]) == (400, "invalid_scope")


async def test_a_program_that_acts_for_itself_is_told(world: ProviderWorld) -> None:
    """RFC 6749 §5.2: no OpenID Connect there, and nobody whom an error would keep waiting."""
    agency = await world.register(method="private_key_jwt", grant_types=["client_credentials"], scope="lookup")
    for scope, status in (("lookup", 200), ("lookup admin", 400), ("admin", 400)):
        answer = await agency.client_credentials(scope=scope)
        assert answer.status_code == status, scope
        assert answer.json().get("error") == (None if status == 200 else "invalid_scope")

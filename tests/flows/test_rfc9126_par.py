"""RFC 9126: pushed requests, and the FAPI 2.0 profile that demands them (security cases 7, 41, 42)."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.jose import SigningKey
from tests.actors.relying_party import DROP, RelyingParty, answer_of
from tests.support.provider_fixture import world
from tests.support.provider_world import REDIRECT, ProviderWorld

__all__ = ["world"]


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register()


@pytest.fixture
async def fapi(world: ProviderWorld) -> RelyingParty:
    return await world.register(profile="fapi2", method="private_key_jwt")


def error_of(answer: httpx.Response) -> str:
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"])


async def test_a_pushed_request_walks_through(world: ProviderWorld, portal: RelyingParty) -> None:
    answer = await portal.push(portal.ask())
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert 5 <= answer.json()["expires_in"] <= 600
    attempt = portal.attempts[-1]
    attempt.params = {"client_id": portal.client_id, "request_uri": answer.json()["request_uri"]}
    browser = world.browser()
    await browser.open(attempt.url)
    got = browser.got(await browser.sign_in("An"))
    assert got["state"] == attempt.state
    assert (await portal.exchange(attempt, got["code"])).status_code == 200
    # Case 41: never again after the answer.
    again = await world.browser().open(attempt.url)
    assert again.status_code == 400
    assert "invalid_request_uri" in again.text


async def test_it_may_be_opened_again_before_the_answer(world: ProviderWorld, portal: RelyingParty) -> None:
    attempt = await portal.pushed()
    first, second = world.browser(), world.browser()
    await first.open(attempt.url)
    await second.open(attempt.url)
    assert first.got(await first.sign_in("An"))["code"]
    late = second.got(await second.sign_in("An"))
    assert late["error"] == "invalid_request_uri"
    assert "code" not in late


async def test_another_client_expired_and_guessed(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 41."""
    other = await world.register()
    uri = (await portal.pushed()).params["request_uri"]
    for client_id, request_uri in (
        (other.client_id, uri),
        (portal.client_id, uri[:-1] + ("A" if uri[-1] != "A" else "B")),
        (portal.client_id, "urn:ietf:params:oauth:request_uri:x"),
        (portal.client_id, "urn:ietf:params:oauth:request_uri:"),
    ):
        query = httpx.QueryParams({"client_id": client_id, "request_uri": request_uri})
        answer = await world.http().get(f"/authorize?{query}")
        assert answer.status_code == 400
        assert "location" not in answer.headers
    world.clock.advance(timedelta(seconds=91))
    query = httpx.QueryParams({"client_id": portal.client_id, "request_uri": uri})
    assert (await world.http().get(f"/authorize?{query}")).status_code == 400


async def test_what_stands_beside_a_request_uri_is_not_read(world: ProviderWorld, portal: RelyingParty) -> None:
    attempt = await portal.pushed(prompt="none")
    extra = {"redirect_uri": "https://evil.test/", "scope": "openid email", "state": "forged", "prompt": "login"}
    answer = await world.http().get(f"/authorize?{httpx.QueryParams({**attempt.params, **extra})}")
    got = answer_of(answer)
    assert answer.headers["location"].startswith(REDIRECT)
    assert (got["error"], got["state"]) == ("login_required", attempt.state)


async def test_the_endpoint_authenticates_and_is_strict(world: ProviderWorld, portal: RelyingParty) -> None:
    attempt = portal.ask()
    unauthenticated = await portal.post("/par", attempt.params, plain=True)
    assert (unauthenticated.status_code, unauthenticated.json()["error"]) == (401, "invalid_client")
    assert error_of(await portal.push(attempt, request_uri="urn:ietf:params:oauth:request_uri:x")) == "invalid_request"
    assert (await portal.http.get("/par")).status_code == 405
    other = await portal.push(attempt, client_id="other")
    assert (other.status_code, other.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "https://evil.test/"}, "invalid_request"),
        ({"redirect_uri": DROP}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": DROP}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"scope": "openid admin lookup"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"request": "a.b.c"}, "invalid_request_object"),
    ],
)
async def test_the_same_checks_as_in_the_open(
    world: ProviderWorld, portal: RelyingParty, changes: dict[str, Any], error: str
) -> None:
    assert error_of(await portal.push(portal.ask(**changes))) == error


async def test_a_fapi_client_cannot_ask_in_the_open(world: ProviderWorld, fapi: RelyingParty) -> None:
    """Case 42; nor a standard one that tightened itself."""
    for party in (fapi, await world.register(require_pushed_authorization_requests=True)):
        got = answer_of(await world.http().get(party.ask().url))
        assert got["error"] == "invalid_request"


async def test_a_fapi_client_all_the_way(world: ProviderWorld, fapi: RelyingParty) -> None:
    attempt, got = await world.browser().walk(fapi, scope="openid profile offline_access")
    tokens = (await fapi.exchange(attempt, got["code"])).json()
    assert tokens["token_type"] == "DPoP"
    assert (await fapi.userinfo(tokens["access_token"])).json()["name"]
    fresh = (await fapi.refresh(tokens["refresh_token"])).json()
    assert "refresh_token" not in fresh  # sender-constrained and not rotated
    assert fresh["token_type"] == "DPoP"


async def test_a_code_is_bound_to_the_key_of_the_push(world: ProviderWorld, fapi: RelyingParty) -> None:
    """RFC 9449 §10; case 40."""
    attempt, got = await world.browser().walk(fapi)
    fapi.proof_key = SigningKey.generate("ES256")
    assert error_of(await fapi.exchange(attempt, got["code"])) == "invalid_grant"
    mismatch = await fapi.push(fapi.ask(dpop_jkt="A" * 43))
    assert error_of(mismatch) == "invalid_dpop_proof"

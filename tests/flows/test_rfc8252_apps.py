"""RFC 8252: apps on a device, with addresses that only the device knows. Security cases 1, 9, 11, 58, 62, 64."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from oidc.errors import OAuthError
from tests.actors.registering_client import acts_of, bearer, new_token, post, web_client
from tests.actors.relying_party import DROP, RelyingParty, answer_of
from tests.flows.test_rfc9700_redirects import is_error_page
from tests.support.provider_fixture import world as world
from tests.support.provider_world import OPERATOR, CitizenBrowser, ProviderWorld

PRIVATE_USE, SIGNED_OUT = "com.example.app:/oauth2redirect", "com.example.app:/signed-out"
LISTENER, LISTENER_6 = "http://127.0.0.1/callback", "http://[::1]/callback"
HERE, HERE_6 = "http://127.0.0.1:51004/callback", "http://[::1]:51004/callback"
ADDRESSES = [PRIVATE_USE, LISTENER, LISTENER_6]


@pytest.fixture
async def app(world: ProviderWorld) -> RelyingParty:
    return await world.register(
        method="none",
        application_type="native",
        redirect_uris=ADDRESSES,
        post_logout_redirect_uris=[SIGNED_OUT],
    )


def at(app: RelyingParty, address: str) -> RelyingParty:
    return replace(app, redirect_uri=address)


async def test_registered_in_every_mode(world: ProviderWorld) -> None:
    """Not in the sandbox alone; the pseudonyms of its people are the agency's, since it names no host."""
    live = replace(world.provider.registrar, sandbox=False)
    told = web_client(token_endpoint_auth_method="none", application_type="native", redirect_uris=ADDRESSES)
    async with world.database.raw() as tx:
        made = await live.register(
            tx, told, agency_id=world.agency_id, agency_code="H26.12", by=OPERATOR, profile="standard"
        )
        with pytest.raises(OAuthError, match="invalid-redirect-uri"):
            await live.register(
                tx,
                {**told, "application_type": "web"},
                agency_id=world.agency_id,
                agency_code="H26.12",
                by=OPERATOR,
                profile="standard",
            )
    row = (await world.fetch("SELECT sector FROM oidc.clients WHERE client_id = $1", made.client_id))[0]
    assert row["sector"] == "agency:H26.12"


async def test_registers_itself_and_changes_its_addresses(world: ProviderWorld) -> None:
    """RFC 7591, RFC 7592: what names no host cannot leave a sector; a web service it does not become."""
    asked = web_client(token_endpoint_auth_method="none", redirect_uris=[PRIVATE_USE])
    told = (await post(world.http(), await new_token(world), asked)).json()
    assert (told["application_type"], told["redirect_uris"]) == ("native", [PRIVATE_USE])
    changed = await world.http().put(
        told["registration_client_uri"],
        json={**asked, "client_id": told["client_id"], "redirect_uris": ADDRESSES},
        headers=bearer(told["registration_access_token"]),
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["redirect_uris"] == ADDRESSES
    assert "oidc.client-changed" in await acts_of(world, told["client_id"])
    refused = await world.http().put(
        told["registration_client_uri"],
        json={**asked, "client_id": told["client_id"], "application_type": "web"},
        headers=bearer(changed.json()["registration_access_token"]),
    )
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize("address", [PRIVATE_USE, HERE, HERE_6])
async def test_the_whole_way(world: ProviderWorld, app: RelyingParty, address: str) -> None:
    party = at(app, address)
    attempt, browser = party.ask(), world.browser()
    await browser.open(attempt.url)
    page = await browser.sign_in("An")
    assert 'id="consent-form"' in page.text
    answer = await browser.allow()
    assert answer.headers["location"].startswith(f"{address}?")
    got = answer_of(answer)
    assert (got["state"], got["iss"]) == (attempt.state, world.issuer)
    elsewhere = await party.exchange(attempt, got["code"], redirect_uri=address.replace("51004", "51005") + "/")
    assert elsewhere.json()["error"] == "invalid_grant"  # as it was asked for, port and all

    attempt = party.ask()
    await browser.open(attempt.url)
    got = answer_of(await browser.allow())
    answer = await party.exchange(attempt, got["code"])
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "address",
    [
        f"{PRIVATE_USE}/",
        f"{PRIVATE_USE}?x=1",
        "com.example.app:/",
        "com.example.evil:/oauth2redirect",
        "http://127.0.0.1:51004/callback/",
        "http://127.0.0.1:51004/callback?x=1",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:51004@evil.test/callback",
        "http://localhost:51004/callback",
        "http://127.0.0.2:51004/callback",
        "https://127.0.0.1:51004/callback",
    ],
)
async def test_nothing_but_the_port_may_differ(world: ProviderWorld, app: RelyingParty, address: str) -> None:
    assert is_error_page(await world.http().get(app.ask(redirect_uri=address).url))


async def test_a_pushed_request_is_compared_alike(world: ProviderWorld, app: RelyingParty) -> None:
    assert (await app.push(app.ask(redirect_uri=HERE))).status_code == 201
    refused = await app.push(app.ask(redirect_uri=f"{HERE}/"))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("changes", [{"code_challenge": DROP}, {"code_challenge_method": "plain"}])
async def test_never_without_a_proof_key(world: ProviderWorld, app: RelyingParty, changes: dict[str, Any]) -> None:
    """§8.1."""
    assert answer_of(await world.http().get(app.ask(**changes).url))["error"] == "invalid_request"


async def test_asks_each_time(world: ProviderWorld, app: RelyingParty) -> None:
    """RFC 8252 §8.6, RFC 6749 §10.2: another app may have claimed the address; nobody is sent there unasked."""
    browser = world.browser()
    await browser.walk(app)
    assert 'id="consent-form"' in (await browser.open(app.ask().url)).text
    got = answer_of(await browser.http.get(app.ask(prompt="none").url))
    assert got["error"] == "consent_required"


@pytest.mark.parametrize(
    ("address", "source"),
    [(PRIVATE_USE, "com.example.app:"), (HERE, "http://127.0.0.1:51004"), (HERE_6, "http://*:51004")],
)
async def test_the_pages_let_the_browser_go_there(
    world: ProviderWorld, app: RelyingParty, address: str, source: str
) -> None:
    """Browsers hold the redirect after a form against `form-action` as well."""
    browser = world.browser()
    wanted = f"form-action 'self' {source};"
    asking = await browser.open(at(app, address).ask().url)
    assert wanted in asking.headers["content-security-policy"]
    consent = await browser.sign_in("An")
    assert 'id="consent-form"' in consent.text
    assert wanted in consent.headers["content-security-policy"]
    posts = await browser.http.get(at(app, address).ask(prompt="none", response_mode="form_post").url)
    assert wanted in posts.headers["content-security-policy"]


async def test_signing_out_leads_back_into_the_app(world: ProviderWorld, app: RelyingParty) -> None:
    browser, hint = await _signed_in(world, app)
    page = await world.http().get("/logout", params={"post_logout_redirect_uri": SIGNED_OUT})
    assert "location" not in page.headers
    for other in (f"{SIGNED_OUT}/", "com.example.app:/", PRIVATE_USE):
        refused = await browser.http.get("/logout", params={"id_token_hint": hint, "post_logout_redirect_uri": other})
        assert (refused.status_code, "location" in refused.headers) == (400, False)
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": SIGNED_OUT, "state": "s"}
    answer = await browser.http.get("/logout", params=asked)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{SIGNED_OUT}?state=s")


async def test_a_confirmed_logout_leads_back_too(world: ProviderWorld, app: RelyingParty) -> None:
    _, hint = await _signed_in(world, app)
    world.clock.advance(timedelta(seconds=30))
    other = world.browser()
    await other.walk(await world.register(), scope="openid")
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": SIGNED_OUT}
    other.page = await other.http.get("/logout", params=asked)  # of before this session: the person is asked
    assert "form-action 'self' com.example.app:;" in other.page.headers["content-security-policy"]
    answer = await other.send("logout-form", decision="sign-out")
    assert answer.headers["location"] == SIGNED_OUT


async def test_no_script_comes_from_an_apps_address(world: ProviderWorld, app: RelyingParty) -> None:
    world.provider.foundation.origins.forget()
    for origin in (
        "com.example.app:",
        "com.example.app://",
        "http://127.0.0.1",
        "http://127.0.0.1:51004",
        "http://[::1]",
        "null",
    ):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        assert "access-control-allow-origin" not in (await world.http().options("/token", headers=asked)).headers


async def _signed_in(world: ProviderWorld, app: RelyingParty) -> tuple[CitizenBrowser, str]:
    browser = world.browser()
    attempt, got = await browser.walk(app)
    return browser, str((await app.exchange(attempt, got["code"])).json()["id_token"])

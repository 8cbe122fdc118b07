"""JWT Secured Authorization Response Mode (OpenID JARM) and FAPI 2.0 Message Signing §5.4."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from core.jose import decode_unverified
from tests.actors.jwe_reader import EncryptionKeyPair
from tests.actors.relying_party import DROP, RelyingParty, answer_of
from tests.support.provider_fixture import world
from tests.support.provider_world import REDIRECT, ProviderWorld, form_of

__all__ = ["world"]


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register()


@pytest.fixture
async def signer(world: ProviderWorld) -> RelyingParty:
    made = await world.register(profile="fapi2-message-signing", method="private_key_jwt", dpop=True)
    made.signs = True
    return made


@pytest.mark.parametrize("mode", ["jwt", "query.jwt"])
async def test_a_code_in_a_signed_answer(world: ProviderWorld, portal: RelyingParty, mode: str) -> None:
    attempt = portal.ask(response_mode=mode)
    browser = world.browser()
    await browser.open(attempt.url)
    answer = await browser.sign_in("An")
    assert answer.headers["location"].startswith(f"{REDIRECT}?response=")
    assert answer.headers["cache-control"] == "no-store"
    told = await portal.signed_answer(answer)  # nothing stands beside `response`
    assert set(told) == {"code", "state", "iss", "aud", "exp", "iat"}
    assert (told["aud"], told["iss"], told["state"]) == (portal.client_id, world.issuer, attempt.state)
    assert 10 <= told["exp"] - told["iat"] <= 600
    assert (await portal.exchange(attempt, told["code"])).status_code == 200


async def test_in_a_form(world: ProviderWorld, portal: RelyingParty) -> None:
    attempt = portal.ask(response_mode="form_post.jwt")
    browser = world.browser()
    await browser.open(attempt.url)
    page = await browser.sign_in("An")
    assert page.status_code == 200
    action, fields = form_of(page.text, "form-post")
    assert action == REDIRECT
    assert set(fields) == {"response"}
    told = await portal.opened(fields["response"])
    assert (await portal.exchange(attempt, told["code"])).status_code == 200


@pytest.mark.parametrize("mode", ["fragment", "fragment.jwt", "web_message", "JWT", "jwt "])
async def test_modes_that_are_not_there(world: ProviderWorld, portal: RelyingParty, mode: str) -> None:
    got = answer_of(await world.http().get(portal.ask(response_mode=mode).url))
    assert got["error"] == "invalid_request"


async def test_errors_are_signed_as_well(world: ProviderWorld, portal: RelyingParty) -> None:
    for changes, error in (
        ({"prompt": "none"}, "login_required"),
        ({"scope": "openid lookup"}, "invalid_scope"),
        ({"code_challenge": DROP}, "invalid_request"),
        ({"state": DROP, "prompt": "none"}, "login_required"),
    ):
        attempt = portal.ask(response_mode="jwt", **changes)
        told = await portal.signed_answer(await world.http().get(attempt.url))
        assert told["error"] == error
        assert told["error_description"]
        assert told.get("state") == attempt.params.get("state")


async def test_a_refusing_person(world: ProviderWorld, portal: RelyingParty) -> None:
    browser = world.browser()
    await browser.open(portal.ask(response_mode="jwt", scope="openid phone", prompt="consent").url)
    await browser.sign_in("Binh")
    assert (await portal.signed_answer(await browser.refuse()))["error"] == "access_denied"


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
async def test_the_clients_algorithm(world: ProviderWorld, alg: str) -> None:
    portal = await world.register(authorization_signed_response_alg=alg)
    answer = await world.http().get(portal.ask(response_mode="jwt", prompt="none").url)
    response = answer_of(answer)["response"]
    header = decode_unverified(response).header
    assert (header["alg"], header["typ"]) == (alg, "JWT")
    assert (await portal.opened(response, alg=alg))["error"] == "login_required"


async def test_an_answer_keeps_the_registered_query(world: ProviderWorld) -> None:
    uri = "https://rp.example/callback?tenant=1"
    portal = await world.register(redirect_uris=[uri])
    answer = await world.http().get(portal.ask(response_mode="jwt", prompt="none").url)
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert set(query) == {"tenant", "response"}


@pytest.mark.parametrize("mode", ["query", "form_post", DROP, "fragment"])
async def test_who_must_be_answered_in_signed_form(world: ProviderWorld, signer: RelyingParty, mode: Any) -> None:
    """FAPI 2.0 Message Signing: refused where it is pushed; in the open the refusal itself is signed."""
    answer = await signer.push(signer.ask(response_mode=mode))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    told = await signer.signed_answer(await world.http().get(signer.ask(response_mode=mode).url))
    assert told["error"] == "invalid_request"


async def test_no_plain_answer_to_whoever_must_be_answered_in_signed_form(
    world: ProviderWorld, signer: RelyingParty
) -> None:
    """Also an unsigned request, and one that fails before its response_mode is read."""
    signer.signs = False
    for changes in ({}, {"response_mode": "query"}, {"response_mode": "fragment", "scope": "openid admin"}):
        told = await signer.signed_answer(await world.http().get(signer.ask(**changes).url))
        assert told["error"] == "invalid_request"


async def test_a_signed_answer_is_no_token_of_ours(world: ProviderWorld, portal: RelyingParty) -> None:
    """It is a JWT by our key for the client, as an id_token is: it opens nothing."""
    browser = world.browser()
    attempt = portal.ask(response_mode="jwt")
    await browser.open(attempt.url)
    page = await browser.sign_in("An")
    response = answer_of(page)["response"]
    got = answer_of(await browser.http.get(portal.ask(prompt="none", id_token_hint=response).url))
    assert got["error"] == "invalid_request"
    assert (await portal.userinfo(response)).status_code == 401
    out = await browser.http.get(f"/logout?id_token_hint={response}")
    assert out.status_code == 400
    assert "location" not in out.headers


async def test_an_old_answer_is_recognised(world: ProviderWorld, portal: RelyingParty) -> None:
    answer = await world.http().get(portal.ask(response_mode="jwt", prompt="none").url)
    exp = decode_unverified(answer_of(answer)["response"]).claims["exp"]
    world.clock.advance(timedelta(minutes=10))
    assert exp < world.clock.now().timestamp()


@pytest.mark.parametrize("mode", ["jwt", "form_post.jwt"])
async def test_encrypted_to_the_clients_key(world: ProviderWorld, mode: str) -> None:
    """JARM §2.2: signed first, then encrypted."""
    held = EncryptionKeyPair.made("P-256")
    portal = await world.register(
        jwks={"keys": [held.jwk]},
        authorization_encrypted_response_alg="ECDH-ES",
        authorization_encrypted_response_enc="A256GCM",
    )
    answer = await world.http().get(portal.ask(response_mode=mode, prompt="none").url)
    response = answer_of(answer)["response"] if mode == "jwt" else form_of(answer.text, "form-post")[1]["response"]
    opened = held.open(response)
    assert (opened.header["alg"], opened.header["enc"], opened.header["cty"]) == ("ECDH-ES", "A256GCM", "JWT")
    assert (await portal.opened(opened.content.decode()))["error"] == "login_required"


async def test_what_cannot_be_encrypted_is_not_sent_in_the_open(world: ProviderWorld) -> None:
    """The key set lies where nothing is fetched from."""
    portal = await world.register(
        jwks_uri="https://localhost/keys", authorization_encrypted_response_alg="RSA-OAEP-256"
    )
    answer = await world.http().get(portal.ask(response_mode="jwt", prompt="none").url)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert 'id="error-code">invalid_client<' in answer.text

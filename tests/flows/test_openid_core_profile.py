"""The profile `openid-core` (OpenID Connect Core 1.0): what the Basic certification asks of it, and where it still
does not bend (security cases 12-14, 17, 53, 54)."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
import pyotp
import pytest

from core.jose import SigningKey, decode_unverified, sign_jwt
from oidc.errors import OAuthError
from population_db.synthetic.personas import persona
from tests.actors.relying_party import DROP, RelyingParty, answer_of
from tests.support.provider_fixture import world
from tests.support.provider_world import REDIRECT, CitizenBrowser, ProviderWorld

__all__ = ["world"]

WITHOUT_PKCE: dict[str, Any] = {"code_challenge": DROP, "code_challenge_method": DROP}
IAL2_AAL2 = "urn:dinhdanh:loa:ial2:aal2"


@pytest.fixture
async def core(world: ProviderWorld) -> RelyingParty:
    return await world.register(profile="openid-core")


async def tokens_of(party: RelyingParty, attempt: Any, got: dict[str, str], **changes: Any) -> dict[str, Any]:
    answer = await party.exchange(attempt, got["code"], **changes)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def claims_of(tokens: dict[str, Any]) -> dict[str, Any]:
    return dict(decode_unverified(tokens["id_token"]).claims)


async def refused(party: RelyingParty, attempt: Any, got: dict[str, str], **changes: Any) -> str:
    answer = await party.exchange(attempt, got["code"], **changes)
    assert answer.status_code == 400
    return str(answer.json()["error"])


# --- PKCE: may be left out, never weakened -----------------------------------------------------------------


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "private_key_jwt"])
async def test_without_pkce(world: ProviderWorld, method: str) -> None:
    party = await world.register(profile="openid-core", method=method)
    attempt, got = await world.browser().walk(party, scope="openid profile", **WITHOUT_PKCE)
    tokens = await tokens_of(party, attempt, got, code_verifier=DROP)
    claims = claims_of(tokens)
    assert claims["nonce"] == attempt.nonce
    assert decode_unverified(tokens["id_token"]).header["alg"] == "RS256"
    assert (await party.userinfo(tokens["access_token"])).json()["name"] == persona("An").full_name


async def test_a_challenge_that_is_sent_is_verified(world: ProviderWorld, core: RelyingParty) -> None:
    """RFC 9700 §2.1.1: the downgrade, both ways round, ends the code."""
    browser = world.browser()
    attempt, got = await browser.walk(core)
    assert await refused(core, attempt, got, code_verifier=DROP) == "invalid_grant"
    assert await refused(core, attempt, got) == "invalid_grant"  # spent by the attempt
    attempt, got = await browser.walk(core)
    assert await refused(core, attempt, got, code_verifier="x" * 43) == "invalid_grant"
    attempt, got = await browser.walk(core, **WITHOUT_PKCE)
    assert await refused(core, attempt, got) == "invalid_grant"  # a verifier without a challenge
    attempt, got = await browser.walk(core)
    assert claims_of(await tokens_of(core, attempt, got))


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge_method": DROP},
        {"code_challenge": DROP},
        {"code_challenge": "short"},
        {"code_challenge_method": "s256"},
    ],
    ids=str,
)
async def test_half_a_challenge(world: ProviderWorld, core: RelyingParty, changes: dict[str, Any]) -> None:
    got = answer_of(await world.http().get(core.ask(**changes).url))
    assert got["error"] == "invalid_request"


async def test_only_clients_that_prove_themselves(world: ProviderWorld) -> None:
    with pytest.raises(OAuthError):
        await world.register(profile="openid-core", method="none")


async def test_a_code_of_another_session(world: ProviderWorld, core: RelyingParty) -> None:
    """Case 17: without PKCE the nonce is what tells; it is never another request's."""
    mine, _ = await world.browser().walk(core, **WITHOUT_PKCE)
    other, got = await world.browser().walk(core, "Binh", **WITHOUT_PKCE)
    claims = claims_of(await tokens_of(core, mine, got, code_verifier=DROP))
    assert claims["nonce"] == other.nonce != mine.nonce


# --- the parameters of Core §3.1.2.1 -----------------------------------------------------------------------


async def test_nonce_state_and_unknown_parameters(world: ProviderWorld, core: RelyingParty) -> None:
    browser = world.browser()
    attempt, got = await browser.walk(core, nonce=DROP, state=DROP, display="popup", extra="foobar", **WITHOUT_PKCE)
    assert "state" not in got
    assert "nonce" not in claims_of(await tokens_of(core, attempt, got, code_verifier=DROP))
    for display in ("page", "touch", "wap", "hologram"):
        assert answer_of(await browser.http.get(core.ask(display=display, **WITHOUT_PKCE).url))["code"]
    long_state = "s" * 1000
    assert answer_of(await browser.http.get(core.ask(state=long_state).url))["state"] == long_state


async def test_empty_parameters_count_as_not_sent(world: ProviderWorld, core: RelyingParty) -> None:
    """RFC 6749 §3.1."""
    browser = world.browser()
    await browser.walk(core)
    url = core.ask(**WITHOUT_PKCE).url + "&code_challenge=&prompt=&max_age=&claims=&request=&request_uri=&resource="
    assert answer_of(await browser.http.get(url))["code"]
    got = answer_of(await browser.http.get(core.ask(response_type="").url))
    assert got["error"] == "invalid_request"


async def test_a_request_by_post(world: ProviderWorld, core: RelyingParty) -> None:
    browser = world.browser()
    attempt = core.ask(prompt="login", max_age="3600", login_hint=persona("An").number)
    answer = await browser.http.post("/authorize", data=attempt.params)
    assert answer.status_code == 303
    assert persona("An").number not in answer.headers["location"]
    await browser.open(answer.headers["location"])
    assert browser.got(await browser.sign_in("An"))["state"] == attempt.state


async def test_a_hint_by_post_stays_out_of_addresses(world: ProviderWorld, core: RelyingParty) -> None:
    browser = world.browser()
    attempt, got = await browser.walk(core)
    hint = (await tokens_of(core, attempt, got))["id_token"]
    attempt = core.ask(prompt="none", id_token_hint=hint)
    answer = await browser.http.post("/authorize", data=attempt.params)
    location = answer.headers["location"]
    assert location.startswith("/authorize?ticket=")
    assert hint not in location
    got = answer_of(await browser.http.get(location))
    assert got["code"]
    again = await browser.http.get(location)
    assert again.status_code == 400
    assert "location" not in again.headers
    for ticket in ("x", "x" * 100, ""):
        answer = await browser.http.get(f"/authorize?ticket={ticket}")
        assert answer.status_code == 400
    # What is wrong is said at once, to where the answer belongs.
    wrong = answer_of(await browser.http.post("/authorize", data=core.ask(id_token_hint="a.b.c").params))
    assert wrong["error"] == "invalid_request"
    # A ticket in a form is no ticket.
    forged = await browser.http.post("/authorize", data={"ticket": "x", "client_id": core.client_id})
    assert "ticket" not in forged.headers["location"]


@pytest.mark.parametrize(
    "body",
    [b"state=a&state=b", b"\xff", b"a=%00", b"x=" + b"y" * 70_000, b"&".join([b"p=1"] * 200)],
    ids=lambda b: b[:9],
)
async def test_a_form_that_cannot_be_read(world: ProviderWorld, body: bytes) -> None:
    """Case 49."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await world.http().post("/authorize", content=body, headers=headers)
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_another_content_type(world: ProviderWorld, core: RelyingParty) -> None:
    answer = await world.http().post("/authorize", json=core.ask().params)
    assert answer.status_code == 400
    assert "location" not in answer.headers


# --- prompt ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "prompt", ["none login", "none consent", "login none select_account", "create", "NONE", "none,login"]
)
async def test_prompts_that_are_refused(world: ProviderWorld, core: RelyingParty, prompt: str) -> None:
    """Case 53."""
    got = answer_of(await world.http().get(core.ask(prompt=prompt).url))
    assert got["error"] == "invalid_request"


async def test_another_person_by_select_account(world: ProviderWorld, core: RelyingParty) -> None:
    browser = world.browser()
    attempt, got = await browser.walk(core, "An")
    first = claims_of(await tokens_of(core, attempt, got))
    world.clock.advance(timedelta(seconds=60))
    attempt = core.ask(prompt="select_account")
    page = await browser.open(attempt.url)
    assert 'id="signin-form"' in page.text
    second = claims_of(await tokens_of(core, attempt, browser.got(await browser.sign_in("Binh"))))
    assert second["sub"] != first["sub"]
    # From now on this browser is Binh's.
    attempt = core.ask(prompt="none")
    silent = claims_of(await tokens_of(core, attempt, answer_of(await browser.http.get(attempt.url))))
    assert silent["sub"] == second["sub"]


async def test_login_and_consent_together(world: ProviderWorld, core: RelyingParty) -> None:
    browser = world.browser()
    await browser.walk(core, scope="openid email")
    world.clock.advance(timedelta(seconds=60))
    page = await browser.open(core.ask(prompt="login consent", scope="openid email").url)
    assert 'id="signin-form"' in page.text
    page = await browser.sign_in("An")
    assert 'id="consent-form"' in page.text
    assert browser.got(await browser.allow())["code"]


async def test_max_age_and_auth_time(world: ProviderWorld, core: RelyingParty) -> None:
    browser = world.browser()
    attempt, got = await browser.walk(core, max_age="10000")
    first = claims_of(await tokens_of(core, attempt, got))
    world.clock.advance(timedelta(seconds=120))
    silent = core.ask(max_age="10000", prompt="none")
    again = claims_of(await tokens_of(core, silent, answer_of(await browser.http.get(silent.url))))
    assert again["auth_time"] == first["auth_time"]
    for changes in ({"max_age": "100"}, {"max_age": "0"}):
        assert answer_of(await browser.http.get(core.ask(prompt="none", **changes).url))["error"] == "login_required"
        attempt = core.ask(**changes)
        await browser.open(attempt.url)
        world.clock.advance(timedelta(seconds=60))
        fresh = claims_of(await tokens_of(core, attempt, browser.got(await browser.sign_in("An"))))
        assert fresh["auth_time"] > first["auth_time"]


# --- levels ------------------------------------------------------------------------------------------------


async def test_voluntary_levels_that_nobody_knows_are_no_error(world: ProviderWorld, core: RelyingParty) -> None:
    attempt, got = await world.browser().walk(core, acr_values="1 2 urn:mace:incommon:iap:silver")
    assert claims_of(await tokens_of(core, attempt, got))["acr"].startswith("urn:dinhdanh:loa:")
    asked = orjson.dumps({"id_token": {"acr": {"value": "1"}}}).decode()
    attempt, got = await world.browser().walk(core, claims=asked)
    assert claims_of(await tokens_of(core, attempt, got))["acr"].startswith("urn:dinhdanh:loa:")


async def test_an_essential_level_is_met_or_an_error(world: ProviderWorld, core: RelyingParty) -> None:
    """Case 54: never a weaker one, whoever asks and in whatever mode."""
    asked = orjson.dumps({"id_token": {"acr": {"essential": True, "values": [IAL2_AAL2]}}}).decode()
    browser = world.browser()
    await browser.walk(core)
    silent = core.ask(prompt="none", claims=asked)
    assert answer_of(await browser.http.get(silent.url))["error"] == "login_required"
    world.clock.advance(timedelta(seconds=60))
    attempt = core.ask(claims=asked)
    await browser.open(attempt.url)
    got = await _with_code(world, browser)
    assert claims_of(await tokens_of(core, attempt, got))["acr"] == IAL2_AAL2


async def _with_code(world: ProviderWorld, browser: CitizenBrowser) -> dict[str, str]:
    """Gives what the sign-in page asks for until the portal has its answer."""
    assert browser.page is not None
    if 'id="signin-form"' in browser.page.text:
        return browser.got(await browser.sign_in("An"))
    return browser.got(await browser.send("code-form", code=pyotp.TOTP(world.totp["An"]).at(world.clock.now())))


# --- what does not bend ------------------------------------------------------------------------------------


async def test_the_redirect_address_is_always_sent_and_exact(world: ProviderWorld, core: RelyingParty) -> None:
    for uri in (DROP, f"{REDIRECT}?a=b", "https://evil.test/"):
        answer = await world.http().get(core.ask(redirect_uri=uri).url)
        assert answer.status_code == 400
        assert "location" not in answer.headers
    attempt, got = await world.browser().walk(core)
    assert await refused(core, attempt, got, redirect_uri="https://rp.example/other") == "invalid_grant"
    attempt, got = await world.browser().walk(core)
    assert await refused(core, attempt, got, redirect_uri=DROP) == "invalid_grant"


async def test_a_code_works_once_and_for_a_minute(world: ProviderWorld, core: RelyingParty) -> None:
    attempt, got = await world.browser().walk(core, **WITHOUT_PKCE)
    tokens = await tokens_of(core, attempt, got, code_verifier=DROP)
    assert await refused(core, attempt, got, code_verifier=DROP) == "invalid_grant"
    assert (await core.userinfo(tokens["access_token"])).status_code == 401
    attempt, got = await world.browser().walk(core, **WITHOUT_PKCE)
    world.clock.advance(timedelta(seconds=60))
    assert await refused(core, attempt, got, code_verifier=DROP) == "invalid_grant"


@pytest.mark.parametrize("kind", ["token", "id_token", "code token", "code id_token", "id_token token", "none", "Code"])
async def test_no_other_flow(world: ProviderWorld, core: RelyingParty, kind: str) -> None:
    got = answer_of(await world.http().get(core.ask(response_type=kind).url))
    assert got["error"] == "unsupported_response_type"


async def test_a_form_post(world: ProviderWorld, core: RelyingParty) -> None:
    attempt = core.ask(response_mode="form_post", **WITHOUT_PKCE)
    browser = world.browser()
    await browser.open(attempt.url)
    page = await browser.sign_in("An")
    assert 'id="form-post"' in page.text
    assert attempt.state in page.text
    assert page.headers["cache-control"] == "no-store"


async def test_a_request_object_by_rs256(world: ProviderWorld) -> None:
    """Discovery §3 has servers take RS256: of this profile alone, and never for an assertion."""
    key = SigningKey.generate("RS256")
    plain = {name: value for name, value in key.public().public_jwk().items() if name != "alg"}
    party = await world.register(profile="openid-core", jwks={"keys": [plain]})
    attempt = party.ask()
    object_ = sign_jwt(key, {**attempt.params, "iss": party.client_id, "aud": world.issuer}, typ="JWT")
    attempt.params = {**attempt.params, "request": object_}
    browser = world.browser()
    await browser.open(attempt.url)
    await browser.sign_in("An")
    if browser.page is not None and 'id="consent-form"' in browser.page.text:
        await browser.allow()
    assert browser.page is not None
    assert browser.got(browser.page)["code"]

    other = await world.register(profile="standard", jwks={"keys": [plain]})
    refused = other.ask()
    object_ = sign_jwt(key, {**refused.params, "iss": other.client_id, "aud": world.issuer}, typ="JWT")
    page = await browser.open("/authorize?" + urlencode({**refused.params, "request": object_}))
    assert page.status_code == 400
    assert "invalid_request_object" in page.text

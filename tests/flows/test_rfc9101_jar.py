"""RFC 9101 and FAPI 2.0 Message Signing §5.3: signed request objects, by value and pushed (security case 43)."""

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from core.jose import SigningKey, sign_jwt
from tests.actors.relying_party import DROP, RelyingParty, answer_of
from tests.support.provider_fixture import world
from tests.support.provider_world import REDIRECT, ProviderWorld

__all__ = ["world"]


@pytest.fixture
async def signer(world: ProviderWorld) -> RelyingParty:
    """Signs as its profile demands, and pushes."""
    made = await world.register(profile="fapi2-message-signing", method="private_key_jwt", dpop=True)
    made.signs = True
    return made


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    """A standard client that may sign."""
    return await world.register(method="private_key_jwt")


def by_value(party: RelyingParty, *, outside: dict[str, Any] | None = None, **changes: Any) -> str:
    """The address of a request with a signed object, and what stands beside it."""
    party.signs = False
    made = party.request_object(**{**party.ask().params, **changes})
    return "/authorize?" + urlencode({"client_id": party.client_id, "request": made, **(outside or {})})


def is_page(answer: httpx.Response, error: str) -> bool:
    """An error at the provider, which leads nowhere."""
    assert answer.status_code == 400, (answer.status_code, answer.headers)
    assert "location" not in answer.headers
    return f'id="error-code">{error}<' in answer.text


# --- pushed -------------------------------------------------------------------------------------------------


async def test_a_signed_request_all_the_way(world: ProviderWorld, signer: RelyingParty) -> None:
    attempt = await signer.pushed(response_mode="jwt", scope="openid profile")
    browser = world.browser()
    await browser.open(attempt.url)
    page = await browser.sign_in("An")
    if 'id="consent-form"' in page.text:
        page = await browser.allow()
    told = await signer.signed_answer(page)
    assert told["state"] == attempt.state
    assert (await signer.exchange(attempt, told["code"])).status_code == 200


async def test_it_may_be_opened_again_before_the_answer_never_after(world: ProviderWorld, signer: RelyingParty) -> None:
    attempt = await signer.pushed(response_mode="jwt")
    browser = world.browser()
    for _ in range(2):
        await browser.open(attempt.url)
    assert (await signer.signed_answer(await browser.sign_in("An")))["code"]
    assert is_page(await world.http().get(attempt.url), "invalid_request_uri")


@pytest.mark.parametrize("profile", ["fapi2", "fapi2-message-signing"])
@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://other.example"},
        {"aud": ["https://other.example"]},
        {"aud": DROP},
        {"aud": 5},
        {"iss": "somebody-else"},
        {"iss": DROP},
        {"client_id": "somebody-else"},
        {"client_id": DROP},
        {"exp": DROP},
        {"nbf": DROP},
        {"exp": "soon"},
        {"exp": -300},
        {"nbf": -3700, "exp": 60},
        {"nbf": 0, "exp": 3700},
        {"nbf": 60},
        {"iat": 3600},
        {"sub": "SELF"},
        {"request": "a.b.c"},
        {"request_uri": "https://rp.example/request"},
        {"state": "a\x00b"},
        {"resource": {"a": 1}},
    ],
    ids=str,
)
async def test_a_pushed_object_that_does_not_hold(world: ProviderWorld, profile: str, claims: dict[str, Any]) -> None:
    """Case 43. Times are seconds from now."""
    party = await world.register(profile=profile, method="private_key_jwt", dpop=True)
    now = int(world.clock.now().timestamp())
    bent = {
        name: now + value if name in {"exp", "nbf", "iat"} and isinstance(value, int) else value
        for name, value in claims.items()
    }
    bent |= {"sub": party.client_id} if "sub" in bent else {}
    made = party.request_object(**{**party.ask(response_mode="jwt").params, **bent})
    answer = await party.post("/par", {"request": made})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request_object"), answer.text


@pytest.mark.parametrize(
    "claims",
    [{"nbf": 10}, {"aud": "BOTH"}, {"nbf": -3500, "exp": 60}, {"nbf": 0, "exp": 3600}, {"iat": 8}, {"jti": "once"}],
    ids=str,
)
async def test_what_a_pushed_object_may_say(world: ProviderWorld, signer: RelyingParty, claims: dict[str, Any]) -> None:
    now = int(world.clock.now().timestamp())
    bent = {name: now + value if isinstance(value, int) else value for name, value in claims.items()}
    bent |= {"aud": ["https://other.example", world.issuer]} if "aud" in bent else {}
    for typ in ("oauth-authz-req+jwt", "OAuth-Authz-Req+JWT", "application/oauth-authz-req+jwt", "JWT", None):
        signer.signs = False
        made = signer.request_object(typ=typ, **{**signer.ask(response_mode="jwt").params, **bent})
        answer = await signer.post("/par", {"request": made})
        assert answer.status_code == 201, answer.text


async def test_signatures_that_do_not_count(world: ProviderWorld, signer: RelyingParty) -> None:
    """Case 43: none, RS256, a foreign key, another type, a symmetric key, the key in the header."""
    signer.signs = False
    params = signer.ask(response_mode="jwt").params
    foreign = SigningKey.generate("ES256")
    rsa = SigningKey.generate("RS256")
    jwk = {name: value for name, value in foreign.public().public_jwk().items() if name in {"kty", "crv", "x", "y"}}
    good = signer.request_object(**params)
    kid = signer.key.kid if signer.key else ""
    for forged in (
        "eyJhbGciOiJub25lIn0.e30.",
        signer.request_object(header={"alg": "none"}, **params),
        signer.request_object(header={"alg": "HS256"}, **params),
        signer.request_object(header={"alg": "RS256"}, **params),
        signer.request_object(header={"typ": "dpop+jwt"}, **params),
        signer.request_object(header={"typ": "at+jwt"}, **params),
        signer.request_object(header={"typ": "client-authentication+jwt"}, **params),
        signer.request_object(header={"crit": ["exp"]}, **params),
        signer.request_object(header={"b64": False}, **params),
        signer.request_object(header={"kid": "unknown"}, **params),
        signer.request_object(header={"kid": 5}, **params),
        signer.request_object(key=foreign, **params),
        signer.request_object(key=foreign, header={"kid": kid}, **params),
        signer.request_object(key=foreign, header={"kid": kid, "jwk": jwk}, **params),
        sign_jwt(rsa, params, typ="oauth-authz-req+jwt"),
        good[:-2],
        good.rsplit(".", 1)[0] + ".",
        good + "=",
        good + ".x.y",
        "x",
        "." * 5,
        "e" * 20_000,
    ):
        answer = await signer.post("/par", {"request": forged})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request_object"), answer.text


async def test_a_client_assertion_is_no_request_and_a_request_no_assertion(
    world: ProviderWorld, signer: RelyingParty
) -> None:
    """RFC 9101 §10.8: both are signed by the same key for the same audience."""
    now = int(world.clock.now().timestamp())
    assertion = signer.assertion(nbf=now)
    answer = await signer.post("/par", {"request": assertion})
    assert answer.json()["error"] == "invalid_request_object"
    signer.signs = False
    stolen = signer.request_object(**signer.ask().params, jti="x", iat=now)
    form = {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": stolen,
        "grant_type": "authorization_code",
        "code": "x",
    }
    answer = await signer.post("/token", form, plain=True)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_the_registered_algorithm_is_the_only_one(world: ProviderWorld) -> None:
    party = await world.register(method="private_key_jwt", request_object_signing_alg="PS256")
    answer = await party.post("/par", {"request": party.request_object(**party.ask().params)})
    assert answer.json()["error"] == "invalid_request_object"
    key = SigningKey.generate("PS256")
    keys = [each.public().public_jwk() for each in (key, party.key) if each]
    party = await world.register(method="private_key_jwt", request_object_signing_alg="PS256", jwks={"keys": [*keys]})
    made = party.request_object(key=key, **party.ask().params)
    assert (await party.post("/par", {"request": made}, plain=True)).status_code == 401
    # The client's own assertion key is another one here: only the object is looked at.
    party.key = key
    assert (await party.post("/par", {"request": made})).status_code == 201


async def test_only_what_is_inside_counts(world: ProviderWorld, signer: RelyingParty) -> None:
    """RFC 9101 §5, RFC 9126 §3: neither at the PAR endpoint nor later at /authorize."""
    signer.signs = False
    params = signer.ask(response_mode="jwt", state=DROP).params
    made = signer.request_object(**params)
    extra = {"state": "outside", "scope": "openid email", "prompt": "none", "redirect_uri": "https://evil.test/"}
    pushed = (await signer.post("/par", {"request": made, **extra})).json()
    query = urlencode({"client_id": signer.client_id, "request_uri": pushed["request_uri"], **extra})
    browser = world.browser()
    await browser.open(f"/authorize?{query}")
    answer = await browser.sign_in("An")
    assert answer.headers["location"].startswith(REDIRECT)
    told = await signer.signed_answer(answer)
    assert "state" not in told
    assert told["code"]


async def test_a_client_that_signs_is_not_asked_for_in_the_open(world: ProviderWorld, signer: RelyingParty) -> None:
    """RFC 9101 §10.5: no downgrade, by profile and by the client's own wish."""
    signer.signs = False
    answer = await signer.push(signer.ask(response_mode="jwt"))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    careful = await world.register(method="private_key_jwt", require_signed_request_object=True)
    assert (await careful.push(careful.ask())).json()["error"] == "invalid_request"
    assert answer_of(await world.http().get(careful.ask().url))["error"] == "invalid_request"
    got = answer_of(await world.http().get(by_value(careful, prompt="none")))
    assert got["error"] == "login_required"
    # Nor are its response_type and scope taken from outside.
    beside = {"response_type": "code", "scope": "openid"}
    bare = await world.http().get(by_value(careful, outside=beside, response_type=DROP))
    assert answer_of(bare)["error"] == "invalid_request"


async def test_a_message_signing_client_must_push(world: ProviderWorld, signer: RelyingParty) -> None:
    told = await signer.signed_answer(await world.http().get(by_value(signer, response_mode="jwt")))
    assert told["error"] == "invalid_request"


async def test_client_authentication_comes_first(world: ProviderWorld, signer: RelyingParty) -> None:
    """A valid object does not authenticate; nor may it name another client than the one that does."""
    made = signer.ask(response_mode="jwt").params["request"]
    alone = await signer.post("/par", {"client_id": signer.client_id, "request": made}, plain=True)
    assert (alone.status_code, alone.json()["error"]) == (401, "invalid_client")
    other = await world.register(profile="fapi2-message-signing", method="private_key_jwt", dpop=True)
    answer = await other.post("/par", {"request": made})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request_object")
    named = await signer.post("/par", {"client_id": other.client_id, "request": made})
    assert (named.status_code, named.json()["error"]) == (401, "invalid_client")


async def test_a_proof_beside_a_pushed_object_binds_the_code(world: ProviderWorld, signer: RelyingParty) -> None:
    """RFC 9449 §10.1; case 40."""
    attempt = await signer.pushed(response_mode="jwt")
    browser = world.browser()
    await browser.open(attempt.url)
    told = await signer.signed_answer(await browser.sign_in("An"))
    signer.proof_key = SigningKey.generate("ES256")
    assert (await signer.exchange(attempt, told["code"])).json()["error"] == "invalid_grant"
    mismatch = await signer.push(signer.ask(response_mode="jwt", dpop_jkt="A" * 43))
    assert mismatch.json()["error"] == "invalid_dpop_proof"


# --- by value -----------------------------------------------------------------------------------------------


async def test_by_value(world: ProviderWorld, portal: RelyingParty) -> None:
    url = by_value(portal, ui_locales="en", max_age=100, claims={"userinfo": {"name": None}})
    attempt = portal.attempts[-1]
    browser = world.browser()
    page = await browser.open(url)
    assert '<html lang="en"' in page.text
    page = await browser.sign_in("Binh")
    assert 'id="consent-form"' in page.text  # the claims parameter was read
    got = browser.got(await browser.allow())
    assert (got["state"], got["iss"]) == (attempt.state, world.issuer)
    assert (await portal.exchange(attempt, got["code"])).status_code == 200


async def test_beside_an_object_nothing_else_is_read(world: ProviderWorld, portal: RelyingParty) -> None:
    outside = {"state": "forged", "redirect_uri": "https://evil.test/", "prompt": "login", "scope": "openid email"}
    answer = await world.http().get(by_value(portal, outside=outside, prompt="none"))
    assert answer.headers["location"].startswith(f"{REDIRECT}?")
    assert (answer_of(answer)["error"], answer_of(answer)["state"]) == ("login_required", portal.attempts[-1].state)
    # A parameter that stands outside only is not there: PKCE, the redirect address.
    challenge = portal.attempts[-1].params["code_challenge"]
    missing = by_value(portal, outside={"code_challenge": challenge}, code_challenge=DROP)
    assert answer_of(await world.http().get(missing))["error"] == "invalid_request"
    nowhere = by_value(portal, outside={"redirect_uri": REDIRECT}, redirect_uri=DROP)
    assert is_page(await world.http().get(nowhere), "invalid_request")


async def test_openid_connect_wants_two_of_them_outside(world: ProviderWorld) -> None:
    """OpenID Connect Core §6.1: response_type and scope stand outside, and may be left out inside."""
    for profile in ("standard", "openid-core"):
        party = await world.register(profile=profile, method="private_key_jwt")
        beside = {"response_type": "code", "scope": "openid"}
        url = by_value(party, outside=beside, response_type=DROP, scope=DROP, client_id=DROP, prompt="none")
        assert answer_of(await world.http().get(url))["error"] == "login_required"
        # They must agree.
        url = by_value(party, outside={**beside, "response_type": "token"}, prompt="none")
        assert is_page(await world.http().get(url), "invalid_request")
        # Inside goes before outside.
        url = by_value(party, outside={**beside, "scope": "openid admin"}, prompt="none")
        assert answer_of(await world.http().get(url))["error"] == "login_required"


async def test_an_object_that_does_not_hold_proves_no_address(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 43: the error goes to a page, although the address in the object and beside it is registered."""
    now = int(world.clock.now().timestamp())
    outside = {"redirect_uri": REDIRECT, "response_type": "code", "scope": "openid"}
    for bent in (
        {"aud": "https://other.example"},
        {"iss": "somebody-else"},
        {"client_id": "somebody-else"},
        {"exp": now - 300},
        {"nbf": now + 120},
        {"key": SigningKey.generate("ES256")},
        {"request_uri": "https://rp.example/request"},
    ):
        url = by_value(portal, outside=outside, **bent)
        assert is_page(await world.http().get(url), "invalid_request_object"), bent
    unsigned = urlencode({"client_id": portal.client_id, "request": "eyJhbGciOiJub25lIn0.e30.", **outside})
    assert is_page(await world.http().get(f"/authorize?{unsigned}"), "invalid_request_object")


async def test_an_address_inside_is_checked_as_any(world: ProviderWorld, portal: RelyingParty) -> None:
    url = by_value(portal, redirect_uri="https://evil.test/")
    assert is_page(await world.http().get(url), "invalid_request")


async def test_a_standard_client_may_leave_the_times_out(world: ProviderWorld, portal: RelyingParty) -> None:
    url = by_value(portal, exp=DROP, nbf=DROP, prompt="none")
    assert answer_of(await world.http().get(url))["error"] == "login_required"


async def test_by_value_and_by_reference_exclude_each_other(world: ProviderWorld, portal: RelyingParty) -> None:
    """RFC 9101 §5; case 41."""
    uri = (await portal.pushed()).params["request_uri"]
    assert is_page(await world.http().get(by_value(portal, outside={"request_uri": uri})), "invalid_request")


async def test_a_client_without_a_key(world: ProviderWorld, portal: RelyingParty) -> None:
    secretive = await world.register()
    secretive.key = portal.key
    assert is_page(await world.http().get(by_value(secretive)), "invalid_request_object")


async def test_values_of_every_kind(world: ProviderWorld, portal: RelyingParty) -> None:
    """Numbers and objects are read as the texts that the plain parameters would be; nonsense is refused there."""
    for changes, error in (
        ({"max_age": 0}, "login_required"),
        ({"max_age": True}, "invalid_request"),
        ({"max_age": 1.5}, "invalid_request"),
        ({"max_age": None}, "login_required"),
        ({"claims": {"id_token": {"acr": {"essential": True, "values": ["x"]}}}}, "unmet_authentication_requirements"),
        ({"claims": []}, "invalid_request"),
        ({"scope": ["openid"]}, "invalid_scope"),
        ({"state": {"a": 1}}, "login_required"),
        ({"resource": ["https://other.example"]}, "invalid_target"),
        ({"whatever": {"deep": [1, None]}}, "login_required"),
        ({"registration": {}}, "registration_not_supported"),
    ):
        bent: dict[str, Any] = {"prompt": "none", **changes}
        got = answer_of(await world.http().get(by_value(portal, **bent)))
        assert got["error"] == error, (changes, got)


async def test_by_post_it_is_not_moved_into_an_address(world: ProviderWorld, portal: RelyingParty) -> None:
    portal.signs = True
    attempt = portal.ask(prompt="none", login_hint="036190990001")
    answer = await portal.http.post("/authorize", data=attempt.params)
    assert answer.status_code == 303
    location = answer.headers["location"]
    assert location.startswith("/authorize?ticket=")
    redis = world.provider.authorize._cache.redis
    for key in await redis.keys("*authorize*"):
        assert b"036190990001" not in (await redis.get(key) or b"")
    got = answer_of(await portal.http.get(location))
    assert (got["error"], got["state"]) == ("login_required", attempt.state)
    assert is_page(await portal.http.get(location), "invalid_request")  # good once
    broken = await portal.http.post("/authorize", data={**attempt.params, "request": "a.b.c"})
    assert is_page(broken, "invalid_request_object")

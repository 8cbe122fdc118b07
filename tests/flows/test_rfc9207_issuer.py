"""RFC 9207: every answer of the authorization endpoint says who gave it, once (security case 19)."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from core.jose import decode_unverified
from examples.portal.app import create_portal
from examples.portal.settings import PortalSettings
from tests.actors.relying_party import DROP, RelyingParty
from tests.support.provider_fixture import world
from tests.support.provider_world import REDIRECT, ProviderWorld, form_of

__all__ = ["world"]

PLAIN = ("query", "form_post")
SIGNED = ("jwt", "query.jwt", "form_post.jwt")
EVIL = "https://evil.example"


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register()


async def issuer_of(world: ProviderWorld) -> str:
    """As a portal learns it: both documents name the same."""
    documents = [
        (await world.http().get(f"/.well-known/{name}")).json()
        for name in ("openid-configuration", "oauth-authorization-server")
    ]
    assert [each["authorization_response_iss_parameter_supported"] for each in documents] == [True, True]
    (issuer,) = {each["issuer"] for each in documents}
    return str(issuer)


def parameters_of(answer: httpx.Response) -> list[tuple[str, str]]:
    """What the portal gets by a redirect or a form, in order."""
    if answer.status_code == 303:
        return parse_qsl(urlsplit(answer.headers["location"]).query, strict_parsing=True)
    action, fields = form_of(answer.text, "form-post")
    assert action == REDIRECT
    assert answer.text.count('type="hidden"') == len(fields)
    return list(fields.items())


async def told_by(answer: httpx.Response, portal: RelyingParty) -> dict[str, str]:
    """The parameters, out of their JWT where there is one. No issuer stands twice (§4)."""
    found = parameters_of(answer)
    told = dict(found)
    assert len(told) == len(found), found
    if "response" not in told:
        return told
    assert set(told) == {"response"}
    return await portal.opened(told["response"])


# --- the answers (§2) --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [*PLAIN, *SIGNED])
async def test_a_code_comes_with_the_issuer(world: ProviderWorld, portal: RelyingParty, mode: str) -> None:
    """§2, §2.4: the string that the metadata and the id_token have. In a signed answer it is a claim (§4, JARM)."""
    attempt = portal.ask(response_mode=mode)
    browser = world.browser()
    await browser.open(attempt.url)
    told = await told_by(await browser.sign_in("An"), portal)
    assert told["code"]
    assert told["iss"] == await issuer_of(world)
    tokens = (await portal.exchange(attempt, told["code"])).json()
    assert decode_unverified(tokens["id_token"]).claims["iss"] == told["iss"]


@pytest.mark.parametrize("mode", [*PLAIN, *SIGNED])
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none", "state": DROP}, "login_required"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "openid lookup"}, "invalid_scope"),
        ({"code_challenge": DROP}, "invalid_request"),
        ({"resource": EVIL}, "invalid_target"),
        ({"request_uri": f"{EVIL}/request"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
    ],
    ids=str,
)
async def test_an_error_comes_with_the_issuer(
    world: ProviderWorld, portal: RelyingParty, changes: dict[str, Any], error: str, mode: str
) -> None:
    """§2: including error responses."""
    attempt = portal.ask(response_mode=mode, **changes)
    told = await told_by(await world.http().get(attempt.url), portal)
    assert (told["error"], told.get("state")) == (error, attempt.params.get("state"))
    assert told["iss"] == await issuer_of(world)


@pytest.mark.parametrize("mode", [*PLAIN, *SIGNED])
async def test_a_persons_refusal_comes_with_the_issuer(world: ProviderWorld, portal: RelyingParty, mode: str) -> None:
    browser = world.browser()
    await browser.open(portal.ask(response_mode=mode, scope="openid phone", prompt="consent").url)
    await browser.sign_in("Binh")
    told = await told_by(await browser.refuse(), portal)
    assert (told["error"], told["iss"]) == ("access_denied", await issuer_of(world))


async def test_whichever_way_the_request_came(world: ProviderWorld) -> None:
    portal = await world.register(method="private_key_jwt")
    http = world.http()
    posted = await http.post("/authorize", data=portal.ask(prompt="none").params)
    answers = [await http.get(posted.headers["location"]), await http.get((await portal.pushed(prompt="none")).url)]
    portal.signs = True
    answers += [await http.get((await portal.pushed(prompt="none")).url), await http.get(portal.ask(prompt="none").url)]
    for answer in answers:
        told = await told_by(answer, portal)
        assert (told["error"], told["iss"]) == ("login_required", await issuer_of(world))


async def test_the_bare_minimum_of_an_answer(world: ProviderWorld) -> None:
    """§2: also where nothing but the address of the client is certain yet, and beside the query of that address."""
    portal = await world.register(redirect_uris=[f"{REDIRECT}?tenant=1"])
    answer = await world.http().get(
        "/authorize", params={"client_id": portal.client_id, "redirect_uri": portal.redirect_uri}
    )
    told = await told_by(answer, portal)
    assert set(told) == {"tenant", "error", "error_description", "iss"}
    assert told["iss"] == await issuer_of(world)


# --- nobody else's (§4) ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [*PLAIN, "jwt"])
async def test_no_request_says_who_we_are(world: ProviderWorld, portal: RelyingParty, mode: str) -> None:
    http, own = world.http(), await issuer_of(world)
    bent = portal.ask(response_mode=mode, prompt="none", iss=EVIL, issuer=EVIL, state=f"s&iss={EVIL}")
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    for answer in (await http.get(bent.url), await http.get(bent.url, headers=headers)):
        told = await told_by(answer, portal)
        assert (told["iss"], told["state"]) == (own, bent.params["state"])


@pytest.mark.parametrize(
    "query",
    [
        f"iss={EVIL}",
        "tenant=1&iss=",
        "%69ss=x",
        "iss",
        "code=x",
        "state=x",
        "error=x",
        "error_description=x",
        "response=x",
    ],
)
async def test_no_address_brings_a_parameter_of_the_answer_along(world: ProviderWorld, query: str) -> None:
    """§4: a portal must refuse an answer with two issuers; RFC 6749 §3.1: no parameter occurs twice."""
    with pytest.raises(Exception, match="invalid-redirect-uri"):
        await world.register(redirect_uris=[f"{REDIRECT}?{query}"])
    assert await world.register(redirect_uris=[f"{REDIRECT}?my_iss=x&State=y&codes=z"])


async def test_what_has_no_proven_address_is_no_answer(world: ProviderWorld, portal: RelyingParty) -> None:
    for changes in ({"redirect_uri": f"{EVIL}/callback"}, {"redirect_uri": DROP}, {"client_id": "nobody"}):
        answer = await world.http().get(portal.ask(**changes).url)
        assert answer.status_code == 400
        assert "location" not in answer.headers


# --- our own portal (§2.4) ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "",
        "iss=",
        "iss=ISSUER%2F",
        "iss=https%3A%2F%2FID.example",
        "iss=https%3A%2F%2Fevil.example",
        "iss=https%253A%252F%252Fid.example",
        "ISS=ISSUER",
        "iss=https%3A%2F%2Fevil.example&iss=ISSUER",
        "iss=ISSUER&iss=https%3A%2F%2Fevil.example",
        "iss=ISSUER&iss=ISSUER",
    ],
)
@pytest.mark.parametrize("rest", ["code=x", "error=access_denied"])
async def test_the_demo_portal_refuses_anothers_answer(query: str, rest: str) -> None:
    """Compared as a string, once; of an error it does not believe either that it comes from the one it asked."""
    settings = PortalSettings("https://id.example", "https://portal.example", "portal", "secret", "school-enrolment")
    transport = httpx.ASGITransport(create_portal(settings))
    async with httpx.AsyncClient(transport=transport, base_url=settings.base_url) as http:
        encoded = "https%3A%2F%2Fid.example"
        answer = await http.get(f"/callback?state=s&{rest}&{query.replace('ISSUER', encoded)}")
        assert (answer.status_code, "issuer_mismatch" in answer.text) == (400, True), answer.text
        own = await http.get(f"/callback?state=s&{rest}&iss={encoded}")
        assert "issuer_mismatch" not in own.text

"""RFC 8707: resource indicators at the authorization and the token endpoint."""

from typing import Any

import httpx
import orjson
import pytest

from core.jose import SigningKey, decode_unverified
from tests.actors.relying_party import RelyingParty, answer_of
from tests.support.provider_fixture import world
from tests.support.provider_world import SCHOOL, ProviderWorld

__all__ = ["world"]

DETAILS = orjson.dumps([{"type": "consented_lookup", "purpose": SCHOOL, "fields": ["full_name"]}]).decode()


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register(dpop=True, authorization_details_types=["consented_lookup"])


def userinfo_of(world: ProviderWorld) -> str:
    return f"{world.issuer}/userinfo"


def lookup_of(world: ProviderWorld) -> str:
    return f"{world.issuer}/api/lookup"


def audience(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return decode_unverified(answer.json()["access_token"]).claims["aud"]


async def test_a_token_has_one_audience(world: ProviderWorld, portal: RelyingParty) -> None:
    """The first that was asked for, or the one the token request names; each refresh may name another."""
    both = [userinfo_of(world), lookup_of(world)]
    browser = world.browser()
    for asked, named, got in (
        (None, None, both[0]),
        (None, both[0], both[0]),
        (both, None, both[0]),
        (both, both[1], both[1]),
        ([both[1]], None, both[1]),
        (list(reversed(both)), None, both[1]),
    ):
        changes: dict[str, Any] = {"authorization_details": DETAILS} | ({"resource": asked} if asked else {})
        attempt, answer = await browser.walk(portal, scope="openid offline_access", **changes)
        tokens = await portal.exchange(attempt, answer["code"], **({"resource": named} if named else {}))
        assert audience(tokens) == got, (asked, named)
        if asked == both:
            refreshed = await portal.refresh(tokens.json()["refresh_token"], resource=both[1])
            assert audience(refreshed) == both[1]


@pytest.mark.parametrize(
    "resource",
    [
        "https://other.example",
        "urn:x",
        "not a uri",
        "/userinfo",
        ["https://id.example", "ISSUER/userinfo"],
        "ISSUER/userinfo#frag",
        "ISSUER/userinfo/",
        "ISSUER/userinfo ISSUER/api/lookup",
        "ISSUER",
    ],
    ids=str,
)
async def test_what_no_token_is_given_for(world: ProviderWorld, portal: RelyingParty, resource: Any) -> None:
    named = [each.replace("ISSUER", world.issuer) for each in ([resource] if isinstance(resource, str) else resource)]
    attempt = portal.ask(resource=named, authorization_details=DETAILS)
    assert answer_of(await world.http().get(attempt.url))["error"] == "invalid_target"
    pushed = await portal.push(attempt)
    assert (pushed.status_code, pushed.json()["error"]) == (400, "invalid_target")


async def test_lookups_need_something_to_look_up(world: ProviderWorld, portal: RelyingParty) -> None:
    got = answer_of(await world.http().get(portal.ask(resource=lookup_of(world)).url))
    assert got["error"] == "invalid_target"


async def test_only_what_was_granted_at_the_token_endpoint(world: ProviderWorld, portal: RelyingParty) -> None:
    for wanted in (lookup_of(world), "https://other.example"):
        attempt, got = await world.browser().walk(portal, authorization_details=DETAILS)
        answer = await portal.exchange(attempt, got["code"], resource=wanted)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")
    attempt, got = await world.browser().walk(portal, authorization_details=DETAILS, resource=lookup_of(world))
    answer = await portal.exchange(attempt, got["code"], resource=userinfo_of(world))
    assert answer.json()["error"] == "invalid_target"


async def test_pushed_signed_and_posted(world: ProviderWorld) -> None:
    """Several resources survive each way a request can come."""
    party = await world.register(method="private_key_jwt", dpop=True, authorization_details_types=["consented_lookup"])
    both = [lookup_of(world), userinfo_of(world)]
    browser = world.browser()
    await browser.walk(party)
    changes: dict[str, Any] = {"resource": both, "authorization_details": DETAILS, "scope": "openid"}
    attempt, got = await browser.walk(party, **changes)  # pushed
    assert audience(await party.exchange(attempt, got["code"])) == both[0]
    attempt = party.ask(**changes)
    posted = await browser.http.post("/authorize", data=attempt.params)
    got = answer_of(await browser.open(posted.headers["location"]))
    assert audience(await party.exchange(attempt, got["code"])) == both[0]
    plain = party.ask(resource=[both[1], both[1]])
    posted = await browser.http.post("/authorize", data=plain.params)
    assert "ticket" not in posted.headers["location"]
    got = answer_of(await browser.open(posted.headers["location"]))
    assert audience(await party.exchange(plain, got["code"])) == both[1]
    party.signs = True
    attempt = party.ask(**{**changes, "authorization_details": orjson.loads(DETAILS)})
    got = answer_of(await browser.open(attempt.url))
    assert audience(await party.exchange(attempt, got["code"], resource=both[1])) == both[1]


async def test_a_token_of_one_audience_opens_no_other(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 34."""
    browser = world.browser()
    both = [userinfo_of(world), lookup_of(world)]
    attempt, got = await browser.walk(portal, authorization_details=DETAILS, resource=both)
    token = (await portal.exchange(attempt, got["code"], resource=both[1])).json()["access_token"]
    assert (await portal.userinfo(token)).status_code == 401


async def test_a_token_for_lookups_is_bound(world: ProviderWorld) -> None:
    portal = await world.register(authorization_details_types=["consented_lookup"])
    asked = {"authorization_details": DETAILS, "resource": lookup_of(world)}
    attempt, got = await world.browser().walk(portal, **asked)
    answer = await portal.exchange(attempt, got["code"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
    portal.proof_key = SigningKey.generate("ES256")
    attempt, got = await world.browser().walk(portal, **asked)
    assert audience(await portal.exchange(attempt, got["code"])) == lookup_of(world)

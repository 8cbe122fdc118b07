"""OpenID Connect Core §3.1.2.4, §5.5, §11: consent on the way, what is asked again, what is told."""

from typing import Any

import orjson
import pytest

from core.jose import decode_unverified
from population_db.synthetic.personas import persona
from tests.actors.relying_party import DROP, RelyingParty, answer_of
from tests.support.provider_fixture import world
from tests.support.provider_world import SCHOOL, STRICT, ProviderWorld

__all__ = ["world"]


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register()


async def test_refusing_is_access_denied(world: ProviderWorld, portal: RelyingParty) -> None:
    browser = world.browser()
    attempt = portal.ask(scope="openid phone purpose:school-enrolment", prompt="consent")
    await browser.open(attempt.url)
    await browser.sign_in("Binh")
    got = browser.got(await browser.refuse())
    assert (got["error"], got["state"], got["iss"]) == ("access_denied", attempt.state, world.issuer)
    assert "code" not in got


async def test_what_is_not_ticked_is_not_told(world: ProviderWorld, portal: RelyingParty) -> None:
    browser = world.browser()
    attempt = portal.ask(scope=f"openid phone purpose:{SCHOOL}", prompt="consent")
    await browser.open(attempt.url)
    await browser.sign_in("Binh")
    got = browser.got(await browser.send("consent-form", decision="allow", purpose="sign-in", field="sign-in/phone"))
    tokens = (await portal.exchange(attempt, got["code"])).json()
    told = (await portal.userinfo(tokens["access_token"])).json()
    assert set(told) <= {"sub", "phone_number", "phone_number_verified"}


async def test_a_refused_purpose_is_no_scope_of_the_tokens(world: ProviderWorld, portal: RelyingParty) -> None:
    """RFC 6749 §3.3, §5.1: the scope tells what was granted, to the portal and to whoever the token is shown to."""
    browser, granted = world.browser(), "openid phone offline_access"
    attempt = portal.ask(scope=f"{granted} purpose:{SCHOOL}", prompt="consent")
    await browser.open(attempt.url)
    await browser.sign_in("Binh")
    got = browser.got(await browser.send("consent-form", decision="allow", purpose="sign-in", field="sign-in/phone"))
    tokens = (await portal.exchange(attempt, got["code"])).json()
    refreshed = (await portal.refresh(tokens["refresh_token"])).json()
    for answer in (tokens, refreshed):
        assert answer["scope"] == granted
        assert decode_unverified(answer["access_token"]).claims["scope"] == "openid phone"
    wider = await portal.refresh(tokens["refresh_token"], scope=f"openid purpose:{SCHOOL}")
    assert wider.json()["error"] == "invalid_scope"
    _, got = await browser.walk(portal, "Binh", scope=f"openid purpose:{SCHOOL}")
    assert got["code"]  # asked for anew, and agreed to this time


async def test_prompt_consent_asks_again_and_a_flag_skips_nothing(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 62."""
    browser = world.browser()
    await browser.walk(portal, scope="openid email")
    assert answer_of(await browser.http.get(portal.ask(scope="openid email", prompt="none").url))["code"]
    page = await browser.open(portal.ask(scope="openid email", prompt="consent").url)
    assert 'id="consent-form"' in page.text
    page = await browser.open(portal.ask(scope=f"openid purpose:{STRICT}", first_party="true", consent="skip").url)
    assert "location" not in page.headers


async def test_a_client_that_cannot_prove_who_it_is_always_asks(world: ProviderWorld) -> None:
    """Case 62 (OWASP ASVS V10.7.1)."""
    app = await world.register(method="none")
    browser = world.browser()
    await browser.walk(app, scope="openid email")
    page = await browser.open(app.ask(scope="openid email").url)
    assert 'id="consent-form"' in page.text


async def test_a_pseudonym_alone_is_asked_for_as_well(world: ProviderWorld, portal: RelyingParty) -> None:
    """By whoever cannot prove who it is, each time, and with prompt=consent (OpenID Connect Core §3.1.2.1)."""
    app, browser = await world.register(method="none"), world.browser()
    await browser.open(app.ask().url)
    page = await browser.sign_in("An")
    for _ in range(2):
        assert 'id="consent-form"' in page.text
        assert 'type="checkbox"' not in page.text
        assert "Cổng" in page.text
        assert answer_of(await browser.http.get(app.ask(prompt="none").url))["error"] == "consent_required"
        assert browser.got(await browser.send("consent-form", decision="allow"))["code"]
        page = await browser.open(app.ask().url)
    assert browser.got(await browser.refuse())["error"] == "access_denied"
    assert answer_of(await browser.http.get(portal.ask().url))["code"]  # one that proves who it is signs in at once
    page = await browser.open(portal.ask(prompt="consent").url)
    assert 'id="consent-form"' in page.text
    assert browser.got(await browser.allow())["code"]


async def test_offline_access_needs_a_page_that_tells_of_it(world: ProviderWorld, portal: RelyingParty) -> None:
    """OpenID Connect Core §11: without prompt=consent, or a page for another reason, it is left out."""
    browser = world.browser()

    async def tokens(**changes: Any) -> Any:
        attempt, got = await browser.walk(portal, **changes)
        return (await portal.exchange(attempt, got["code"])).json()

    await browser.walk(portal)
    silent = await tokens(scope="openid offline_access", prompt=DROP)
    assert "refresh_token" not in silent
    assert silent.get("scope", "openid") == "openid"
    page = await browser.open(portal.ask(scope="openid offline_access", prompt="consent").url)
    assert 'id="offline"' in page.text
    assert "refresh_token" in await tokens(scope="openid offline_access", prompt="consent")
    page = await browser.open(portal.ask(scope="openid phone offline_access", prompt=DROP).url)
    assert 'id="offline"' in page.text  # of the data that was not agreed to yet
    assert "refresh_token" in await tokens(scope="openid phone offline_access", prompt=DROP)
    assert "refresh_token" not in await tokens(scope="openid phone offline_access", prompt=DROP)
    page = await browser.open(portal.ask(scope="openid phone", prompt="consent").url)
    assert 'id="offline"' not in page.text


async def test_single_claims(world: ProviderWorld, portal: RelyingParty) -> None:
    asked = {
        "userinfo": {
            "name": {"essential": True},
            "urn:dinhdanh:claim:marital_status": None,
            "urn:dinhdanh:claim:religion": None,  # not in the agency's policy
            "nickname": None,
        }
    }
    attempt, got = await world.browser().walk(portal, scope="openid", claims=orjson.dumps(asked).decode())
    token = (await portal.exchange(attempt, got["code"])).json()["access_token"]
    told = (await portal.userinfo(token)).json()
    assert set(told) <= {"sub", "name", "urn:dinhdanh:claim:marital_status"}
    assert told["name"] == persona("An").full_name


async def test_a_purpose_without_a_policy_is_refused(world: ProviderWorld, portal: RelyingParty) -> None:
    browser = world.browser()
    await browser.open(portal.ask(scope="openid purpose:without-policy").url)
    assert browser.got(await browser.sign_in("An"))["error"] == "invalid_scope"


async def test_a_pseudonym_alone_is_no_disclosure(world: ProviderWorld, portal: RelyingParty) -> None:
    attempt, got = await world.browser().walk(portal)
    token = (await portal.exchange(attempt, got["code"])).json()["access_token"]
    before = len(await world.lines("An"))
    answer = await portal.userinfo(token)
    assert set(answer.json()) == {"sub"}
    assert len(await world.lines("An")) == before

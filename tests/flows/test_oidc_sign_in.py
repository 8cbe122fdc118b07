"""The story over HTTP: a portal signs a citizen in, gets what he agreed to, and nothing else."""

import re

from core.jose import decode_unverified
from population_db.synthetic.personas import persona
from tests.support.provider_fixture import world
from tests.support.provider_world import SCHOOL, ProviderWorld

__all__ = ["world"]


async def test_sign_in_consent_tokens_userinfo(world: ProviderWorld) -> None:
    portal = await world.register()
    browser = world.browser()
    attempt, got = await browser.walk(portal, scope=f"openid profile purpose:{SCHOOL} offline_access")
    assert got["state"] == attempt.state
    assert got["iss"] == world.issuer  # case 19

    answer = await portal.exchange(attempt, got["code"])
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"  # case 36
    tokens = answer.json()
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] <= 600

    id_token = decode_unverified(tokens["id_token"])
    assert id_token.header["alg"] == "ES256"
    claims = id_token.claims
    assert claims["iss"] == world.issuer
    assert claims["aud"] == portal.client_id
    assert claims["nonce"] == attempt.nonce
    assert claims["acr"] == "urn:dinhdanh:loa:ial2:aal1"
    assert claims["amr"] == ["pwd"]
    assert claims["auth_time"] == int(world.clock.now().timestamp())
    assert "sid" not in claims  # only for those who are told of sign-outs
    assert claims["at_hash"]
    assert "name" not in claims

    before = len(await world.lines("An"))
    told = (await portal.userinfo(tokens["access_token"])).json()
    an = persona("An")
    assert told["sub"] == claims["sub"]
    assert told["name"] == an.full_name
    assert told["urn:dinhdanh:claim:full_name"] == an.full_name
    assert told["urn:dinhdanh:claim:children"]
    assert an.number not in str(told["sub"])
    lines = await world.lines("An")
    assert len(lines) == before + 1  # one answer, one line
    line = lines[0].line
    assert (line.kind, line.action, line.actor.id) == ("disclosure", "oidc.userinfo", portal.client_id)
    assert "full_name" in line.fields
    assert "children" in line.fields


async def test_the_services_own_words_are_linked_where_the_person_decides(world: ProviderWorld) -> None:
    """OpenID Connect Registration §2: policy_uri and tos_uri, for people to read; elsewhere, so in a tab of its own."""
    portal = await world.register(
        policy_uri="https://portal.example/privacy?a=1&b=2", tos_uri="https://rp.example/terms"
    )
    browser = world.browser()
    await browser.open(portal.ask(scope="openid email").url)
    page = await browser.sign_in("An")
    links = dict(
        re.findall(r'<a href="([^"]+)" id="(consent-\w+)" target="_blank" rel="noopener noreferrer">', page.text)
    )
    assert links == {
        "https://portal.example/privacy?a=1&amp;b=2": "consent-policy",
        "https://rp.example/terms": "consent-terms",
    }
    assert "portal.example, mở trong thẻ mới" in page.text
    plain = world.browser()
    await plain.open((await world.register()).ask(scope="openid email").url)
    assert "consent-links" not in (await plain.sign_in("An")).text

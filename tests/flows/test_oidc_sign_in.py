"""The story over HTTP: a portal signs a citizen in, gets what he agreed to, and nothing else."""

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
    assert claims["sid"]
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

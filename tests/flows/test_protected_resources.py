"""Protected resources, over a real connection too: `Date`, challenges, bindings (FAPI 2.0 §5.3.4, RFC 6750 §3)."""

import socket
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from core.jose import SigningKey, decode_unverified, sign_jwt
from oidc.api import userinfo_audience
from oidc.token.access_tokens import AccessTokenAsk, issue_access_token
from tests.actors.relying_party import RelyingParty
from tests.support.challenges import errors_of
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld, fresh, publish
from tests.support.real_server import served

__all__ = ["world"]


async def token_of(world: ProviderWorld, portal: RelyingParty, scope: str = "openid") -> str:
    attempt, got = await world.browser().walk(portal, scope=scope)
    return str((await portal.exchange(attempt, got["code"])).json()["access_token"])


async def test_every_answer_tells_the_date(world: ProviderWorld) -> None:
    """Clients whose clocks are off learn the time from it; refusals have it too."""
    portal = await world.register()
    token = await token_of(world, portal)
    good = {"Authorization": f"Bearer {token}"}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with served(world.app, listening), httpx.AsyncClient(base_url=address) as http:
            for answer, status in (
                (await http.get("/userinfo", headers=good), 200),
                (await http.post("/userinfo", headers=good), 200),
                (await http.get("/userinfo"), 401),
                (await http.post("/api/lookup/v1/matches", json={}), 401),
                (await http.post("/token", data={"grant_type": "x"}), 401),
            ):
                assert answer.status_code == status, answer.text
                assert len(answer.headers.get_list("date")) == 1
                assert parsedate_to_datetime(answer.headers["date"]).tzinfo is not None


@pytest.mark.parametrize("sent", [[], ["Basic eDp5"], ["Negotiate x"], [""], ["Bearerx y"]])
async def test_without_a_token_all_that_is_taken_is_told(world: ProviderWorld, sent: list[str]) -> None:
    """RFC 6750 §3.1: no error then, nor where another scheme was tried; §3: a parameter all the same."""
    headers = [("Authorization", each) for each in sent]
    answer = await world.http().get("/userinfo", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert errors_of(answer.headers["www-authenticate"]) == [("Bearer", None), ("DPoP", None)]
    for path in ("/api/lookup/v1/matches", "/api/lookup/v1/records"):
        answer = await world.http().post(path, json={}, headers=headers)
        assert answer.status_code == 401
        assert errors_of(answer.headers["www-authenticate"]) == [("DPoP", None)]


@pytest.mark.parametrize(
    ("sent", "status", "error", "scheme"),
    [
        (["Bearer"], 400, "invalid_request", "Bearer"),
        (["DPoP "], 400, "invalid_request", "DPoP"),
        (["bearer a.b.c"], 401, "invalid_token", "Bearer"),
        (["Bearer x", "Bearer x"], 400, "invalid_request", "Bearer"),
        (["DPoP a.b.c"], 401, "invalid_token", "DPoP"),
    ],
)
async def test_refusals_have_a_challenge(
    world: ProviderWorld, sent: list[str], status: int, error: str, scheme: str
) -> None:
    """RFC 6750 §3, RFC 9449 §7.1: the scheme that was tried, at every resource alike."""
    headers = [("Authorization", each) for each in sent]
    answer = await world.http().get("/userinfo", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert errors_of(answer.headers["www-authenticate"]) == [(scheme, error)]
    assert answer.headers["cache-control"] == "no-store"
    answer = await world.http().post("/api/lookup/v1/matches", json={}, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:dinhdanh:problem:{error}")
    assert errors_of(answer.headers["www-authenticate"]) == [(scheme, error)]


async def test_a_token_in_the_url_has_a_challenge_too(world: ProviderWorld) -> None:
    answer = await world.http().get("/userinfo?access_token=x")
    assert errors_of(answer.headers["www-authenticate"]) == [("Bearer", "invalid_request")]


async def test_a_token_without_the_scope_is_403_by_its_own_scheme(world: ProviderWorld) -> None:
    """RFC 6750 §3.1: a token that holds, and may not."""
    for dpop in (False, True):
        portal = await world.register(dpop=dpop)
        attempt, got = await world.browser().walk(portal, scope="openid email offline_access")
        tokens = (await portal.exchange(attempt, got["code"])).json()
        fewer = (await portal.refresh(tokens["refresh_token"], scope="email")).json()["access_token"]
        answer = await portal.userinfo(fewer)
        assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
        assert errors_of(answer.headers["www-authenticate"]) == [("DPoP" if dpop else "Bearer", "insufficient_scope")]


async def test_a_token_of_ours_that_is_bound_in_a_way_we_do_not_know(world: ProviderWorld) -> None:
    """RFC 7800: a confirmation that is not understood confirms nothing."""
    portal = await world.register()
    token = await token_of(world, portal)
    gid = (await world.fetch("SELECT gid FROM oidc.grants WHERE client_id = $1", portal.client_id))[0]["gid"]
    keys = world.provider.foundation.keys

    async def made(**changes: Any) -> str:
        told: dict[str, Any] = {"jkt": None, "x5t": None, "alg": "ES256", **changes}
        ask = AccessTokenAsk(
            client_id=portal.client_id,
            subject="s",
            audience=userinfo_audience(world.issuer),
            scopes=("openid",),
            gid=gid,
            **told,
        )
        return await issue_access_token(ask, keys, issuer=world.issuer, now=world.clock.now())

    assert (await portal.userinfo(await made())).status_code == 200
    assert (await portal.userinfo(token)).status_code == 200
    # Bound, they are worth nothing to who holds neither key nor certificate, whatever the scheme.
    stranger = SigningKey.generate("ES256")
    for bound in (await made(jkt="x" * 43), await made(x5t="x" * 43), await made(jkt="x" * 43, x5t="x" * 43)):
        portal.proof_key = None
        assert (await portal.userinfo(bound)).status_code == 401
        portal.proof_key = stranger
        assert (await portal.userinfo(bound)).status_code == 401


@pytest.mark.parametrize("cnf", [{}, {"jwk": {}}, {"kid": "x"}, {"jkt": 5}, {"jkt": "a", "kid": "x"}, "jkt", None])
async def test_a_confirmation_that_is_not_understood(world: ProviderWorld, cnf: Any) -> None:

    portal = await world.register()
    claims = dict(decode_unverified(await token_of(world, portal)).claims)
    signing = world.provider.foundation.keys.signing("ES256")
    assert (await portal.userinfo(sign_jwt(signing, claims, typ="at+jwt"))).status_code == 200
    answer = await portal.userinfo(sign_jwt(signing, {**claims, "cnf": cnf}, typ="at+jwt"))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


async def test_what_the_agency_may_no_more_is_403_by_the_tokens_scheme(world: ProviderWorld) -> None:
    """Its policy changed after the consent: the token holds, and opens nothing of it."""
    for dpop in (False, True):
        purpose = fresh("challenge")
        await publish(world, purpose, fields=frozenset({"full_name"}))
        portal = await world.register(dpop=dpop, scope=f"openid purpose:{purpose}")
        token = await token_of(world, portal, f"openid purpose:{purpose}")
        assert (await portal.userinfo(token)).status_code == 200
        world.clock.advance(timedelta(seconds=1))
        await publish(world, purpose, fields=frozenset({"full_name"}), legal_bases=frozenset({"statutory-duty"}))
        answer = await portal.userinfo(token)
        assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope"), answer.text
        assert errors_of(answer.headers["www-authenticate"]) == [("DPoP" if dpop else "Bearer", "insufficient_scope")]

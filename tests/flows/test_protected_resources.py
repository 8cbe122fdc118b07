"""Protected resources, over a real connection too: `Date`, and bindings (FAPI 2.0 §5.3.4, RFC 7800)."""

import socket
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from core.jose import SigningKey, decode_unverified, sign_jwt
from oidc.api import userinfo_audience
from oidc.token.access_tokens import AccessTokenAsk, issue_access_token
from tests.actors.relying_party import RelyingParty
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld
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

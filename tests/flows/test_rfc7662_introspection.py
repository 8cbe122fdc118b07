"""RFC 7662 and RFC 7009: introspection for the token's own audience, revocation by its own client (case 35)."""

import httpx
import pytest

from core.jose import decode_unverified
from tests.actors.relying_party import RelyingParty
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register()


async def tokens_of(world: ProviderWorld, portal: RelyingParty) -> dict[str, str]:
    attempt, got = await world.browser().walk(portal, scope="openid email offline_access")
    found: dict[str, str] = (await portal.exchange(attempt, got["code"])).json()
    return found


async def introspected(party: RelyingParty, token: str) -> dict[str, object]:
    answer = await party.post("/introspect", {"token": token})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told: dict[str, object] = answer.json()
    return told


async def resource_server(world: ProviderWorld, audience: str) -> RelyingParty:
    return await world.register(
        method="private_key_jwt", grant_types=["client_credentials"], audiences=[f"{world.issuer}{audience}"]
    )


async def test_a_resource_server_sees_its_own_tokens(world: ProviderWorld, portal: RelyingParty) -> None:
    tokens = await tokens_of(world, portal)
    server = await resource_server(world, "/userinfo")
    told = await introspected(server, tokens["access_token"])
    assert told["active"] is True
    assert (told["client_id"], told["scope"]) == (portal.client_id, "openid email offline_access")
    assert told["sub"]
    # The person by the asker's own sector: two parties cannot compare notes.
    own = (await portal.userinfo(tokens["access_token"])).json()["sub"]
    assert told["sub"] != own


async def test_everything_else_is_inactive(world: ProviderWorld, portal: RelyingParty) -> None:
    tokens = await tokens_of(world, portal)
    server, other = await resource_server(world, "/userinfo"), await resource_server(world, "/api/lookup")
    assert await introspected(other, tokens["access_token"]) == {"active": False}
    assert await introspected(portal, tokens["access_token"]) == {"active": False}
    for token in (tokens["refresh_token"], tokens["id_token"], "x", "a.b.c", "x" * 20_000):
        assert await introspected(server, token) == {"active": False}
    await portal.post("/revoke", {"token": tokens["refresh_token"]})
    assert await introspected(server, tokens["access_token"]) == {"active": False}


async def test_it_needs_authentication(world: ProviderWorld, portal: RelyingParty) -> None:
    answer = await portal.post("/introspect", {"token": "x"}, plain=True)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert (await portal.post("/introspect", {})).json()["error"] == "invalid_request"
    assert (await portal.http.get("/introspect")).status_code == 405


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_revoking_either_token_ends_both(world: ProviderWorld, portal: RelyingParty, which: str) -> None:
    tokens = await tokens_of(world, portal)
    assert (await portal.userinfo(tokens["access_token"])).status_code == 200
    answer = await portal.post("/revoke", {"token": tokens[which], "token_type_hint": "whatever"})
    assert answer.status_code == 200
    await _dead(world, portal, tokens["access_token"])
    assert (await portal.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_only_by_its_own_client_and_unknown_ones_are_fine(world: ProviderWorld, portal: RelyingParty) -> None:
    tokens = await tokens_of(world, portal)
    other = await world.register()
    for token in (*tokens.values(), "unknown", "a.b.c"):
        assert (await other.post("/revoke", {"token": str(token)})).status_code == 200
    assert (await portal.refresh(tokens["refresh_token"])).status_code == 200
    answer = await portal.post("/revoke", {"token": "x"}, plain=True)
    assert answer.status_code == 401
    assert (await portal.post("/revoke", {})).json()["error"] == "invalid_request"


async def test_a_back_end_may_end_its_own_tokens_and_get_new_ones(world: ProviderWorld) -> None:
    back_end = await world.register(method="private_key_jwt", grant_types=["client_credentials"])
    server = await resource_server(world, "/api/lookup")
    token = (await back_end.client_credentials()).json()["access_token"]
    assert (await introspected(server, token))["active"] is True
    await back_end.post("/revoke", {"token": token})
    await _forget(world, token)
    assert await introspected(server, token) == {"active": False}
    fresh = (await back_end.client_credentials()).json()["access_token"]
    assert (await introspected(server, fresh))["active"] is True


async def _dead(world: ProviderWorld, portal: RelyingParty, token: str) -> httpx.Response:
    await _forget(world, token)
    answer = await portal.userinfo(token)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    return answer


async def _forget(world: ProviderWorld, token: str) -> None:
    """What the notification does; whether it arrives is shown in tests/races/test_code_revocation.py."""
    world.provider.foundation.statuses.forget(str(decode_unverified(token).claims["gid"]))

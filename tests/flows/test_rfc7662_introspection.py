"""RFC 7662: introspection for the token's own audience (case 35). As JWTs: test_rfc9701_introspection_jwt.py."""

from datetime import timedelta

import pytest

from tests.actors.relying_party import RelyingParty
from tests.support.provider_fixture import world
from tests.support.provider_world import OPERATOR, ProviderWorld

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
    assert (told["client_id"], told["scope"]) == (portal.client_id, "openid email")
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


async def test_suspended_clients_and_their_tokens(world: ProviderWorld, portal: RelyingParty) -> None:
    """A suspended client gets no answer; a suspended portal's token is dead."""
    tokens = await tokens_of(world, portal)
    server, gone = await resource_server(world, "/userinfo"), await resource_server(world, "/userinfo")
    assert (await introspected(server, tokens["access_token"]))["active"] is True
    async with world.database.raw() as tx:
        await world.provider.registrar.set_state(tx, gone.client_id, "suspended", by=OPERATOR)
        await world.provider.registrar.set_state(tx, portal.client_id, "suspended", by=OPERATOR)
    for client in (gone, portal):
        world.provider.foundation.statuses.forget(f"client:{client.client_id}")
    answer = await gone.post("/introspect", {"token": tokens["access_token"]})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert await introspected(server, tokens["access_token"]) == {"active": False}


async def test_expired_tokens_are_inactive(world: ProviderWorld, portal: RelyingParty) -> None:
    tokens = await tokens_of(world, portal)
    server = await resource_server(world, "/userinfo")
    world.clock.advance(timedelta(seconds=601))
    assert await introspected(server, tokens["access_token"]) == {"active": False}

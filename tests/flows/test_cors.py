"""Calls by scripts in browsers (security case 64): registered origins of public clients, and nobody else."""

import pytest

from tests.support.provider_fixture import world as world
from tests.support.provider_world import OPERATOR, ProviderWorld, fresh

PATHS = {"/token": "POST", "/userinfo": "GET, POST", "/par": "POST", "/revoke": "POST"}
ALLOW, CREDENTIALS = "access-control-allow-origin", "access-control-allow-credentials"


def preflight(origin: str) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,dpop",
    }


async def app(world: ProviderWorld, method: str = "none") -> tuple[str, str]:
    """A client with an origin of its own; gives origin and identifier."""
    origin = f"https://{fresh('app')}.example"
    party = await world.register(method=method, redirect_uris=[f"{origin}/cb"], post_logout_redirect_uris=[])
    world.provider.foundation.origins.forget()  # as the notification does, a moment later
    return origin, party.client_id


@pytest.mark.parametrize("path", sorted(PATHS))
async def test_a_preflight_of_a_registered_origin(world: ProviderWorld, path: str) -> None:
    origin, _ = await app(world)
    answer = await world.http().options(path, headers=preflight(origin))
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers[ALLOW] == origin
    assert answer.headers["access-control-allow-methods"] == PATHS[path]
    assert "DPoP" in answer.headers["access-control-allow-headers"]
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert "Origin" in answer.headers["vary"]
    assert CREDENTIALS not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "https://",
        "*",
        "",
        "https://app.example.evil.example",
        "http://localhost.evil.example",
        "x" * 5000,
    ],
)
async def test_other_origins_read_nothing(world: ProviderWorld, origin: str) -> None:
    mine, client_id = await app(world)
    for path in PATHS:
        asked = await world.http().options(path, headers=preflight(origin))
        assert asked.status_code == 204
        assert ALLOW not in asked.headers
    answer = await world.http().post("/token", data={"client_id": client_id}, headers={"Origin": origin})
    assert ALLOW not in answer.headers
    assert answer.headers["vary"] == "Origin"
    for near in (mine.upper(), f"{mine}/", f"{mine}:443", mine.replace("https", "http"), f"{mine}.evil.example"):
        assert ALLOW not in (await world.http().options("/token", headers=preflight(near))).headers


async def test_answers_to_a_registered_origin(world: ProviderWorld) -> None:
    origin, client_id = await app(world)
    for form in ({"client_id": client_id, "grant_type": "password"}, {"client_id": "nobody"}, {}):
        answer = await world.http().post("/token", data=form, headers={"Origin": origin})
        assert answer.status_code >= 400
        assert answer.headers[ALLOW] == origin
        assert "DPoP-Nonce" in answer.headers["access-control-expose-headers"]
        assert answer.headers["vary"] == "Origin"
        assert CREDENTIALS not in answer.headers


async def test_the_answer_of_one_app_is_not_for_another(world: ProviderWorld) -> None:
    _, mine = await app(world)
    other, _ = await app(world)
    answer = await world.http().post(
        "/token", data={"client_id": mine, "grant_type": "password"}, headers={"Origin": other}
    )
    assert ALLOW not in answer.headers


async def test_a_client_with_a_secret_is_no_script(world: ProviderWorld) -> None:
    origin, _ = await app(world, method="client_secret_basic")
    assert ALLOW not in (await world.http().options("/token", headers=preflight(origin))).headers


async def test_a_suspended_app_is_out_at_once(world: ProviderWorld) -> None:
    origin, client_id = await app(world)
    assert ALLOW in (await world.http().options("/token", headers=preflight(origin))).headers
    async with world.database.raw() as tx:
        await world.provider.registrar.set_state(tx, client_id, "suspended", by=OPERATOR)
    world.provider.foundation.statuses.forget(f"client:{client_id}")
    assert ALLOW not in (await world.http().options("/token", headers=preflight(origin))).headers


async def test_who_calls_without_a_browser_sees_no_difference_but_vary(world: ProviderWorld) -> None:
    answer = await world.http().post("/token", data={"grant_type": "x"})
    assert ALLOW not in answer.headers
    assert answer.headers["vary"] == "Origin"


async def test_discovery_and_keys_are_open_and_the_rest_is_closed(world: ProviderWorld) -> None:
    origin, _ = await app(world)
    for path in ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks"):
        answer = await world.http().get(path, headers={"Origin": "https://anybody.example"})
        assert answer.headers[ALLOW] == "*"
        assert CREDENTIALS not in answer.headers
    for path in ("/introspect", "/register", "/authorize", "/me", "/signin", "/official/clients"):
        answer = await world.http().options(path, headers=preflight(origin))
        assert ALLOW not in answer.headers
        answer = await world.http().get(path, headers={"Origin": origin})
        assert ALLOW not in answer.headers

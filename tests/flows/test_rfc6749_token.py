"""RFC 6749: the code grant, the token endpoint, refresh (security cases 8, 14-17, 27-32, 36)."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.jose import decode_unverified
from tests.actors.relying_party import DROP, Attempt, RelyingParty
from tests.support.provider_fixture import world
from tests.support.provider_world import OPERATOR, SIGNED_OUT, ProviderWorld
from tests.support.token_answers import error_of, tokens_of

__all__ = ["world"]

OFFLINE = "openid profile email offline_access"


async def signed_in(world: ProviderWorld, party: RelyingParty, **changes: Any) -> tuple[Attempt, str]:
    attempt, got = await world.browser().walk(party, **changes)
    return attempt, got["code"]


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register()


# --- the code ---------------------------------------------------------------------------------------------


async def test_a_code_works_once_and_its_second_use_ends_everything(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 14."""
    attempt, code = await signed_in(world, portal, scope=OFFLINE)
    tokens = (await portal.exchange(attempt, code)).json()
    assert (await portal.userinfo(tokens["access_token"])).status_code == 200
    assert error_of(await portal.exchange(attempt, code)) == "invalid_grant"
    assert (await portal.userinfo(tokens["access_token"])).status_code == 401
    assert error_of(await portal.refresh(tokens["refresh_token"])) == "invalid_grant"


async def test_a_code_lives_sixty_seconds(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 15."""
    attempt, code = await signed_in(world, portal)
    world.clock.advance(timedelta(seconds=60))
    assert error_of(await portal.exchange(attempt, code)) == "invalid_grant"


async def test_a_code_is_for_its_own_client_and_not_spent_by_another(
    world: ProviderWorld, portal: RelyingParty
) -> None:
    other = await world.register()
    attempt, code = await signed_in(world, portal)
    assert error_of(await other.exchange(attempt, code)) == "invalid_grant"
    assert (await portal.exchange(attempt, code)).status_code == 200


@pytest.mark.parametrize("redirect_uri", [DROP, "https://rp.example/callback/", "https://evil.test/"])
async def test_the_token_request_repeats_the_redirect_address(
    world: ProviderWorld, portal: RelyingParty, redirect_uri: Any
) -> None:
    """Case 8."""
    attempt, code = await signed_in(world, portal)
    assert error_of(await portal.exchange(attempt, code, redirect_uri=redirect_uri)) == "invalid_grant"
    assert error_of(await portal.exchange(attempt, code)) == "invalid_grant"  # it was spent


async def test_an_injected_code_does_not_fit_another_session(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 17."""
    _, stolen = await signed_in(world, portal)
    assert error_of(await portal.exchange(portal.ask(), stolen)) == "invalid_grant"


async def test_what_is_handed_out_is_random(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 16: at least 128 random bits; two bytes of bucket are all the structure there is."""
    codes = [(await signed_in(world, portal))[1] for _ in range(3)]
    assert len({code[3:] for code in codes}) == 3
    assert all(len(code) == 35 for code in codes)
    tokens = await tokens_of(world, portal, scope=OFFLINE)
    assert len(tokens["refresh_token"]) == 35
    assert len(decode_unverified(tokens["access_token"]).claims["jti"]) == 35


async def test_nothing_of_it_is_stored_in_clear(world: ProviderWorld, portal: RelyingParty) -> None:
    attempt, code = await signed_in(world, portal, scope=OFFLINE)
    tokens = (await portal.exchange(attempt, code)).json()
    rows = str(await world.fetch("SELECT * FROM oidc.grants")) + str(
        await world.fetch("SELECT * FROM oidc.refresh_tokens")
    )
    rows += str(await world.fetch("SELECT * FROM oidc.clients"))
    for secret in (code, tokens["refresh_token"], tokens["access_token"], portal.secret):
        assert str(secret) not in rows


# --- the endpoint -----------------------------------------------------------------------------------------


async def test_the_endpoint_is_strict(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 36."""
    assert (await portal.http.get("/token")).status_code == 405
    assert set((await portal.http.get("/token")).headers["allow"].split(", ")) == {"POST", "OPTIONS"}
    form, headers = portal.authentication("/token")
    good = {**form, "grant_type": "client_credentials"}
    assert error_of(await portal.http.post("/token?grant_type=client_credentials", data=good, headers=headers))
    assert error_of(await portal.http.post("/token?x=1", data=good, headers=headers)) == "invalid_request"
    raw = "grant_type=client_credentials&grant_type=authorization_code"
    typed = {**headers, "content-type": "application/x-www-form-urlencoded"}
    assert error_of(await portal.http.post("/token", content=raw, headers=typed)) == "invalid_request"
    assert error_of(await portal.http.post("/token", json=good, headers=headers)) == "invalid_request"
    assert error_of(await portal.http.post("/token", content=b"\xff", headers=typed)) == "invalid_request"
    assert error_of(await portal.http.post("/token", content=b"a=%00", headers=typed)) == "invalid_request"
    assert error_of(await portal.http.post("/token", data={**good, "x": "y" * 70_000}, headers=headers), 413)
    many = {f"p{n}": "1" for n in range(10_000)}
    assert (await portal.http.post("/token", data=many, headers=headers)).status_code in {400, 413}


async def test_grant_types(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 27."""
    assert error_of(await portal.post("/token", {})) == "invalid_request"
    for absent in ("password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "x"):
        assert error_of(await portal.post("/token", {"grant_type": absent})) == "unsupported_grant_type"
    assert error_of(await portal.client_credentials()) == "unauthorized_client"
    only_code = await world.register(grant_types=["authorization_code"])
    assert error_of(await only_code.refresh("x" * 35)) == "unauthorized_client"


# --- refresh ----------------------------------------------------------------------------------------------


async def test_a_refresh_gives_new_tokens_and_keeps_the_old_refresh_token(
    world: ProviderWorld, portal: RelyingParty
) -> None:
    """A confidential client's refresh token is bound to its authentication, so it is not rotated."""
    tokens = await tokens_of(world, portal, scope=OFFLINE)
    world.clock.advance(timedelta(minutes=20))
    answer = await portal.refresh(tokens["refresh_token"])
    assert answer.status_code == 200, answer.text
    fresh = answer.json()
    assert "refresh_token" not in fresh
    assert fresh["access_token"] != tokens["access_token"]
    old, new = decode_unverified(tokens["id_token"]).claims, decode_unverified(fresh["id_token"]).claims
    for name in ("iss", "sub", "aud", "auth_time", "acr"):
        assert new[name] == old[name]
    assert "nonce" not in new
    assert new["iat"] > old["iat"]
    assert (await portal.userinfo(fresh["access_token"])).json()["email"]
    assert (await portal.refresh(tokens["refresh_token"])).status_code == 200


async def test_without_offline_access_there_is_no_refresh_token(world: ProviderWorld, portal: RelyingParty) -> None:
    assert "refresh_token" not in await tokens_of(world, portal)


async def test_a_refresh_token_is_for_its_own_client(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 29."""
    tokens = await tokens_of(world, portal, scope=OFFLINE)
    other = await world.register()
    assert error_of(await other.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert (await portal.refresh(tokens["refresh_token"])).status_code == 200


async def test_scopes_only_get_fewer(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 30."""
    tokens = await tokens_of(world, portal, scope=OFFLINE)
    more = await portal.refresh(tokens["refresh_token"], scope=f"{OFFLINE} phone")
    assert error_of(more) == "invalid_scope"
    less = (await portal.refresh(tokens["refresh_token"], scope="openid profile")).json()
    assert less["scope"] == "openid profile"
    told = (await portal.userinfo(less["access_token"])).json()
    assert "name" in told
    assert "email" not in told


async def test_a_refresh_token_ends_absolutely(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 32: however often it is used."""
    tokens = await tokens_of(world, portal, scope=OFFLINE)
    for _ in range(3):
        world.clock.advance(timedelta(days=9, hours=23))
        assert (await portal.refresh(tokens["refresh_token"])).status_code == 200
    world.clock.advance(timedelta(hours=3))
    assert error_of(await portal.refresh(tokens["refresh_token"])) == "invalid_grant"


async def test_a_refresh_token_dies_with_what_it_rests_on(world: ProviderWorld) -> None:
    """Case 31: logout, offline_access taken away, client suspended."""
    portal = await world.register()
    browser = world.browser()
    attempt, got = await browser.walk(portal, scope=OFFLINE)
    tokens = (await portal.exchange(attempt, got["code"])).json()
    url = httpx.QueryParams({"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": SIGNED_OUT})
    assert (await browser.open(f"/logout?{url}")).headers["location"] == SIGNED_OUT
    assert error_of(await portal.refresh(tokens["refresh_token"])) == "invalid_grant"

    portal = await world.register()
    tokens = await tokens_of(world, portal, scope=OFFLINE)
    await world.fetch(
        "UPDATE oidc.clients SET scopes = array_remove(scopes, 'offline_access'), changed_at = changed_at + '1s'"
        " WHERE client_id = $1 RETURNING 1",
        portal.client_id,
    )
    world.provider.foundation.clients.forget_all()
    assert error_of(await portal.refresh(tokens["refresh_token"])) == "invalid_grant"


async def test_rotation_for_a_client_without_authentication(world: ProviderWorld) -> None:
    """Case 28: a replayed token ends the family; a retry within ten seconds gets the same successor."""
    app = await world.register(method="none")
    first = (await tokens_of(world, app, scope=OFFLINE))["refresh_token"]
    second = (await app.refresh(first)).json()["refresh_token"]
    assert second != first
    world.clock.advance(timedelta(seconds=9))
    assert (await app.refresh(first)).json()["refresh_token"] == second
    third = (await app.refresh(second)).json()["refresh_token"]
    # The answer did arrive, since its token was used: what comes now is a replay, grace or not.
    assert error_of(await app.refresh(first)) == "invalid_grant"
    assert error_of(await app.refresh(third)) == "invalid_grant"

    first = (await tokens_of(world, app, scope=OFFLINE))["refresh_token"]
    second = (await app.refresh(first)).json()["refresh_token"]
    world.clock.advance(timedelta(seconds=11))
    assert error_of(await app.refresh(first)) == "invalid_grant"
    assert error_of(await app.refresh(second)) == "invalid_grant"


async def test_a_suspended_client_is_out(world: ProviderWorld) -> None:
    portal = await world.register()
    tokens = await tokens_of(world, portal, scope=OFFLINE)
    async with world.database.raw() as tx:
        await world.provider.registrar.set_state(tx, portal.client_id, "suspended", by=OPERATOR)
    world.provider.foundation.clients.forget_all()
    world.provider.foundation.statuses.forget(f"client:{portal.client_id}")
    assert error_of(await portal.refresh(tokens["refresh_token"]), 401) == "invalid_client"
    assert error_of(await portal.userinfo(tokens["access_token"]), 401) == "invalid_token"
    assert (await world.browser().open(portal.ask().url)).status_code == 400

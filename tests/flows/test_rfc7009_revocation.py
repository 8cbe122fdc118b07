"""RFC 7009: revocation by the token's own client; any token of a grant ends the whole grant (case 34)."""

from datetime import timedelta

import httpx
import pytest

from core.jose import decode_unverified
from oidc.api import lookup_audience
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


async def revoked(party: RelyingParty, token: str, **more: str) -> None:
    answer = await party.post("/revoke", {"token": token, **more})
    assert answer.status_code == 200, answer.text
    assert answer.content == b""
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "whatever"])
async def test_revoking_either_token_ends_both(
    world: ProviderWorld, portal: RelyingParty, which: str, hint: str | None
) -> None:
    """§2.1: the hint is only one, a wrong one does no harm."""
    tokens = await tokens_of(world, portal)
    assert (await portal.userinfo(tokens["access_token"])).status_code == 200
    await revoked(portal, tokens[which], **({} if hint is None else {"token_type_hint": hint}))
    await _dead(world, portal, tokens["access_token"])
    assert (await portal.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    await revoked(portal, tokens[which])  # §2.2: once more is no error


async def test_a_rotated_refresh_token_still_ends_its_family(world: ProviderWorld) -> None:
    app = await world.register(method="none")
    first = (await tokens_of(world, app))["refresh_token"]
    fresh = (await app.refresh(first)).json()
    await revoked(app, first)
    await _dead(world, app, fresh["access_token"])
    assert (await app.refresh(fresh["refresh_token"])).json()["error"] == "invalid_grant"


async def test_an_expired_access_token_still_ends_its_grant(world: ProviderWorld, portal: RelyingParty) -> None:
    tokens = await tokens_of(world, portal)
    world.clock.advance(timedelta(minutes=11))
    await revoked(portal, tokens["access_token"])
    assert (await portal.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_only_by_its_own_client_and_unknown_ones_are_fine(world: ProviderWorld, portal: RelyingParty) -> None:
    """§2.1, §2.2: 200 all the same, and nothing happened."""
    tokens = await tokens_of(world, portal)
    other = await world.register()
    for token in (*tokens.values(), "unknown", "a.b.c", "x" * 20_000, tokens["access_token"][:-3] + "AAA"):
        await revoked(other, str(token))
        await revoked(other, str(token), token_type_hint="refresh_token")
    assert (await portal.userinfo(tokens["access_token"])).status_code == 200
    assert (await portal.refresh(tokens["refresh_token"])).status_code == 200


async def test_an_id_token_revokes_nothing(world: ProviderWorld, portal: RelyingParty) -> None:
    tokens = await tokens_of(world, portal)
    await revoked(portal, tokens["id_token"])
    assert (await portal.refresh(tokens["refresh_token"])).status_code == 200


async def test_what_is_asked_of_the_request(world: ProviderWorld, portal: RelyingParty) -> None:
    answer = await portal.post("/revoke", {"token": "x"}, plain=True)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    answer = await portal.post("/revoke", {})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert (await portal.http.get("/revoke")).status_code == 405
    form, own = portal.authentication("/revoke")
    assert (await portal.http.post("/revoke?token=x", data=form, headers=own)).json()["error"] == "invalid_request"
    twice = await portal.http.post(
        "/revoke",
        content="token=a&token=b",
        headers={**own, "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert twice.json()["error"] == "invalid_request"


async def test_a_suspended_client_revokes_nothing(world: ProviderWorld, portal: RelyingParty) -> None:
    tokens = await tokens_of(world, portal)
    async with world.database.raw() as tx:
        await world.provider.registrar.set_state(tx, portal.client_id, "suspended", by=OPERATOR)
    world.provider.foundation.statuses.forget(f"client:{portal.client_id}")
    answer = await portal.post("/revoke", {"token": tokens["refresh_token"]})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_back_end_may_end_its_own_tokens_and_get_new_ones(world: ProviderWorld) -> None:
    back_end = await world.register(method="private_key_jwt", grant_types=["client_credentials"])
    server = await world.register(
        method="private_key_jwt", grant_types=["client_credentials"], audiences=[lookup_audience(world.issuer)]
    )

    async def active(token: str) -> object:
        return (await server.post("/introspect", {"token": token})).json()["active"]

    token = (await back_end.client_credentials()).json()["access_token"]
    assert await active(token) is True
    other = await world.register(method="private_key_jwt", grant_types=["client_credentials"])
    await revoked(other, token)
    await _forget(world, token)
    assert await active(token) is True
    await revoked(back_end, token)
    await _forget(world, token)
    assert await active(token) is False
    fresh = (await back_end.client_credentials()).json()["access_token"]
    assert await active(fresh) is True


async def _dead(world: ProviderWorld, portal: RelyingParty, token: str) -> httpx.Response:
    await _forget(world, token)
    answer = await portal.userinfo(token)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    return answer


async def _forget(world: ProviderWorld, token: str) -> None:
    """What the notification does."""
    world.provider.foundation.statuses.forget(str(decode_unverified(token).claims["gid"]))

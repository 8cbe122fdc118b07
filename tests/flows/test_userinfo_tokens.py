"""Access tokens at userinfo: those this process made, those another made, and those that hold no more."""

import gc
import weakref

import pytest

from core.jose import SigningKey, decode_unverified, sign_jwt, verify_signature
from tests.support.provider_fixture import world
from tests.support.provider_world import OPERATOR, ProviderWorld
from tests.support.token_answers import tokens_of

__all__ = ["world"]


def forget_made(world: ProviderWorld) -> None:
    """As if another process had made the tokens."""
    world.provider.foundation.keys.issued._held.clear()


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
async def test_a_token_is_good_whoever_made_it(world: ProviderWorld, alg: str) -> None:
    portal = await world.register(access_token_signing_alg=alg)
    token = (await tokens_of(world, portal, scope="openid"))["access_token"]
    assert decode_unverified(token).header["alg"] == alg
    own = await portal.userinfo(token)
    forget_made(world)
    anothers = await portal.userinfo(token)
    again = await portal.userinfo(token)
    assert [each.status_code for each in (own, anothers, again)] == [200, 200, 200]
    assert own.json() == anothers.json() == again.json()


async def test_the_tokens_of_a_suspended_client_are_refused_at_once(world: ProviderWorld) -> None:
    portal = await world.register()
    token = (await tokens_of(world, portal, scope="openid"))["access_token"]
    async with world.database.raw() as tx:
        await world.provider.registrar.set_state(tx, portal.client_id, "suspended", by=OPERATOR)
    assert (await portal.userinfo(token)).status_code == 401


async def test_a_private_key_that_was_let_go_is_gone_from_memory() -> None:
    """What `keys revoke` says: no memory of ours holds on to it."""
    for alg in ("ES256", "PS256", "EdDSA"):
        key = SigningKey.generate(alg)
        verify_signature(sign_jwt(key, {"a": 1}, typ="JWT"), key.public(), typ=("JWT",))
        inner = weakref.ref(key._key)
        del key
        gc.collect()
        assert inner() is None, alg

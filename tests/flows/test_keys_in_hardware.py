"""Signing keys in a hardware token, on the running application: SoftHSM in the place of a real one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.database import Database
from core.jose import decode_unverified
from core.settings import Settings
from oidc.api import KEY_ALGORITHMS, SigningKeyActs
from oidc.signing_keys import SigningKeys
from privacy.journal.api import ActorRef, Journal
from privacy.vault.api import HardwarePlace, Vault, VaultError
from service.embedded import EmbeddedUrls
from tests.support.hardware_token import make_token
from tests.support.provider_world import ProviderWorld, provider_world

KEEPER = ActorRef("operator", "key-keeper")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> HardwarePlace:
    return make_token(tmp_path_factory.mktemp("token"), "dinhdanh-flows")


@pytest.fixture(scope="module")
async def world(
    settings: Settings,
    owner_database: Database,
    worker_database: Database,
    database_urls: EmbeddedUrls,
    place: HardwarePlace,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[ProviderWorld]:
    ours = settings.model_copy(
        update={
            "signing_keys_in": "pkcs11",
            "pkcs11_module": place.module,
            "pkcs11_token": place.token,
            "pkcs11_pin_file": place.pin_file,
        }
    )
    folder: Path = tmp_path_factory.mktemp("hardware")
    url = database_urls.database_worker_url
    async with provider_world(ours, owner_database, worker_database, url, folder) as made:
        yield made


async def test_the_keys_are_in_the_token(world: ProviderWorld) -> None:
    rows = await world.fetch("SELECT alg, sealed, token_label FROM oidc.signing_keys")
    assert {row["alg"] for row in rows} == set(KEY_ALGORITHMS)
    assert all(row["sealed"] is None and row["token_label"].startswith("dinhdanh-signing-") for row in rows)
    published = (await world.http().get("/jwks")).json()["keys"]
    assert {key["alg"] for key in published} == set(KEY_ALGORITHMS)
    assert not any(member in key for key in published for member in ("d", "p", "q", "dp", "dq", "qi"))


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA", "RS256"])
async def test_a_sign_in_with_every_algorithm(world: ProviderWorld, alg: str) -> None:
    portal = await world.register(id_token_signed_response_alg=alg)
    attempt, got = await world.browser().walk(portal)
    tokens = (await portal.exchange(attempt, got["code"])).json()
    assert decode_unverified(tokens["id_token"]).header["alg"] == alg
    assert (await portal.userinfo(tokens["access_token"])).status_code == 200


async def test_a_slow_token_holds_up_nobody_else(world: ProviderWorld, place: HardwarePlace) -> None:
    keys = world.provider.foundation.keys
    assert keys.signing("ES256").held_elsewhere
    with place.open()._lock:  # as a token that does not answer yet
        waiting = asyncio.create_task(keys.sign("ES256", {"sub": "x"}, typ="JWT"))
        for _ in range(5):
            assert (await world.http().get("/jwks")).status_code == 200
        assert not waiting.done()
    assert (await waiting).count(".") == 2


async def test_what_is_revoked_is_gone_from_the_token(world: ProviderWorld, place: HardwarePlace) -> None:
    keys = world.provider.foundation.keys
    leaked = keys.signing("ES256").kid
    (row,) = await world.fetch("SELECT token_label FROM oidc.signing_keys WHERE kid = $1", leaked)
    vault = world.parts.get(Vault)
    journal = Journal(world.worker, world.clock, vault)
    acts = SigningKeyActs(SigningKeys(vault, world.clock, place, makes_in_hardware=True), journal, world.clock)
    async with world.worker.raw() as tx:
        acted = await acts.revoke(tx, [leaked], reason="stolen", by=KEEPER)
    assert acted.labels == (row["token_label"],)
    await asyncio.to_thread(acts.destroy, acted)
    with pytest.raises(VaultError):
        place.open().sign(row["token_label"], "ES256", b"x")
    await keys.refresh(world.database)
    assert keys.signing("ES256").kid == acted.made[0]
    assert leaked not in {key.kid for key in keys.verification_keys()}
    await journal.close()

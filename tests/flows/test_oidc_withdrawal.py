"""What a grant rests on may end from outside: consent withdrawn, account locked, person dead (case 31)."""

import asyncio
import uuid
from datetime import date
from typing import Any

from consent.api import Consent
from core.actor import Actor
from core.jose import decode_unverified
from identity.api import Identity
from population_db.api import Registry
from tests.actors.relying_party import RelyingParty
from tests.support.provider_fixture import world
from tests.support.provider_world import SCHOOL, ProviderWorld

__all__ = ["world"]

SCOPE = f"openid profile offline_access purpose:{SCHOOL}"


async def connected(world: ProviderWorld, portal: RelyingParty, key: str) -> dict[str, Any]:
    attempt, got = await world.browser().walk(portal, key, scope=SCOPE)
    tokens: dict[str, Any] = (await portal.exchange(attempt, got["code"])).json()
    assert (await portal.userinfo(tokens["access_token"])).status_code == 200
    return tokens


async def dies_within_a_second(world: ProviderWorld, portal: RelyingParty, tokens: dict[str, Any]) -> None:
    assert await world.run_events() > 0
    await asyncio.sleep(1)
    assert (await portal.userinfo(tokens["access_token"])).status_code == 401
    assert (await portal.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_withdrawn_consent_ends_the_grants_that_rest_on_it(world: ProviderWorld) -> None:
    portal, other = await world.register(), await world.register()
    tokens = await connected(world, portal, "An")
    attempt, got = await world.browser().walk(other, scope="openid offline_access")
    unrelated = (await other.exchange(attempt, got["code"])).json()
    person_id = await world.person("An")
    gid = decode_unverified(tokens["access_token"]).claims["gid"]
    row = (await world.fetch("SELECT purposes FROM oidc.grants WHERE gid = $1", gid))[0]
    consent_id = row["purposes"][SCHOOL]["consents"][0]
    async with world.database.page() as tx:
        actor = Actor(kind="citizen", person_id=person_id)
        await world.parts.get(Consent).withdraw(tx, actor, uuid.UUID(consent_id))
    # Even before any handler has run: the disclosure door looks at the consent itself.
    told = await portal.userinfo(tokens["access_token"])
    assert "urn:dinhdanh:claim:children" not in told.json()
    await dies_within_a_second(world, portal, tokens)
    assert (await other.refresh(unrelated["refresh_token"])).status_code == 200


async def test_a_locked_account(world: ProviderWorld) -> None:
    portal = await world.register()
    tokens = await connected(world, portal, "Binh")
    async with world.database.page() as tx:
        assert await world.parts.get(Identity).lock(tx, await world.person("Binh"), "holder")
    await dies_within_a_second(world, portal, tokens)


async def test_a_death(world: ProviderWorld) -> None:
    portal = await world.register()
    tokens = await connected(world, portal, "An")
    async with world.worker.raw() as tx:
        await world.parts.get(Registry).record_death(tx, await world.person("An"), date(2026, 11, 1), "civil-status")
    assert (await portal.userinfo(tokens["access_token"])).status_code == 401
    await dies_within_a_second(world, portal, tokens)
    ended = await world.fetch("SELECT revoked_reason FROM oidc.grants WHERE person_id = $1", await world.person("An"))
    assert "person-died" in {row["revoked_reason"] for row in ended}

"""Many refreshes at once, and revocation heard by another process (security cases 28, 31)."""

import asyncio
import uuid
from collections import Counter
from datetime import timedelta

from core.database import Database
from core.jose import decode_unverified
from oidc.api import ProviderFoundation
from privacy.vault.api import Vault
from service.embedded import EmbeddedUrls
from tests.actors.relying_party import RelyingParty
from tests.support.databases import open_database
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]

AT_ONCE = 20


async def refresh_token(world: ProviderWorld, party: RelyingParty) -> str:
    attempt, got = await world.browser().walk(party, scope="openid offline_access")
    return str((await party.exchange(attempt, got["code"])).json()["refresh_token"])


async def test_twenty_refreshes_of_a_rotating_token_make_one_successor(world: ProviderWorld) -> None:
    """Case 28: no two families grow out of one token; the retries of one answer are the same answer."""
    app = await world.register(method="none")
    token = await refresh_token(world, app)
    answers = await asyncio.gather(*(app.refresh(token) for _ in range(AT_ONCE)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    rows = await world.fetch("SELECT rotated_at FROM oidc.refresh_tokens WHERE client_id = $1", app.client_id)
    assert Counter(row["rotated_at"] is None for row in rows) == {True: 1, False: 1}


async def test_twenty_replays_after_the_grace_all_fail_and_end_the_family(world: ProviderWorld) -> None:
    app = await world.register(method="none")
    token = await refresh_token(world, app)
    successor = (await app.refresh(token)).json()["refresh_token"]
    world.clock.advance(timedelta(seconds=11))
    answers = await asyncio.gather(*(app.refresh(token) for _ in range(AT_ONCE)))
    assert {answer.status_code for answer in answers} == {400}
    assert (await app.refresh(successor)).json()["error"] == "invalid_grant"


async def test_a_revocation_is_heard_by_another_process_at_once(
    world: ProviderWorld, database_urls: EmbeddedUrls
) -> None:
    """The other process remembered the grant as live; the notification wakes it, well within a second."""
    portal = await world.register()
    attempt, got = await world.browser().walk(portal, scope="openid offline_access")
    tokens = (await portal.exchange(attempt, got["code"])).json()
    gid = _gid(tokens["access_token"])
    async with open_database(database_urls.database_url) as database:
        other = await _process(world, database)
        async with other.running():
            await asyncio.sleep(0.2)  # until it listens
            assert await other.is_live(gid)
            await portal.post("/revoke", {"token": tokens["refresh_token"]})
            for _ in range(20):
                if not await other.is_live(gid):
                    break
                await asyncio.sleep(0.01)
            assert not await other.is_live(gid)


async def test_a_process_that_hears_nothing_is_right_within_a_second(
    world: ProviderWorld, database_urls: EmbeddedUrls
) -> None:
    portal = await world.register()
    attempt, got = await world.browser().walk(portal, scope="openid offline_access")
    tokens = (await portal.exchange(attempt, got["code"])).json()
    gid = _gid(tokens["access_token"])
    async with open_database(database_urls.database_url) as database:
        other = await _process(world, database)
        assert await other.is_live(gid)
        await portal.post("/revoke", {"token": tokens["refresh_token"]})
        await asyncio.sleep(1)
        assert not await other.is_live(gid)


def _gid(token: str) -> uuid.UUID:
    return uuid.UUID(str(decode_unverified(token).claims["gid"]))


async def _process(world: ProviderWorld, database: Database) -> ProviderFoundation:
    """What a second web process has: its own memory of clients, keys and grants."""
    made = ProviderFoundation(database=database, vault=world.parts.get(Vault), clock=world.clock)
    await made.load()
    return made

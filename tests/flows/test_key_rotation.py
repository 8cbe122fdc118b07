"""The life of signing keys on the running application (security case 37): rotation, retirement, revocation."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from core.database import Database
from core.errors import Conflict, NotFound, Refusal
from core.jose import decode_unverified
from oidc.api import KEY_ALGORITHMS, Acted, SigningKeyActs
from oidc.signing_key_rules import KEPT_AFTER, PUBLISHED_AHEAD
from oidc.signing_keys import SigningKeys
from privacy.journal.api import ActorRef, Journal
from privacy.journal.line import NOBODY
from privacy.vault.api import Vault
from tests.actors.relying_party import RelyingParty
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]

KEEPER = ActorRef("operator", "key-keeper")
EVERY = timedelta(days=90)


@dataclass
class Keeper:
    """Acts on keys by the worker's login, as the command and the schedule do."""

    world: ProviderWorld
    acts: SigningKeyActs

    @property
    def keys(self) -> SigningKeys:
        """Those in the memory of the web process."""
        return self.world.provider.foundation.keys

    async def rotate(self, *algs: str) -> Acted:
        async with self.world.worker.raw() as tx:
            return await self.acts.rotate(tx, algs or KEY_ALGORITHMS, by=KEEPER)

    async def revoke(self, *kids: str, reason: str = "leaked") -> Acted:
        async with self.world.worker.raw() as tx:
            return await self.acts.revoke(tx, kids, reason=reason, by=KEEPER)

    async def keep(self) -> Acted:
        async with self.world.worker.raw() as tx:
            return await self.acts.keep(tx, every=EVERY, by=KEEPER)

    async def states(self, alg: str) -> dict[str, str]:
        async with self.world.worker.raw() as tx:
            return {each.times.kid: each.state for each in await self.acts.shown(tx) if each.times.alg == alg}

    async def published(self) -> set[str]:
        answer = await self.world.http().get("/jwks")
        return {key["kid"] for key in answer.json()["keys"]}

    async def lines(self, kid: str) -> list[str]:
        """Actions in the journal about a key; what else a line says is sealed."""
        async with self.world.worker.raw() as tx:
            found = await self.world.parts.get(Journal).about(tx, NOBODY, limit=200)
        return [each.line.action for each in reversed(found) if each.line.details.get("kid") == kid]


@pytest.fixture
async def keeper(world: ProviderWorld) -> AsyncIterator[Keeper]:
    vault = world.parts.get(Vault)
    journal = Journal(world.worker, world.clock, vault)
    yield Keeper(world, SigningKeyActs(SigningKeys(vault, world.clock), journal, world.clock))
    await journal.close()


async def soon(holds: Callable[[], bool]) -> None:
    """Until the web process has heard. The notification is what is waited for: its own look comes in ten seconds."""
    tries = 500
    while not holds():
        tries -= 1
        assert tries, "nothing was heard"
        await asyncio.sleep(0.01)


async def signed_in(world: ProviderWorld, portal: RelyingParty) -> dict[str, Any]:
    attempt, got = await world.browser().walk(portal)
    tokens: dict[str, Any] = (await portal.exchange(attempt, got["code"])).json()
    return tokens


def kid_of(token: str) -> str:
    return str(decode_unverified(token).header["kid"])


async def test_rotation_overlaps(world: ProviderWorld, keeper: Keeper) -> None:
    """The next key is published a day before it signs; the former one stays a week after it signed."""
    portal = await world.register()
    old = keeper.keys.signing("ES256").kid
    made = (await keeper.rotate("ES256")).made
    assert len(made) == 1
    new = made[0]
    await soon(lambda: new in {key.kid for key in keeper.keys.verification_keys()})
    assert {old, new} <= await keeper.published()
    before = (await signed_in(world, portal))["access_token"]
    assert kid_of(before) == old

    world.clock.advance(PUBLISHED_AHEAD - timedelta(seconds=60))
    last = (await signed_in(world, portal))["access_token"]
    assert kid_of(last) == old
    world.clock.advance(timedelta(seconds=60))
    tokens = await signed_in(world, portal)
    assert kid_of(tokens["access_token"]) == new
    assert (await portal.userinfo(last)).status_code == 200  # signed by the former key, which is published still
    assert await keeper.states("ES256") == {old: "kept", new: "signs"}

    world.clock.advance(KEPT_AFTER)
    assert old not in await keeper.published()
    assert (await keeper.keep()).ended == (old,)
    (row,) = await world.fetch("SELECT sealed, retired_at FROM oidc.signing_keys WHERE kid = $1", old)
    assert row["sealed"] is None
    assert await keeper.states("ES256") == {old: "retired", new: "signs"}
    assert await keeper.lines(old) == ["oidc.key-erased"]
    assert await keeper.lines(new) == ["oidc.key-published"]


async def test_one_next_key_at_a_time(keeper: Keeper) -> None:
    await keeper.rotate("PS256")
    with pytest.raises(Conflict, match="key-waiting"):
        await keeper.rotate("PS256")
    with pytest.raises(NotFound, match="alg-unknown"):
        await keeper.rotate("HS256")


async def test_the_schedule_rotates_when_due(world: ProviderWorld, keeper: Keeper) -> None:
    first = keeper.keys.signing("EdDSA").kid
    assert (await keeper.keep()).made == ()
    world.clock.advance(EVERY)
    made = set((await keeper.keep()).made)
    assert made
    assert (await keeper.keep()).made == ()  # what is published waits for its day
    states = await keeper.states("EdDSA")
    assert states[first] == "signs"
    (new,) = [kid for kid, state in states.items() if state == "next"]
    assert new in made
    await soon(lambda: new in {key.kid for key in keeper.keys.verification_keys()})
    world.clock.advance(PUBLISHED_AHEAD)
    assert keeper.keys.signing("EdDSA").kid == new


async def test_two_schedules_make_one_set(world: ProviderWorld, keeper: Keeper) -> None:
    world.clock.advance(EVERY)
    acted = await asyncio.gather(*(keeper.keep() for _ in range(6)))
    assert sum(bool(each.made) for each in acted) == 1
    for alg in KEY_ALGORITHMS:
        states = list((await keeper.states(alg)).values())
        assert states.count("next") <= 1
    world.clock.advance(PUBLISHED_AHEAD)
    await keeper.keys.refresh(world.database)


async def test_revocation_is_at_once(world: ProviderWorld, keeper: Keeper) -> None:
    """Gone from the key set, its tokens refused, a fresh key signs; heard by the notification."""
    portal = await world.register()
    assert "kept" in (await keeper.states("ES256")).values()  # one of before: it does not come back
    token = (await signed_in(world, portal))["access_token"]
    assert (await portal.userinfo(token)).status_code == 200
    leaked = kid_of(token)
    acted = await keeper.revoke(leaked)
    assert acted.ended == (leaked,)
    (fresh,) = acted.made
    await soon(lambda: keeper.keys.signing("ES256").kid == fresh)
    assert leaked not in await keeper.published()
    assert fresh in await keeper.published()
    refused = await portal.userinfo(token)
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert (await portal.post("/introspect", {"token": token})).json() == {"active": False}
    renewed = (await signed_in(world, portal))["access_token"]
    assert kid_of(renewed) == fresh
    assert (await portal.userinfo(renewed)).status_code == 200
    (row,) = await world.fetch("SELECT sealed, revoked_at FROM oidc.signing_keys WHERE kid = $1", leaked)
    assert row["sealed"] is None
    assert row["revoked_at"] is not None
    assert (await keeper.lines(leaked))[-1] == "oidc.key-revoked"


async def test_a_waiting_key_takes_over(world: ProviderWorld, keeper: Keeper) -> None:
    """Everybody knows it already: better than one nobody has seen."""
    present = keeper.keys.signing("RS256").kid
    (waiting,) = (await keeper.rotate("RS256")).made
    assert (await keeper.revoke(present)).made == ()
    await soon(lambda: keeper.keys.signing("RS256").kid == waiting)
    assert await keeper.lines(waiting) == ["oidc.key-published", "oidc.key-activated"]
    states = await keeper.states("RS256")
    assert states[present] == "revoked"
    assert states[waiting] == "signs"


async def test_a_waiting_key_can_be_revoked(keeper: Keeper) -> None:
    present = keeper.keys.signing("RS256").kid
    (waiting,) = (await keeper.rotate("RS256")).made
    assert (await keeper.revoke(waiting)).made == ()
    states = await keeper.states("RS256")
    assert (states[present], states[waiting]) == ("signs", "revoked")
    (row,) = await keeper.world.fetch("SELECT retired_at FROM oidc.signing_keys WHERE kid = $1", present)
    assert row["retired_at"] is None  # its successor is gone: it stays until it gets another


async def test_every_key_can_be_revoked(world: ProviderWorld, keeper: Keeper) -> None:
    before = await keeper.published()
    acted = await keeper.revoke(*sorted(before))
    assert set(acted.ended) == before
    assert len(acted.made) == len(KEY_ALGORITHMS)
    await soon(lambda: not before & {key.kid for key in keeper.keys.verification_keys()})
    assert await keeper.published() == set(acted.made)
    portal = await world.register()
    assert kid_of((await signed_in(world, portal))["access_token"]) in acted.made


async def test_what_cannot_be_revoked(keeper: Keeper) -> None:
    present = keeper.keys.signing("PS256").kid
    with pytest.raises(NotFound, match="key-unknown"):
        await keeper.revoke("no-such-key")
    with pytest.raises(NotFound):
        await keeper.revoke(present, "no-such-key")  # one that is unknown: none is revoked
    assert (await keeper.states("PS256"))[present] == "signs"
    await keeper.revoke(present)
    with pytest.raises(Conflict, match="key-revoked"):
        await keeper.revoke(present)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE oidc.signing_keys SET revoked_at = NULL WHERE revoked_at IS NOT NULL",
        "UPDATE oidc.signing_keys SET sealed = 'x' WHERE sealed IS NULL AND revoked_at IS NOT NULL",
        "UPDATE oidc.signing_keys SET sealed = NULL WHERE revoked_at IS NULL AND retired_at IS NULL",
        "UPDATE oidc.signing_keys SET token_label = 'x' WHERE sealed IS NOT NULL",
    ],
)
async def test_the_database_holds_the_rules(world: ProviderWorld, keeper: Keeper, sql: str) -> None:
    await keeper.revoke(keeper.keys.signing("EdDSA").kid)
    await keeper.keys.refresh(world.database)
    with pytest.raises(Exception, match=r"ck_signing_keys|stays"):
        async with world.owner.raw() as tx:
            await tx.conn.execute(sql)


async def test_the_web_login_ends_no_key(world: ProviderWorld, database: Database) -> None:
    for change in ("revoked_at = now()", "retired_at = now()", "active_at = now()", "sealed = NULL"):
        with pytest.raises(Exception, match="permission denied"):
            async with database.raw() as tx:
                await tx.conn.execute(f"UPDATE oidc.signing_keys SET {change}")


async def test_a_refusal_changes_nothing(world: ProviderWorld, keeper: Keeper) -> None:
    before = await keeper.published()
    with pytest.raises(Refusal):
        await keeper.revoke("no-such-key")
    await keeper.keys.refresh(world.database)
    assert await keeper.published() == before

"""Walks that end at once share a transaction: what is wrong with one of them touches none of the others."""

import asyncio
import secrets
from collections.abc import Awaitable

import asyncpg

from core.ids import random_id
from core.interaction import SignedIn
from identity.api import Identity
from oidc.authorize.grants_together import GrantsTogether
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]

AT_ONCE = 20
_LOCK = (
    "UPDATE identity.accounts SET lock_reasons = $2, status = $3, locked_at = CASE WHEN $3 = 'locked' THEN now() END"
    " WHERE person_id = $1"
)


async def test_a_locked_account_gets_no_code_and_the_others_beside_it_do(world: ProviderWorld) -> None:
    portal = await world.register()
    people = {key: world.browser() for key in ("An", "Binh")}
    for key, browser in people.items():
        await browser.walk(portal, key)
    await world.fetch("DELETE FROM oidc.grants WHERE client_id = $1", portal.client_id)
    binh = await world.person("Binh")
    await world.fetch(_LOCK, binh, ["holder"], "locked")
    try:
        walks = [people["Binh" if turn % 5 == 2 else "An"].walk(portal) for turn in range(AT_ONCE)]
        done = await asyncio.gather(*walks)
    finally:
        await world.fetch(_LOCK, binh, [], "active")
    refused = [got for turn, (_, got) in enumerate(done) if turn % 5 == 2]
    assert [got["error"] for got in refused] == ["access_denied"] * 4
    answers = await asyncio.gather(*(portal.exchange(attempt, got["code"]) for attempt, got in done if "code" in got))
    assert [answer.status_code for answer in answers] == [200] * 16
    rows = await world.fetch("SELECT person_id FROM oidc.grants WHERE client_id = $1", portal.client_id)
    assert {row["person_id"] for row in rows} == {await world.person("An")}
    assert len(rows) == 16


async def test_a_grant_that_cannot_be_written_spoils_nobody_elses(world: ProviderWorld) -> None:
    portal = await world.register()
    await world.browser().walk(portal)
    [row] = await world.fetch("SELECT * FROM oidc.grants WHERE client_id = $1", portal.client_id)
    values = {name: value for name, value in row.items() if name not in {"code_used_at", "revoked_at"}}
    who = SignedIn(
        account_id=str(row["account_id"]),
        person_id=str(row["person_id"]),
        sid=row["sid"],
        auth_time=int(row["auth_time"].timestamp()),
        aal=row["aal"],
        ial=row["ial"],
        amr=tuple(row["amr"]),
    )
    together = GrantsTogether(world.database, world.parts.get(Identity))

    def write(kind: str) -> Awaitable[bool]:
        own = {"gid": random_id(row["person_id"]), "code_hash": secrets.token_bytes(32), "kind": kind}
        return together.write(who, {**values, **own})

    written = await asyncio.gather(
        *(write(kind) for kind in ("code", "code", "nonsense", "code", "code")), return_exceptions=True
    )
    assert isinstance(written[2], asyncpg.CheckViolationError)
    assert [written[turn] for turn in (0, 1, 3, 4)] == [True] * 4
    assert len(await world.fetch("SELECT 1 FROM oidc.grants WHERE client_id = $1", portal.client_id)) == 5

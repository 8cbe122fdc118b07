"""Requests for verified claims and what is told to them; import the fixtures `portal` and `world`."""

from typing import Any

import orjson
import pytest

from core.jose import decode_unverified
from identity.api import Identity, SelfDeclared
from privacy.journal.api import ActorRef, Line
from tests.actors.relying_party import RelyingParty
from tests.support.ida_schema import faults
from tests.support.provider_world import ProviderWorld, publish

ANY: dict[str, Any] = {"trust_framework": None}
NAME: dict[str, Any] = {"name": None}
RECORD: dict[str, Any] = {"type": {"value": "electronic_record"}}
CARD: dict[str, Any] = {"type": {"value": "document"}}
BARE = "bare-policy"
ALL_FACTS = "all-facts"


@pytest.fixture(scope="module")
async def world(plain_world: ProviderWorld) -> ProviderWorld:
    fields = {"full_name", "birth_date", "permanent_residence", "nationality", "birth_place", "card", "religion"}
    await publish(plain_world, BARE, fields=frozenset({"full_name"}))
    await publish(plain_world, ALL_FACTS, fields=frozenset({*fields, "personal_number", "phone"}))
    person_id = await plain_world.person("An")
    said = SelfDeclared(nickname="Chị An")
    async with plain_world.database.page() as tx:
        await plain_world.parts.get(Identity).declare(tx, person_id, said, seen=0, by=ActorRef("citizen", "tests"))
    return plain_world


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register()


def asking(verified: Any, **userinfo: Any) -> str:
    return orjson.dumps({"userinfo": {"verified_claims": verified, **userinfo}}).decode()


def a_set(verification: Any = ANY, claims: Any = NAME) -> dict[str, Any]:
    return {"verification": verification, "claims": claims}


async def walked(world: ProviderWorld, portal: RelyingParty, asked: str, key: str = "An", **ask: Any) -> dict[str, Any]:
    attempt, got = await world.browser().walk(portal, key, claims=asked, **ask)
    answer = await portal.exchange(attempt, got["code"])
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def told(world: ProviderWorld, portal: RelyingParty, asked: Any, key: str = "An", **ask: Any) -> dict[str, Any]:
    """The userinfo answer; what it says in `verified_claims` fits the schema."""
    tokens = await walked(world, portal, asking(asked), key, **ask)
    answer = await portal.userinfo(tokens["access_token"])
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    if "verified_claims" in found:
        assert faults(found["verified_claims"]) == []
    assert "verified_claims" not in decode_unverified(tokens["id_token"]).claims
    return found


async def last_line(world: ProviderWorld, key: str = "An") -> Line:
    return next(line.line for line in await world.lines(key) if line.line.action == "oidc.userinfo")

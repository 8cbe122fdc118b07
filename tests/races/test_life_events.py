"""Two life events at once on one person: one wins, the other is told that the record changed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.clock import FixedClock
from core.database import Database
from core.errors import Conflict
from population_db.api import Number, PersonRef
from population_db.generate import rows
from service.embedded import EmbeddedUrls
from tests.support.registry_world import RegistryWorld

ROUNDS = 8


@pytest.fixture
async def world(
    database: Database,
    owner_database: Database,
    database_urls: EmbeddedUrls,
    tmp_path: Path,
    clock: FixedClock,
) -> AsyncIterator[RegistryWorld]:
    async with owner_database.raw() as tx:
        await tx.conn.execute("TRUNCATE privacy.vault_keys, privacy.person_keys")
    made = await RegistryWorld.make(database, owner_database, database_urls.database_worker_url, tmp_path, clock)
    yield made
    await made.empty()


async def living(world: RegistryWorld, count: int) -> list[tuple[dict[str, Any], PersonRef]]:
    people = [row for row in rows(80, seed=31) if row["life_status"] == "alive"][:count]
    await world.load(world.file(people))
    found = []
    async with world.web.raw() as tx:
        for row in people:
            ref = await world.registry.find_by_number(tx, row["number"])
            assert ref is not None
            found.append((row, ref))
    return found


async def death(world: RegistryWorld, ref: PersonRef, gate: asyncio.Barrier) -> str:
    try:
        async with world.web.raw() as tx:
            await gate.wait()
            await world.registry.record_death(tx, ref.person_id, date(2026, 11, 1), "civil-status")
    except Conflict as refused:
        return refused.code
    return "won"


async def new_number(world: RegistryWorld, ref: PersonRef, old: str, tail: str, gate: asyncio.Barrier) -> str:
    number = Number(old[:6] + tail)
    try:
        async with world.web.raw() as tx:
            await gate.wait()
            await world.registry.change_number(tx, ref.person_id, number, reason="duplicate", source="identity-police")
    except Conflict as refused:
        return refused.code
    return "won"


async def test_two_deaths_at_once_are_one(world: RegistryWorld) -> None:
    for _, ref in await living(world, ROUNDS):
        gate = asyncio.Barrier(2)
        said = await asyncio.gather(death(world, ref, gate), death(world, ref, gate))
        assert sorted(said)[1] == "won"
        assert sorted(said)[0] in ("person-changed", "already-dead")
    assert await world.value("SELECT count(*) FROM core.outbox") == ROUNDS
    assert await world.value("SELECT max(version) FROM population_db.persons") == 2
    assert await world.value("SELECT max(version) FROM population_db.person_groups") == 2


async def test_a_death_and_a_number_change_at_once(world: RegistryWorld) -> None:
    for row, ref in await living(world, ROUNDS):
        gate = asyncio.Barrier(2)
        said = await asyncio.gather(death(world, ref, gate), new_number(world, ref, row["number"], "999991", gate))
        # One after the other is fine too: then both happened, on two versions.
        version = await world.value("SELECT version FROM population_db.persons WHERE person_id = $1", ref.person_id)
        assert version == 1 + said.count("won")
        assert "won" in said
        assert set(said) <= {"won", "person-changed"}


async def test_one_number_for_two_people_at_once(world: RegistryWorld) -> None:
    people = await living(world, 40)
    pairs = [
        (one, two)
        for at, one in enumerate(people)
        for two in people[at + 1 :]
        if one[0]["number"][3:6] == two[0]["number"][3:6]
    ]
    assert pairs, "the population holds two people of one sex and year"
    for (row, one), (_, two) in pairs[:3]:
        gate = asyncio.Barrier(2)
        tail = f"99{row['number'][8:]}"
        said = await asyncio.gather(
            new_number(world, one, row["number"], tail, gate), new_number(world, two, row["number"], tail, gate)
        )
        assert sorted(said) == ["number-taken", "won"]
    assert (
        await world.value(
            "SELECT count(*) FROM (SELECT mac FROM population_db.number_index GROUP BY mac HAVING count(*) > 1) t"
        )
        == 0
    )


async def test_an_import_and_an_act_at_once_lose_nothing(world: RegistryWorld) -> None:
    """The import plans again when somebody was faster; the act is told when the import was."""
    people = await living(world, 30)
    changed = []
    for row, _ in people:
        sources = row["sources"] | {"civil": {"source": "civil-status", "as_of": "2026-11-01"}}
        changed.append(row | {"marital_status": "widowed", "sources": sources})
    path = world.file(changed, "changed.jsonl")

    async def acts() -> list[str]:
        gate = asyncio.Barrier(1)
        return [await new_number(world, ref, row["number"], "999992", gate) for row, ref in people[::3]]

    report, said = await asyncio.gather(world.load(path, batch_rows=5), acts())
    refused = [row["code"] for row in world.rejects()]
    assert report.updated + report.rejected == 30
    assert set(refused) <= {"number-cancelled", "older"}  # the act came first: the file speaks of what was before
    assert set(said) <= {"won", "person-changed"}
    versions = await world.value("SELECT sum(version - 1) FROM population_db.persons")
    assert versions == report.updated + said.count("won")

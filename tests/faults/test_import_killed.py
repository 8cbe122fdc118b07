"""An import that is killed with -9, or stopped by Ctrl-C, goes on where it was; no person is half there."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.clock import FixedClock
from core.database import Database
from population_db.generate import generate_file
from privacy.journal.line import NOBODY
from service.embedded import EmbeddedUrls
from tests.support.registry_world import RegistryWorld

PEOPLE, BATCH = 6_000, 100

IMPORT = """
import asyncio, signal, sys
from datetime import datetime, UTC
from functools import partial
from pathlib import Path
from core.clock import FixedClock
from population_db.import_run import import_file
from privacy.vault.api import KeyEncryptionKeys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job inherits that it is ignored
    url, keys, path, rejects = sys.argv[1:]
    asyncio.run(import_file(
        Path(path), database_url=url, open_keys=partial(KeyEncryptionKeys.from_file, Path(keys)),
        clock=FixedClock(datetime(2026, 11, 2, 2, 0, tzinfo=UTC)), events={}, rejects_path=Path(rejects),
        batch_rows=100, processes=2,
    ))
"""
HALF_THERE = f"""
    SELECT count(*) FROM (
        SELECT FROM (
            SELECT person_id, 'person' AS part FROM population_db.persons
            UNION ALL SELECT person_id, 'civil' FROM population_db.person_groups WHERE group_code = 'civil'
            UNION ALL SELECT person_id, 'number' FROM population_db.person_numbers
            UNION ALL SELECT person_id, 'index' FROM population_db.number_index
            UNION ALL SELECT person_id, 'key' FROM privacy.person_keys WHERE person_id <> '{NOBODY}'
            UNION ALL SELECT person_id, 'search' FROM population_db.search_index WHERE kind <> 'old-id'
        ) parts
        GROUP BY person_id
        HAVING array_agg(DISTINCT part ORDER BY part) <> '{{civil,index,key,number,person,search}}'
            OR count(*) FILTER (WHERE part = 'search') <> 2
    ) half"""


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


def start(world: RegistryWorld, path: Path) -> subprocess.Popen[bytes]:
    script = world.folder / "import_it.py"
    script.write_text(IMPORT)
    return subprocess.Popen(
        [sys.executable, str(script), world.worker_url, str(world.keys), str(path), str(world.rejects_path)],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        stderr=subprocess.PIPE,
    )


async def until(world: RegistryWorld, batches: int, process: subprocess.Popen[bytes]) -> None:
    """Waits for so many batches in the database."""
    while await world.value("SELECT count(*) FROM population_db.import_batches") < batches:
        assert process.poll() is None, process.communicate()[1].decode()
        await asyncio.sleep(0.01)


async def nobody_imports(world: RegistryWorld) -> None:
    """Waits until the last connection of the killed import is gone."""
    asked = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE application_name = 'dinhdanh import' AND datname = current_database()"
    )
    for _ in range(3_000):
        if await world.value(asked) == 0:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the killed import still holds a connection")


def importing_process(parent: int) -> int:
    """One of the processes that an import has started."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return next(int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
async def test_a_killed_import_is_resumed(world: RegistryWorld, how: signal.Signals) -> None:
    path = world.folder / "people.jsonl"
    generate_file(PEOPLE, 21, path)
    process = start(world, path)
    await until(world, 7, process)
    process.send_signal(how)
    code = await asyncio.to_thread(process.wait, 60)
    process.communicate()
    assert code != 0
    await nobody_imports(world)

    batches = await world.value("SELECT count(*) FROM population_db.import_batches")
    assert 7 <= batches < PEOPLE // BATCH, "it was to be stopped in the middle"
    assert await world.value("SELECT count(*) FROM population_db.persons") == batches * BATCH
    assert await world.value(HALF_THERE) == 0
    survivors = {row["person_id"] for row in await world.fetch("SELECT person_id FROM population_db.persons")}

    report = await world.load(path, batch_rows=1_000)  # the run keeps the size it was begun with
    assert (report.read, report.inserted, report.rejected) == (PEOPLE, PEOPLE, 0)
    assert report.resumed == batches * BATCH
    assert await world.value("SELECT count(*) FROM population_db.persons") == PEOPLE
    assert await world.value(HALF_THERE) == 0
    assert survivors <= {row["person_id"] for row in await world.fetch("SELECT person_id FROM population_db.persons")}
    assert await world.value("SELECT count(*) FROM population_db.import_runs") == 1

    before = await world.contents()
    assert (await world.load(path)).unchanged == PEOPLE
    assert await world.contents() == before


async def test_a_killed_importing_process_stops_the_import_in_a_sentence(world: RegistryWorld) -> None:
    path = world.folder / "people.jsonl"
    generate_file(PEOPLE, 22, path)
    process = start(world, path)
    await until(world, 3, process)
    importer = importing_process(process.pid)
    os.kill(importer, signal.SIGKILL)
    errors = (await asyncio.to_thread(process.communicate))[1].decode()
    assert "ended before its time" in errors
    await nobody_imports(world)
    assert await world.value(HALF_THERE) == 0
    assert (await world.load(path)).inserted == PEOPLE


async def test_rejects_are_told_once_over_stops_and_starts(world: RegistryWorld) -> None:
    path = world.folder / "people.jsonl"
    generate_file(PEOPLE, 23, path)
    lines = path.read_bytes().splitlines(keepends=True)
    broken = [
        line.replace(b'"nationality":"VN"', b'"nationality":"XXX"', 1) if at % 10 == 3 else line
        for at, line in enumerate(lines)
    ]
    path.write_bytes(b"".join(broken))
    expected = [at + 1 for at, line in enumerate(broken) if line != lines[at]]
    process = start(world, path)
    await until(world, 5, process)
    process.send_signal(signal.SIGINT)
    await asyncio.to_thread(process.communicate)
    told = [row["line"] for row in world.rejects()]
    assert told
    assert told == expected[: len(told)], "a stopped import tells what it refused so far"
    report = await world.load(path)
    assert [row["line"] for row in world.rejects()] == expected
    assert report.rejected == len(expected)

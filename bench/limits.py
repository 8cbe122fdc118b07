"""Limits measured in the same run: Argon2id on the server's core, COPY of rows prepared before."""

import asyncio
import os
import tempfile
import threading
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg

from bench.machine import SERVER_CORE, can_pin
from core.settings import Settings, secret_value
from identity.passwords import PasswordHashing

ARGON2_SECONDS = 3.0
SCRATCH = "bench_copy"
TABLES = (
    ("population_db", "person_groups"),
    ("population_db", "persons"),
    ("population_db", "search_index"),
    ("population_db", "number_index"),
    ("population_db", "person_numbers"),
    ("population_db", "household_members"),
    ("privacy", "person_keys"),
)
"""What an import fills, the largest first."""


def argon2_rate(settings: Settings) -> float:
    """Password checks a second that the server's core can do alone, with the service's parameters."""
    counted: list[float] = []

    def hash_for_a_while() -> None:
        if can_pin():
            os.sched_setaffinity(0, {SERVER_CORE})
        asyncio.run(_hash(settings, counted))

    thread = threading.Thread(target=hash_for_a_while)
    thread.start()
    thread.join()
    return counted[0]


async def _hash(settings: Settings, counted: list[float]) -> None:
    hashing = PasswordHashing(
        memory_kib=settings.argon2_memory_kib, time_cost=settings.argon2_time_cost, threads=1, queue=1
    )
    stored, done, started = await hashing.hash("Thử-một-mật-khẩu"), 0, perf_counter()
    while perf_counter() - started < ARGON2_SECONDS:
        await hashing.verify(stored, "Thử-một-mật-khẩu")
        done += 1
    counted.append(done / (perf_counter() - started))
    hashing.close()


async def copy_rate(settings: Settings) -> float:
    """Persons a second by COPY of the imported rows into like, indexed tables, by two connections at once."""
    url = secret_value(settings.database_owner_url, "DATABASE_OWNER_URL")
    first, second = await asyncpg.connect(url), await asyncpg.connect(url)
    persons: int = await first.fetchval("SELECT count(*) FROM population_db.persons")
    try:
        await first.execute(f"DROP SCHEMA IF EXISTS {SCRATCH} CASCADE; CREATE SCHEMA {SCRATCH}")
        with tempfile.TemporaryDirectory(dir=settings.data_dir) as folder:
            files = []
            for schema, table in TABLES:
                await first.execute(f"CREATE TABLE {SCRATCH}.{table} (LIKE {schema}.{table} INCLUDING ALL)")
                file = Path(folder) / table
                await first.copy_from_table(table, schema_name=schema, output=file, format="binary")
                files.append((table, file))
            started = perf_counter()
            await asyncio.gather(_copy_in(first, files), _copy_in(second, files))
            return persons / (perf_counter() - started)
    finally:
        await first.execute(f"DROP SCHEMA IF EXISTS {SCRATCH} CASCADE")
        await first.close()
        await second.close()


async def _copy_in(connection: Any, files: list[tuple[str, Path]]) -> None:
    while files:
        table, file = files.pop(0)
        await connection.copy_to_table(table, schema_name=SCRATCH, source=file, format="binary")

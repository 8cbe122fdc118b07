"""A registry on a test module's database: import files into it, look at what the tables hold."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from core.clock import FixedClock
from core.database import Database
from core.outbox import Outbox
from population_db.api import Registry
from population_db.import_run import ImportReport, import_file
from privacy.vault.api import KeyEncryptionKeys, Vault

TABLES = (
    *("persons", "person_numbers", "number_index", "search_index", "person_groups"),
    *("households", "household_members", "import_seen"),
)
PERSON_EVENTS: Mapping[str, tuple[str, ...]] = {"person.died": ("probe",), "person.number_changed": ("probe",)}


@dataclass
class RegistryWorld:
    """The registry room, the file of its keys, and short ways to use both."""

    web: Database
    owner: Database
    worker_url: str
    folder: Path
    keys: Path
    vault: Vault
    clock: FixedClock
    outbox: Outbox = field(init=False)
    registry: Registry = field(init=False)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.clock)
        for topic, names in PERSON_EVENTS.items():
            for name in names:
                self.outbox.register(topic, name, _handled)
        self.registry = Registry(self.vault, self.clock, self.outbox)

    @classmethod
    async def make(
        cls, web: Database, owner: Database, worker_url: str, folder: Path, clock: FixedClock
    ) -> "RegistryWorld":
        keys = folder / f"kek-{os.urandom(4).hex()}.json"
        keks = KeyEncryptionKeys.create(keys)
        async with owner.raw() as tx:
            await Vault.create_missing_keys(tx, keks)
        async with owner.raw() as tx:
            vault = await Vault.load(tx, keks)
        return cls(web, owner, worker_url, folder, keys, vault, clock)

    def file(self, rows: Iterable[Mapping[str, Any] | bytes], name: str = "people.jsonl") -> Path:
        """Writes an import file; bytes are lines as they are."""
        path = self.folder / name
        path.write_bytes(b"".join((row if isinstance(row, bytes) else orjson.dumps(row)) + b"\n" for row in rows))
        return path

    async def load(self, path: Path, **how: Any) -> ImportReport:
        """Imports a file as the worker's login."""
        return await import_file(
            path,
            database_url=self.worker_url,
            open_keys=partial(KeyEncryptionKeys.from_file, self.keys),
            clock=self.clock,
            events=PERSON_EVENTS,
            rejects_path=self.rejects_path,
            **how,
        )

    @property
    def rejects_path(self) -> Path:
        return self.folder / "rejects.jsonl"

    def rejects(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.rejects_path.read_bytes().splitlines()]

    async def value(self, sql: str, *values: Any) -> Any:
        """One value, asked by the owner."""
        async with self.owner.raw_read() as tx:
            return await tx.conn.fetchval(sql, *values)

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        async with self.owner.raw_read() as tx:
            return list(await tx.conn.fetch(sql, *values))

    async def contents(self) -> dict[str, str]:
        """A digest of every row of every table of the registry, to see that nothing changed."""
        return {
            table: await self.value(
                f"SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM population_db.{table} t"
            )
            for table in TABLES
        }

    async def empty(self) -> None:
        """An empty registry for the next test."""
        async with self.owner.raw() as tx:
            names = ", ".join(f"population_db.{table}" for table in (*TABLES, "import_batches", "import_runs"))
            await tx.conn.execute(f"TRUNCATE {names}, core.outbox")


async def _handled(tx: Any, event: Any) -> None:
    """A handler that has nothing to do: the tests look at the rows."""

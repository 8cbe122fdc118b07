"""The servers of a test run: one real PostgreSQL, one real Redis, one migrated template database.

Started once per run; the workers of pytest-xdist get the addresses as plain text (`ServerAddresses.as_text`).
"""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from service.embedded import EmbeddedOptions, EmbeddedUrls, embedded_servers
from service.embedded_logins import create_database
from service.migrate import migrate

TEMPLATE = "migrated_template"


@dataclass(frozen=True)
class ServerAddresses:
    """Where the servers of this run are. The five URLs point to the template; `urls_for` to a clone."""

    superuser_url: str = field(repr=False)
    database_url: str = field(repr=False)
    database_owner_url: str = field(repr=False)
    database_worker_url: str = field(repr=False)
    database_reader_url: str = field(repr=False)
    redis_url: str = field(repr=False)

    def as_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "ServerAddresses":
        return cls(**json.loads(text))

    def urls_for(self, database: str, redis_number: int) -> EmbeddedUrls:
        return EmbeddedUrls(
            database_url=_other_database(self.database_url, database),
            database_owner_url=_other_database(self.database_owner_url, database),
            database_worker_url=_other_database(self.database_worker_url, database),
            database_reader_url=_other_database(self.database_reader_url, database),
            redis_url=self.redis_url.replace("?db=0&", f"?db={redis_number}&"),
        )

    async def clone_template(self, name: str) -> None:
        """A fresh database with every migration applied and not a row in it."""
        connection = await asyncpg.connect(self.superuser_url)
        try:
            await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await create_database(connection, name, TEMPLATE)
        finally:
            await connection.close()

    async def drop(self, name: str) -> None:
        connection = await asyncpg.connect(self.superuser_url)
        try:
            await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        finally:
            await connection.close()


@contextlib.contextmanager
def running_servers() -> Iterator[ServerAddresses]:
    """Servers without durability: for tests that never kill them. Their files vanish at the end."""
    folder = Path(tempfile.mkdtemp(prefix="dinhdanh-tests-"))
    try:
        with embedded_servers(EmbeddedOptions(data_dir=folder, fast_and_unsafe=True)) as embedded:
            urls = embedded.urls_for(TEMPLATE)
            yield ServerAddresses(embedded.superuser_url, **urls.by_name())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def make_template(addresses: ServerAddresses) -> None:
    """Migrate the template as its owner, once."""
    connection = await asyncpg.connect(addresses.superuser_url)
    try:
        await create_database(connection, TEMPLATE)
    finally:
        await connection.close()
    migrate(addresses.database_owner_url)


def _other_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))

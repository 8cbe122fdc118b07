"""A furnished sandbox for tests: the application over a clone of a database with all personas and clients.

Furnished once per test process, cloned per module. Import the fixtures into a conftest to use them:

    furnished   (module)  the application, its settings, clock and rooms, the guide, and `browser()`

Who needs other settings (certificates, servers to call) makes one with `furnished_sandbox`.
"""

import contextlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from core.cache import Cache
from core.clock import FixedClock
from core.database import Database
from core.outbox import Outbox
from core.runtime import Parts
from core.settings import Settings, load_settings
from privacy.journal.api import Sequencer
from service.app import create_app
from service.compose import composed
from service.embedded_logins import create_database
from service.key_files import make_sandbox_keys
from service.prepare import prepare_database
from service.sandbox import guide, seed
from service.sandbox_guide import ClientGuide, PersonaGuide, Sandbox
from tests.actors.browser import Browser
from tests.support.servers import ServerAddresses
from tests.support.threads import run_beside


@dataclass
class Furnished:
    """app: served in this process, on `settings.issuer`. web, worker: composed rooms of either login."""

    app: FastAPI
    settings: Settings
    sandbox: Sandbox
    clock: FixedClock
    web: Parts
    worker: Parts

    @asynccontextmanager
    async def http(self, peer: str = "192.0.2.10") -> AsyncIterator[httpx.AsyncClient]:
        """A client of the application, without a network; exceptions become answers as in production."""
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False, client=(peer, 5000))
        async with httpx.AsyncClient(transport=transport, base_url=self.settings.issuer) as client:
            yield client

    @asynccontextmanager
    async def browser(self, peer: str = "192.0.2.10") -> AsyncIterator[Browser]:
        async with self.http(peer) as client:
            yield Browser(client, self.settings.issuer, self.clock)

    def persona(self, key: str) -> PersonaGuide:
        return next(one for one in self.sandbox.personas if one.key == key)

    def client(self, client_id: str) -> ClientGuide:
        return next(one for one in self.sandbox.clients if one.client_id == client_id)

    async def work(self) -> None:
        """Does all background work that is due: events, then the journal's sequencing."""
        while await self.worker.get(Outbox).run_once(self.worker.get(Database)):
            pass
        while await self.worker.get(Sequencer).run_once():
            pass


@pytest.fixture(scope="session")
def furnished_template(
    servers: ServerAddresses, worker_number: int, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """A database with the sandbox in it, and the data directory with its keys."""
    name, data_dir = f"furnished_{worker_number}", tmp_path_factory.mktemp("furnished")
    run_beside(servers.clone_template(name))
    settings = sandbox_settings(servers, name, worker_number, data_dir)
    make_sandbox_keys(settings)
    prepare_database(settings)
    seed(settings)
    return name, data_dir


@pytest.fixture(scope="module")
async def furnished(
    servers: ServerAddresses,
    worker_number: int,
    furnished_template: tuple[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Furnished]:
    folder = tmp_path_factory.mktemp("story")
    async with furnished_sandbox(servers, worker_number, furnished_template, folder) as made:
        yield made


@asynccontextmanager
async def furnished_sandbox(
    servers: ServerAddresses, worker_number: int, template: tuple[str, Path], folder: Path, **further: Any
) -> AsyncIterator[Furnished]:
    """A running clone of the template, gone at the end. further: settings beside the usual ones."""
    kept, keys = template
    name, data_dir = f"story_{worker_number}", folder / "data"
    shutil.copytree(keys, data_dir)
    await clone_furnished(servers, name, kept)
    settings = sandbox_settings(servers, name, worker_number, data_dir, **further)
    clock = FixedClock(datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2))  # after furnishing
    app = create_app(settings, clock=clock)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        worker = await stack.enter_async_context(composed(settings, login="worker", clock=clock))
        await app.state.parts.get(Cache).redis.flushdb()
        yield Furnished(app, settings, guide(settings), clock, app.state.parts, worker)
    await servers.drop(name)


async def clone_furnished(servers: ServerAddresses, name: str, template: str) -> None:
    """A database of this name, as the template is."""
    connection = await asyncpg.connect(servers.superuser_url)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await create_database(connection, name, template)
    finally:
        await connection.close()


def sandbox_settings(
    servers: ServerAddresses, name: str, worker_number: int, data_dir: Path, **further: Any
) -> Settings:
    addresses: dict[str, Any] = servers.urls_for(name, worker_number).by_name()
    return load_settings(mode="sandbox", data_dir=data_dir, **{**addresses, **further})

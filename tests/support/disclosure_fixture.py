"""The fixture of modules that test the disclosure door; import `made` and `world` from here."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.cache import Cache
from core.clock import FixedClock
from core.database import Database
from service.embedded import EmbeddedUrls
from tests.support.disclosure_world import DisclosureWorld, make_world


@pytest.fixture(scope="module")
async def made(
    owner_database: Database,
    database: Database,
    database_urls: EmbeddedUrls,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[DisclosureWorld]:
    cache = Cache.connect(database_urls.redis_url)
    folder: Path = tmp_path_factory.mktemp("disclosure")
    clock = FixedClock(datetime(2026, 11, 2, 2, 0, tzinfo=UTC))
    world = await make_world(owner_database, database, database_urls.database_worker_url, cache, clock, folder)
    yield world
    await world.journal.close()
    await cache.close()


@pytest.fixture
async def world(made: DisclosureWorld) -> DisclosureWorld:
    await made.cache.redis.flushdb()
    return made

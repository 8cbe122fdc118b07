"""The people room on a module's own database, nobody enrolled; a module's `made` enrols whom it needs."""

from collections.abc import AsyncIterator

import pytest

from core.database import Database
from core.settings import Settings
from service.embedded import EmbeddedUrls
from tests.support.identity_world import IdentityWorld, identity_world


@pytest.fixture(scope="module")
async def plain_people(
    settings: Settings,
    database: Database,
    owner_database: Database,
    worker_database: Database,
    database_urls: EmbeddedUrls,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[IdentityWorld]:
    async with identity_world(
        settings=settings,
        owner=owner_database,
        web=database,
        worker=worker_database,
        worker_url=database_urls.database_worker_url,
        redis_url=database_urls.redis_url,
        folder=tmp_path_factory.mktemp("identity"),
    ) as world:
        yield world

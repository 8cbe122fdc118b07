"""The whole application as provider_world.py makes it, one for each module.

plain_world, for a module that makes a `world` of its own from it, is known everywhere; `world` is imported from here.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.database import Database
from core.settings import Settings
from service.embedded import EmbeddedUrls
from tests.support.provider_world import ProviderWorld, provider_world


@pytest.fixture(scope="module")
async def plain_world(
    settings: Settings,
    owner_database: Database,
    worker_database: Database,
    database_urls: EmbeddedUrls,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[ProviderWorld]:
    folder: Path = tmp_path_factory.mktemp("provider")
    url = database_urls.database_worker_url
    async with provider_world(settings, owner_database, worker_database, url, folder) as made:
        yield made


@pytest.fixture(scope="module")
def world(plain_world: ProviderWorld) -> ProviderWorld:
    return plain_world

"""The fixture `world` (module): the whole application as provider_world.py makes it. Import it to use it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.database import Database
from core.settings import Settings
from service.embedded import EmbeddedUrls
from tests.support.provider_world import ProviderWorld, provider_world


@pytest.fixture(scope="module")
async def world(
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

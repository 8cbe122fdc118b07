"""The fixture of modules that test consents; import `made` and `world` from here."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.database import Database
from core.settings import Settings
from service.embedded import EmbeddedUrls
from tests.support.consent_world import ConsentWorld, consent_world
from tests.support.identity_world import identity_world


@pytest.fixture(scope="module")
async def made(
    settings: Settings,
    database: Database,
    owner_database: Database,
    worker_database: Database,
    database_urls: EmbeddedUrls,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[ConsentWorld]:
    """An and Bình with two factors, Châu with level 1, in a world of their own for the module."""
    folder: Path = tmp_path_factory.mktemp("consent")
    async with (
        identity_world(
            settings=settings,
            owner=owner_database,
            web=database,
            worker=worker_database,
            worker_url=database_urls.database_worker_url,
            redis_url=database_urls.redis_url,
            folder=folder,
        ) as people,
        consent_world(people) as world,
    ):
        await people.enrol("An")
        await people.enrol("Binh")
        await people.enrol("Chau", ial=1, totp=False)
        yield world


@pytest.fixture
async def world(made: ConsentWorld) -> ConsentWorld:
    await made.reset()
    return made

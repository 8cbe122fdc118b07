"""Citizens, and a ward's two units with Minh and Nga appointed, for tests of sessions; import `made` and `world`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.database import Database
from core.settings import Settings
from service.embedded import EmbeddedUrls
from tests.support.identity_world import IdentityWorld, identity_world, make_desk


@pytest.fixture(scope="module")
async def made(
    settings: Settings,
    database: Database,
    owner_database: Database,
    worker_database: Database,
    database_urls: EmbeddedUrls,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[IdentityWorld]:
    folder: Path = tmp_path_factory.mktemp("identity")
    async with identity_world(
        settings=settings,
        owner=owner_database,
        web=database,
        worker=worker_database,
        worker_url=database_urls.database_worker_url,
        redis_url=database_urls.redis_url,
        folder=folder,
    ) as world:
        for key in ("An", "Binh", "Minh", "Nga", "Quy"):
            await world.enrol(key)
        await world.enrol("Chau", ial=1, totp=False)
        async with world.database.page() as tx:
            await world.identity.create_agency(tx, "H26.12", "UBND phường Cửa Nam", "Cửa Nam ward")
            await world.identity.create_unit(tx, "H26.12", "one-stop", "Bộ phận Một cửa", "One-stop desk")
            await world.identity.create_unit(tx, "H26.12", "civil-status", "Tư pháp - hộ tịch", "Civil status")
            await make_desk(world, tx, "Minh", "H26.12", "one-stop", "Cán bộ tiếp nhận")
            await make_desk(world, tx, "Nga", "H26.12", "one-stop", "Cán bộ tiếp nhận")
            await make_desk(world, tx, "Nga", "H26.12", "civil-status", "Công chức hộ tịch")
        yield world


@pytest.fixture
async def world(made: IdentityWorld) -> IdentityWorld:
    await made.reset()
    return made

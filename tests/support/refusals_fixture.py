"""People to be refused at the sign-in, and what they and strangers try there; import `made` and `world`."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.database import Database
from core.settings import Settings
from service.embedded import EmbeddedUrls
from tests.support.identity_world import Browser, IdentityWorld, identity_world, text_of

UNKNOWN = "001190123456"


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
        for key in ("An", "Binh", "Dung", "Giang", "Son", "Tam"):
            await world.enrol(key)
        await world.enrol("Chau", ial=1, totp=False)
        # Dung dies; her account is not locked yet: the event has not been handled.
        async with world.database.page() as tx:
            await world.registry.record_death(tx, await world.person("Dung"), date(2026, 11, 1), "civil-status")
        yield world


@pytest.fixture
async def world(made: IdentityWorld) -> IdentityWorld:
    await made.reset()
    return made


async def lock(world: IdentityWorld, key: str, reason: Any) -> None:
    async with world.database.page() as tx:
        assert await world.identity.lock(tx, await world.person(key), reason)


async def try_password(browser: Browser, number: str, password: str) -> tuple[int, str, bool]:
    page = await browser.send("signin-form", number=number, password=password)
    return page.status_code, text_of(page.text, "number-error"), "dd_session" in page.headers.get("set-cookie", "")

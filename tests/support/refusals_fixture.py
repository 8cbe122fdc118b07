"""People to be refused at the sign-in, and what they and strangers try there; import `made` and `world`."""

from datetime import date
from typing import Any

import pytest

from tests.support.identity_world import Browser, IdentityWorld, text_of

UNKNOWN = "001190123456"


@pytest.fixture(scope="module")
async def made(plain_people: IdentityWorld) -> IdentityWorld:
    for key in ("An", "Binh", "Dung", "Giang", "Son", "Tam"):
        await plain_people.enrol(key)
    await plain_people.enrol("Chau", ial=1, totp=False)
    # Dung dies; her account is not locked yet: the event has not been handled.
    async with plain_people.database.page() as tx:
        await plain_people.registry.record_death(
            tx, await plain_people.person("Dung"), date(2026, 11, 1), "civil-status"
        )
    return plain_people


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

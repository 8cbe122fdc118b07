"""The fixture of modules that test consents; import `made` and `world` from here."""

from collections.abc import AsyncIterator

import pytest

from tests.support.consent_world import ConsentWorld, consent_world
from tests.support.identity_world import IdentityWorld


@pytest.fixture(scope="module")
async def made(plain_people: IdentityWorld) -> AsyncIterator[ConsentWorld]:
    """An and Bình with two factors, Châu with level 1, in a world of their own for the module."""
    async with consent_world(plain_people) as world:
        await plain_people.enrol("An")
        await plain_people.enrol("Binh")
        await plain_people.enrol("Chau", ial=1, totp=False)
        yield world


@pytest.fixture
async def world(made: ConsentWorld) -> ConsentWorld:
    await made.reset()
    return made

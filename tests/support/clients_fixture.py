"""The fixture `world` of modules that look after clients: an agency with a unit, whose officials do. Import it."""

import pytest

from tests.actors.client_admin import make_unit
from tests.support.provider_world import ProviderWorld


@pytest.fixture(scope="module")
async def world(plain_world: ProviderWorld) -> ProviderWorld:
    await make_unit(plain_world)
    return plain_world

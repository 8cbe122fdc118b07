"""The desks of modules that test CIBA: `desk` asks in the open, `fapi` signs; import them with `no_request_waits`."""

import pytest

from tests.support.elsewhere import Desk, make_desk, make_fapi_desk, wait
from tests.support.provider_world import ProviderWorld


@pytest.fixture(scope="module")
async def desk(world: ProviderWorld) -> Desk:
    return await make_desk(world)


@pytest.fixture(scope="module")
async def fapi(world: ProviderWorld) -> Desk:
    return await make_fapi_desk(world)


@pytest.fixture(autouse=True)
async def no_request_waits(world: ProviderWorld) -> None:
    """Between tests: what was asked before has run out, and nobody waits for the next one-time code."""
    wait(world, 3600)

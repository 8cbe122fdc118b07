"""A kiosk in a hall, for tests of RFC 8628; import `kiosk` and `fresh_windows`."""

from typing import Any

import pytest

from core.cache import Cache
from tests.support.elsewhere import Kiosk, enter_code, make_kiosk, wait
from tests.support.provider_world import CitizenBrowser, ProviderWorld


@pytest.fixture(scope="module")
async def kiosk(world: ProviderWorld) -> Kiosk:
    """One that cannot keep a secret: it stands in a hall."""
    return await make_kiosk(world, method="none")


@pytest.fixture(autouse=True)
async def fresh_windows(world: ProviderWorld) -> None:
    await world.parts.get(Cache).redis.flushdb()
    wait(world, 3600)


async def to_confirm(browser: CitizenBrowser, code: str) -> Any:
    page = await enter_code(browser, code)
    assert 'id="device-confirm-form"' in page.text, page.text
    return page

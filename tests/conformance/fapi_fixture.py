"""The fixtures `fapi` and `other`: the suite's two clients of the FAPI 2.0 security profile; import them."""

from collections.abc import AsyncIterator

import pytest

from tests.conformance.fapi import Fapi
from tests.support.furnished import Furnished

PERSONA = "Binh"


@pytest.fixture
async def fapi(furnished: Furnished) -> AsyncIterator[Fapi]:
    async with furnished.browser() as browser:
        yield Fapi.of(furnished, browser, furnished.client("conformance-fapi2-dpop-1"), PERSONA)


@pytest.fixture
async def other(furnished: Furnished, fapi: Fapi) -> Fapi:
    """The second client, in the same browser."""
    return Fapi.of(furnished, fapi.browser, furnished.client("conformance-fapi2-dpop-2"), PERSONA)


def seconds(fapi: Fapi, ahead: int) -> int:
    return int(fapi.furnished.clock.now().timestamp()) + ahead

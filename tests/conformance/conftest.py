"""The suite's two static clients over a furnished sandbox; a browser of its own for every module."""

from collections.abc import AsyncIterator

import pytest

from tests.conformance.suite import Conformance
from tests.support.furnished import Furnished

PERSONA = "An"


@pytest.fixture
async def suite(furnished: Furnished) -> AsyncIterator[Conformance]:
    """client_secret_basic; signed out at the start."""
    async with furnished.browser() as browser:
        yield Conformance(furnished, browser, furnished.client("conformance-core-1"), furnished.persona(PERSONA))


@pytest.fixture
async def suite_post(furnished: Furnished) -> AsyncIterator[Conformance]:
    """client_secret_post."""
    async with furnished.browser() as browser:
        yield Conformance(furnished, browser, furnished.client("conformance-core-post-1"), furnished.persona(PERSONA))

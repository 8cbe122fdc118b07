"""The fixtures `ciba` and `other`: the suite's two FAPI-CIBA clients, those that poll and then those that are pinged.

Import them into a test module, with the three of called.py.
"""

from collections.abc import AsyncIterator

import pytest

from tests.conformance.called import NO_CONTENT, SuiteServer
from tests.conformance.ciba import Ciba
from tests.support.furnished import Furnished


@pytest.fixture(params=["poll", "ping"])
async def ciba(request: pytest.FixtureRequest, furnished: Furnished, suite_server: SuiteServer) -> AsyncIterator[Ciba]:
    """The first client; nobody is signed in, and whatever an earlier test asked has run out."""
    async with furnished.browser() as browser:
        made = await Ciba.of(furnished, browser, suite_server, request.param)
        made.wait(3600)
        await made.work()
        suite_server.server.asked.clear()
        suite_server.server.answering = NO_CONTENT
        yield made


@pytest.fixture
async def other(ciba: Ciba, furnished: Furnished, suite_server: SuiteServer) -> Ciba:
    """The second client, answered in the same browser."""
    return await Ciba.of(furnished, ciba.browser, suite_server, ciba.mode, 2)

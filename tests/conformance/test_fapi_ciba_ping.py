"""fapi-ciba-id1-test-plan, ping: how the client is told, whatever it answers (see test_fapi_ciba.py)."""

import pytest

from tests.conformance.called import furnished, suite_server
from tests.conformance.certified import certified_template
from tests.conformance.ciba import Ciba
from tests.conformance.ciba_fixture import ciba, other
from tests.support.other_servers import answers

__all__ = ["certified_template", "ciba", "furnished", "other", "suite_server"]

pytestmark = pytest.mark.parametrize("ciba", ["ping"], indirect=True)


async def told_once(ciba: Ciba) -> None:
    """Asked and allowed; told once, not again, and what was said can be collected."""
    auth_req_id = await ciba.asked()
    await ciba.waits(auth_req_id)
    await ciba.answered()
    await ciba.ping(auth_req_id)
    for seconds in (5, 10, 60):
        ciba.wait(seconds)
        await ciba.work()
    assert len(ciba.suite_server.server.asked) == 1
    await ciba.opens(await ciba.tokens(auth_req_id))


async def test_ping_backchannel_notification_endpoint_response_has_body(ciba: Ciba) -> None:
    """200 and a text, in the place of 204."""
    ciba.suite_server.server.answering = answers(b"There is a body.", content_type="text/plain")
    await told_once(ciba)


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
async def test_ping_backchannel_notification_endpoint_response_401(ciba: Ciba, status: str) -> None:
    """…-response-401, …-response-403: refused although the token was right; the tokens are there all the same.

    ping-with-mtls-ciba-notification-endpoint-response-401-and-require-server-does-not-retry: and told once only.
    """
    ciba.suite_server.server.answering = answers(b"not you", status=status, content_type="text/plain")
    await told_once(ciba)


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect"])
async def test_ping_backchannel_notification_endpoint_return_redirect_request(ciba: Ciba, status: str) -> None:
    """Nobody goes where the answer points."""
    elsewhere = f"{ciba.suite_server.base}/invalid-ciba-notification-endpoint"
    ciba.suite_server.server.answering = answers(b"", status=status, Location=elsewhere)
    await told_once(ciba)


async def test_the_token_goes_to_its_own_request(ciba: Ciba) -> None:
    """No module of its own: two requests wait, each is told with what it was asked with."""
    first = await ciba.asked({"binding_message": "first"})
    token = ciba.notification_token
    ciba.wait(1)
    second = await ciba.asked({"binding_message": "second"})
    await ciba.answered("refuse")
    await ciba.ping(second)
    ciba.notification_token = token
    await ciba.answered()
    await ciba.ping(first)
    assert len(ciba.pings) == 2

"""oidcc-backchannel-rp-initiated-logout-certification-test-plan: code, client_secret_basic (2 modules)."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from core.jose import VerificationKey, decode_unverified, verify_signature
from oidc.api import OpenIdProvider
from tests.conformance.called import SuiteServer, furnished, suite_server
from tests.conformance.certified import certified_template
from tests.conformance.logout import STATE, end_session, is_signed_out, sent_back
from tests.conformance.suite import DISCOVERY, Conformance
from tests.support.furnished import Furnished
from tests.support.other_servers import Asked, answers

__all__ = ["certified_template", "furnished", "suite_server"]

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
async def listening(furnished: Furnished, suite_server: SuiteServer) -> AsyncIterator[Conformance]:
    """A client that wants to be told; the suite's answer to it is 200."""
    suite_server.server.asked.clear()
    suite_server.server.answering = answers(b"", Cache_Control="no-store")
    async with furnished.browser() as browser:
        client = furnished.client("conformance-backchannel-1")
        yield Conformance(furnished, browser, client, furnished.persona("An"))


async def deliver(furnished: Furnished) -> None:
    await furnished.work()
    while await furnished.worker.get(OpenIdProvider).logout_delivery.step():
        pass


async def logout_token(suite: Conformance, asked: Asked) -> dict[str, Any]:
    """The claims of what the suite was sent (Back-Channel Logout §2.4, §2.5), every check of the module."""
    assert asked.method == "POST"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    form = parse_qs(asked.body.decode("ascii"), strict_parsing=True)
    assert set(form) == {"logout_token"}, "another parameter is a warning"
    (token,) = form["logout_token"]
    header = decode_unverified(token).header
    assert header["alg"] == "RS256", "as the client's id_tokens"
    published = (await suite.http.get("/jwks")).json()["keys"]
    (key,) = [key for key in published if key["kid"] == header["kid"]]
    claims = dict(verify_signature(token, VerificationKey.from_jwk(key), typ={"logout+jwt"}).claims)
    now = int(suite.furnished.clock.now().timestamp())
    assert claims["iss"] == suite.issuer
    assert claims["aud"] in (suite.client.client_id, [suite.client.client_id])
    assert now - 300 <= claims["iat"] <= now < claims["exp"] <= now + 120
    assert claims["jti"]
    assert claims["events"] == {EVENT: {}}
    assert "nonce" not in claims
    assert claims.get("sub") or claims.get("sid")
    return claims


async def test_oidcc_backchannel_logout_discovery_endpoint_verification(listening: Conformance) -> None:
    document = (await listening.http.get(DISCOVERY)).json()
    assert document["backchannel_logout_supported"] is True
    assert document["backchannel_logout_session_supported"] is True
    assert document["end_session_endpoint"].startswith(f"{listening.issuer}/")


async def test_oidcc_backchannel_rp_initiated_logout(listening: Conformance, suite_server: SuiteServer) -> None:
    request = listening.request(state="s" * 128)
    tokens = await listening.tokens(request)
    page = await end_session(listening, tokens)
    assert sent_back(listening, page) == {"state": [STATE]}
    await deliver(listening.furnished)
    (asked,) = suite_server.server.asked
    assert asked.path.endswith("/backchannel_logout")
    claims = await logout_token(listening, asked)
    assert claims["sub"] == tokens["claims"]["sub"]
    assert claims["sid"] == tokens["claims"]["sid"]
    assert await is_signed_out(listening)
    await deliver(listening.furnished)
    assert len(suite_server.server.asked) == 1, "told once"

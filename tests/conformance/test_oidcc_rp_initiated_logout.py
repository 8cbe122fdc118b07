"""oidcc-rp-initiated-logout-certification-test-plan (11 modules).

After a module that signs out, the suite asks again with prompt=none: that must fail. Where the address is not proven
the browser must not be sent on: the person is asked, or sees an error.
"""

import base64

import orjson
import pytest

from core.jose import SigningKey, decode_unverified, sign_jwt
from tests.actors.browser import Page
from tests.conformance.logout import STATE, end_session, is_signed_out, sent_back
from tests.conformance.suite import DISCOVERY, DROP, Conformance


def stays_here(page: Page) -> bool:
    return not page.response.is_redirect


async def test_oidcc_rp_initiated_logout_discovery_endpoint_verification(suite: Conformance) -> None:
    document = (await suite.http.get(DISCOVERY)).json()
    assert document["end_session_endpoint"].startswith(suite.issuer)


async def test_oidcc_rp_initiated_logout(suite: Conformance) -> None:
    page = await end_session(suite, await suite.tokens(suite.request()))
    assert sent_back(suite, page) == {"state": [STATE]}  # anything else is a warning
    assert await is_signed_out(suite)


async def test_oidcc_rp_initiated_logout_no_state(suite: Conformance) -> None:
    page = await end_session(suite, await suite.tokens(suite.request()), state=DROP)
    assert sent_back(suite, page) == {}
    assert await is_signed_out(suite)


async def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(suite: Conformance) -> None:
    page = await end_session(suite, await suite.tokens(suite.request()), post_logout_redirect_uri=DROP)
    assert stays_here(page)
    assert await is_signed_out(suite)


@pytest.mark.parametrize("left", [{}, {"state": STATE}])
async def test_oidcc_rp_initiated_logout_no_params(suite: Conformance, left: dict[str, str]) -> None:
    """…-no-params, …-only-state: nobody has shown who asks, so the person is asked; then signed out."""
    tokens = await suite.tokens(suite.request())
    page = await end_session(
        suite, tokens, **{"id_token_hint": DROP, "post_logout_redirect_uri": DROP, "state": DROP, **left}
    )
    assert stays_here(page)
    page = await suite.browser.submit("logout-form", button=("decision", "sign-out"))
    assert stays_here(page)
    assert await is_signed_out(suite)


async def test_oidcc_rp_initiated_logout_no_id_token_hint(suite: Conformance) -> None:
    page = await end_session(suite, await suite.tokens(suite.request()), id_token_hint=DROP)
    assert stays_here(page)
    page = await suite.browser.submit("logout-form", button=("decision", "sign-out"))
    assert stays_here(page), "without a hint nobody may say where to go"


@pytest.mark.parametrize("added", ["/other", "?foo=bar"])
async def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(suite: Conformance, added: str) -> None:
    """…-bad-post-logout-redirect-uri, …-query-added-to-post-logout-redirect-uri."""
    target = suite.client.post_logout_redirect_uris[0] + added
    page = await end_session(suite, await suite.tokens(suite.request()), post_logout_redirect_uri=target)
    assert page.status == 400
    assert stays_here(page)


async def test_oidcc_rp_initiated_logout_modified_id_token_hint(suite: Conformance) -> None:
    tokens = await suite.tokens(suite.request())
    header = base64.urlsafe_b64encode(orjson.dumps({"alg": "none"})).rstrip(b"=").decode()
    hint = f"{header}.{tokens['id_token'].split('.')[1]}."
    page = await end_session(suite, tokens, id_token_hint=hint)
    assert stays_here(page)


async def test_oidcc_rp_initiated_logout_bad_id_token_hint(suite: Conformance) -> None:
    """Claims as ours, signed by somebody else."""
    tokens = await suite.tokens(suite.request())
    key = SigningKey.generate("ES256")
    hint = sign_jwt(key, dict(decode_unverified(tokens["id_token"]).claims), typ="JWT")
    page = await end_session(suite, tokens, id_token_hint=hint)
    assert stays_here(page)

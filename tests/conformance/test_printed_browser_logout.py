"""The browser commands that we print for the three logout plans: to the sign-out and through it, module by module."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from core.jose import SigningKey, decode_unverified, sign_jwt
from tests.conformance.logout import STATE, end_session_url
from tests.conformance.printed import PLACEHOLDER, Walk
from tests.conformance.suite import DROP, Conformance
from tests.support.furnished import Furnished

RP = "oidcc-rp-initiated-logout"
BACK = "/post_logout_redirect"


async def is_signed_out(walk: Walk) -> bool:
    """As the suite looks for it: the same browser again."""
    return (await walk.asked(walk.suite.request(prompt="none"))).get("error") == "login_required"


def unsigned(tokens: dict[str, Any]) -> str:
    header = base64.urlsafe_b64encode(orjson.dumps({"alg": "none"})).rstrip(b"=").decode()
    return f"{header}.{tokens['id_token'].split('.')[1]}."


def signed_elsewhere(tokens: dict[str, Any]) -> str:
    return sign_jwt(SigningKey.generate("ES256"), dict(decode_unverified(tokens["id_token"]).claims), typ="JWT")


@pytest.mark.parametrize("module", [RP, f"{RP}-no-state"])
async def test_back_at_the_suite(suite: Conformance, module: str) -> None:
    walk = Walk.of(suite, RP, module)
    tokens = await walk.tokens(suite.request())
    changes = {"state": DROP} if module.endswith("no-state") else {}
    visit = await walk.open(await end_session_url(suite, tokens, **changes))
    assert visit.url.startswith(f"{walk.runner.suite}{BACK}")
    assert walk.runner.arrivals[-1].params == ({} if changes else {"state": STATE})
    assert await is_signed_out(walk)
    walk.ends_as_told(module)


@pytest.mark.parametrize(
    ("module", "dropped"),
    [
        ("no-params", ("id_token_hint", "post_logout_redirect_uri", "state")),
        ("only-state", ("id_token_hint", "post_logout_redirect_uri")),
        ("no-post-logout-redirect-uri", ("post_logout_redirect_uri",)),
    ],
)
async def test_signed_out_here(suite: Conformance, module: str, dropped: tuple[str, ...]) -> None:
    walk = Walk.of(suite, RP, f"{RP}-{module}")
    url = await end_session_url(suite, await walk.tokens(suite.request()), **dict.fromkeys(dropped, DROP))
    before = len(walk.runner.arrivals)
    await walk.open(url, PLACEHOLDER)
    assert walk.runner.arrivals[before:] == []
    assert 'id="logout-result"' in walk.runner.kept[PLACEHOLDER]
    assert await is_signed_out(walk)
    walk.ends_as_told(f"{RP}-{module}")


async def test_who_asks_is_not_shown(suite: Conformance) -> None:
    """The module wants to see that the person is asked, or an error."""
    module = "oidcc-rp-initiated-logout-no-id-token-hint"
    walk = Walk.of(suite, RP, module)
    url = await end_session_url(suite, await walk.tokens(suite.request()), id_token_hint=DROP)
    before = len(walk.runner.arrivals)
    await walk.open(url, PLACEHOLDER)
    assert walk.runner.arrivals[before:] == []
    assert 'id="logout-form"' in walk.runner.kept[PLACEHOLDER]
    assert await is_signed_out(walk)
    walk.ends_as_told(module)


@pytest.mark.parametrize(
    "module",
    [
        "bad-post-logout-redirect-uri",
        "query-added-to-post-logout-redirect-uri",
        "modified-id-token-hint",
        "bad-id-token-hint",
    ],
)
async def test_an_error_page_is_kept(suite: Conformance, module: str) -> None:
    walk = Walk.of(suite, RP, f"{RP}-{module}")
    tokens = await walk.tokens(suite.request())
    registered = suite.client.post_logout_redirect_uris[0]
    changes = {
        "bad-post-logout-redirect-uri": {"post_logout_redirect_uri": registered.replace("/post_", "/bad_post_")},
        "query-added-to-post-logout-redirect-uri": {"post_logout_redirect_uri": f"{registered}?foo=bar"},
        "modified-id-token-hint": {"id_token_hint": unsigned(tokens)},
        "bad-id-token-hint": {"id_token_hint": signed_elsewhere(tokens)},
    }
    before = len(walk.runner.arrivals)
    visit = await walk.open(await end_session_url(suite, tokens, **changes[module]), PLACEHOLDER)
    assert visit.status == 400
    assert walk.runner.arrivals[before:] == []
    assert 'id="error-message"' in walk.runner.kept[PLACEHOLDER]
    walk.ends_as_told(f"{RP}-{module}")


@pytest.fixture(params=["backchannel", "frontchannel"])
async def told_client(furnished: Furnished, request: pytest.FixtureRequest) -> AsyncIterator[Conformance]:
    """The client of either plan that wants to be told of a sign-out."""
    async with furnished.browser() as browser:
        client = furnished.client(f"conformance-{request.param}-1")
        yield Conformance(furnished, browser, client, furnished.persona("An"))


@pytest.mark.parametrize("refreshes", [True, False])
async def test_a_client_that_is_told(told_client: Conformance, refreshes: bool) -> None:
    """Front-channel: our page loads the client's address and goes on by itself; if it did not, by its link."""
    kind = told_client.client.client_id.split("-")[1]
    module = f"oidcc-{kind}-rp-initiated-logout"
    walk = Walk.of(told_client, f"oidcc-{kind}-logout", module)
    walk.runner.refreshes = refreshes
    tokens = await walk.tokens(told_client.request(state="s" * 128))
    before = len(walk.runner.arrivals)
    await walk.open(await end_session_url(told_client, tokens))
    *frames, back = walk.runner.arrivals[before:]
    assert (back.path, back.params) == (BACK, {"state": STATE})
    assert [frame.path for frame in frames] == (["/frontchannel_logout"] if kind == "frontchannel" else [])
    assert await is_signed_out(walk)
    walk.ends_as_told(module)

"""RFC 6749 §3.1 and §3.2: a parameter without a value counts as omitted, one that nobody knows is ignored."""

from typing import Any

import pytest

from tests.actors.relying_party import RelyingParty, answer_of, basic
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NOTHING = ["&display", "&claims_locales&ui_locales=", "&", "&&", "&=", "&x=1&y", "&resource", "&request&request_uri"]
"""What browsers, libraries and careless concatenation put at the end of a request."""


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register()


@pytest.mark.parametrize("more", NOTHING)
async def test_at_the_authorization_endpoint(world: ProviderWorld, portal: RelyingParty, more: str) -> None:
    attempt = portal.ask(prompt="none")
    for answer in (
        await portal.http.get(f"{attempt.url}{more}"),
        await portal.http.get(attempt.url.replace("?", f"?{more[1:]}&")),
    ):
        got = answer_of(answer)
        assert (got["error"], got["state"]) == ("login_required", attempt.state)
    query = attempt.url.partition("?")[2]
    posted = await portal.http.post("/authorize", content=f"{query}{more}", headers=FORM)
    assert answer_of(await portal.http.get(posted.headers["location"]))["error"] == "login_required"


@pytest.mark.parametrize("more", NOTHING[:-2])
async def test_at_the_back_channel(world: ProviderWorld, portal: RelyingParty, more: str) -> None:
    browser = world.browser()
    attempt, got = await browser.walk(portal)
    headers = {**FORM, "Authorization": basic(portal.client_id, portal.secret or "")}

    async def post(path: str, **params: str) -> Any:
        written = "&".join(f"{name}={value}" for name, value in params.items())
        return await portal.http.post(path, content=f"{written}{more}", headers=headers)

    tokens = await post(
        "/token",
        grant_type="authorization_code",
        code=got["code"],
        redirect_uri=portal.redirect_uri,
        code_verifier=attempt.verifier,
    )
    assert tokens.status_code == 200, tokens.text
    token = tokens.json()["access_token"]
    assert (await post("/introspect", token=token)).status_code == 200
    assert (await post("/revoke", token=token)).status_code == 200
    pushed = await portal.http.post("/par", content=f"{portal.ask().url.partition('?')[2]}{more}", headers=headers)
    assert pushed.status_code == 201, pushed.text


@pytest.mark.parametrize("more", NOTHING)
async def test_at_logout(world: ProviderWorld, portal: RelyingParty, more: str) -> None:
    assert (await portal.http.get(f"/logout?state=x{more}")).status_code == 200
    posted = await portal.http.post("/logout", content=f"state=x{more}", headers=FORM)
    assert posted.status_code == 303
    assert (await portal.http.get(posted.headers["location"])).status_code == 200


@pytest.mark.parametrize("more", ["&state", "state&", "&%73tate", "&x&x", "&x=1&x", "&%00", "&%FF", "&" * 100])
async def test_what_stays_refused(portal: RelyingParty, more: str) -> None:
    """A repetition is one with and without a value: two readers must not choose differently between them."""
    url = portal.ask(prompt="none").url
    answer = await portal.http.get(f"{url}{more}" if more[0] == "&" else url.replace("?", f"?{more}"))
    assert answer.status_code == 400
    assert "location" not in answer.headers

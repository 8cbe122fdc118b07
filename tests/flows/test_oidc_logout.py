"""OpenID Connect RP-Initiated Logout 1.0 (security cases 56-58)."""

from typing import Any

import httpx
import pytest

from core.jose import SigningKey, decode_unverified, sign_jwt
from tests.actors.relying_party import RelyingParty, answer_of
from tests.support.provider_fixture import world
from tests.support.provider_world import SIGNED_OUT, CitizenBrowser, ProviderWorld

__all__ = ["world"]


class Visit:
    """A citizen signed in at a portal."""

    def __init__(self, portal: RelyingParty, browser: CitizenBrowser, tokens: dict[str, Any]) -> None:
        self.portal = portal
        self.browser = browser
        self.tokens = tokens

    async def logout(self, *, follow: bool = True, **params: str) -> httpx.Response:
        url = f"/logout?{httpx.QueryParams(params)}"
        return await (self.browser.open(url) if follow else self.browser.http.get(url))

    @property
    def hint(self) -> str:
        return str(self.tokens["id_token"])

    async def is_signed_in(self) -> bool:
        answer = await self.browser.http.get(self.portal.ask(prompt="none").url)
        return "code" in answer_of(answer)


@pytest.fixture
async def visit(world: ProviderWorld) -> Visit:
    portal, browser = await world.register(), world.browser()
    attempt, got = await browser.walk(portal, scope="openid email offline_access")
    return Visit(portal, browser, (await portal.exchange(attempt, got["code"])).json())


async def test_a_hint_of_this_session_signs_out_at_once(world: ProviderWorld, visit: Visit) -> None:
    """Case 58."""
    session = dict(visit.browser.http.cookies)
    answer = await visit.logout(id_token_hint=visit.hint, post_logout_redirect_uri=SIGNED_OUT, state="a b&c")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{SIGNED_OUT}?state=a+b%26c"
    assert not await visit.is_signed_in()
    # The cookie is dead on the server, not only dropped here.
    thief = world.browser()
    thief.http.cookies.update(session)
    got = answer_of(await thief.http.get(visit.portal.ask(prompt="none").url))
    assert got["error"] == "login_required"
    assert (await visit.portal.refresh(visit.tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_without_a_hint_the_person_is_asked(visit: Visit) -> None:
    """Case 56."""
    page = await visit.logout()
    assert 'id="logout-form"' in page.text
    assert await visit.is_signed_in()
    visit.browser.page = page
    stayed = await visit.browser.send("logout-form", decision="stay")
    assert stayed.status_code == 200
    assert await visit.is_signed_in()
    await visit.logout()
    done = await visit.browser.send("logout-form", decision="sign-out")
    assert 'id="logout-result"' in done.text
    assert not await visit.is_signed_in()


async def test_a_forged_confirmation_signs_nobody_out(visit: Visit) -> None:
    """Case 51."""
    await visit.logout()
    answer = await visit.browser.http.post("/logout/confirm", data={"decision": "sign-out", "i": "x", "csrf": "x"})
    assert answer.status_code == 403
    assert (await visit.browser.http.post("/logout/confirm", data={"decision": "sign-out"})).status_code == 403
    assert await visit.is_signed_in()


@pytest.mark.parametrize(
    "target", [f"{SIGNED_OUT}/", f"{SIGNED_OUT}?a=b", "https://evil.test/", "javascript:alert(1)", "//evil.test"]
)
async def test_an_address_that_is_not_registered(visit: Visit, target: str) -> None:
    """Case 57."""
    answer = await visit.logout(follow=False, id_token_hint=visit.hint, post_logout_redirect_uri=target)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert await visit.is_signed_in()


async def test_an_address_without_a_hint_leads_nowhere(visit: Visit) -> None:
    """Case 57."""
    page = await visit.logout(client_id=visit.portal.client_id, post_logout_redirect_uri=SIGNED_OUT)
    assert page.status_code == 200
    done = await visit.browser.send("logout-form", decision="sign-out")
    assert done.status_code == 200
    assert "location" not in done.headers


async def test_hints_that_are_not_ours(world: ProviderWorld, visit: Visit) -> None:
    """Case 56: tampered, foreign, of another kind."""
    head, body, signature = visit.hint.split(".")
    claims = dict(decode_unverified(visit.hint).claims)
    forged = sign_jwt(SigningKey.generate("ES256"), claims, typ="JWT")
    for hint in (f"{head}.{body}.{signature[:-6]}AAAAAA", forged, visit.tokens["access_token"], "x"):
        answer = await visit.logout(follow=False, id_token_hint=hint, post_logout_redirect_uri=SIGNED_OUT)
        assert answer.status_code == 400
        assert "location" not in answer.headers
    other = await world.register()
    foreign = await visit.logout(
        follow=False, id_token_hint=visit.hint, client_id=other.client_id, post_logout_redirect_uri=SIGNED_OUT
    )
    assert foreign.status_code == 400
    assert await visit.is_signed_in()


async def test_a_hint_of_another_session_asks_first(world: ProviderWorld, visit: Visit) -> None:
    other = world.browser()
    await other.walk(visit.portal, "Binh")
    url = httpx.QueryParams({"id_token_hint": visit.hint, "post_logout_redirect_uri": SIGNED_OUT})
    page = await other.open(f"/logout?{url}")
    assert 'id="logout-form"' in page.text
    assert "https://rp.example" in page.headers["content-security-policy"]
    gone = await other.send("logout-form", decision="sign-out")
    assert gone.headers["location"] == SIGNED_OUT


async def test_by_post_and_when_nobody_is_signed_in(world: ProviderWorld, visit: Visit) -> None:
    answer = await world.http().post(
        "/logout", data={"id_token_hint": visit.hint, "post_logout_redirect_uri": SIGNED_OUT}
    )
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/logout?")
    gone = await world.http().get(answer.headers["location"])
    assert gone.headers["location"] == SIGNED_OUT
    assert 'id="logout-result"' in (await world.http().get("/logout")).text
    assert (await world.http().get("/logout?state=1&state=2")).status_code == 400

"""The modules of the OpenID Foundation's plan for RP-Initiated Logout 1.0, one test each, and what else §2 and §3 say.

The plan looks at three things: where the browser lands, that it lands nowhere else, and that `prompt=none` afterwards
tells the truth.
"""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.jose import SigningKey, decode_unverified
from tests.actors.relying_party import RelyingParty, answer_of, forged_jwt
from tests.support.provider_fixture import world
from tests.support.provider_world import SIGNED_OUT, CitizenBrowser, ProviderWorld

__all__ = ["world"]


class Visit:
    """A citizen signed in at a portal, and the request that the portal makes of it."""

    def __init__(self, portal: RelyingParty, browser: CitizenBrowser, tokens: dict[str, Any]) -> None:
        self.portal = portal
        self.browser = browser
        self.tokens = tokens
        self.params = {
            "id_token_hint": str(tokens["id_token"]),
            "post_logout_redirect_uri": SIGNED_OUT,
            "state": "s-1",
        }

    async def logout(self, **changes: str | None) -> httpx.Response:
        """changes: a parameter with None is left out."""
        params = {name: value for name, value in {**self.params, **changes}.items() if value is not None}
        self.browser.page = await self.browser.http.get("/logout", params=params)
        return self.browser.page

    async def confirm(self, decision: str = "sign-out") -> httpx.Response:
        return await self.browser.send("logout-form", decision=decision)

    async def is_signed_in(self) -> bool:
        return "code" in answer_of(await self.browser.http.get(self.portal.ask(prompt="none", scope="openid").url))


@pytest.fixture
async def visit(world: ProviderWorld) -> Visit:
    world.clock.advance(timedelta(seconds=30))
    portal, browser = await world.register(), world.browser()
    attempt, got = await browser.walk(portal, scope="openid")
    return Visit(portal, browser, (await portal.exchange(attempt, got["code"])).json())


def is_page(answer: httpx.Response, status: int, ident: str) -> bool:
    """A page of ours that leads nowhere by itself, with the element by which a test recognises it."""
    leads = "location" in answer.headers or "refresh" in answer.headers
    return answer.status_code == status and not leads and f'id="{ident}"' in answer.text


async def test_discovery_endpoint_verification(world: ProviderWorld) -> None:
    document = (await world.http().get("/.well-known/openid-configuration")).json()
    assert document["end_session_endpoint"] == f"{world.issuer}/logout"


async def test_rp_initiated_logout(visit: Visit) -> None:
    answer = await visit.logout()
    assert (answer.status_code, answer.headers["location"]) == (303, f"{SIGNED_OUT}?state=s-1")
    assert not await visit.is_signed_in()


async def test_bad_post_logout_redirect_uri(visit: Visit) -> None:
    assert is_page(await visit.logout(post_logout_redirect_uri=f"{SIGNED_OUT}/foobar"), 400, "error-code")


async def test_query_added_to_post_logout_redirect_uri(visit: Visit) -> None:
    assert is_page(await visit.logout(post_logout_redirect_uri=f"{SIGNED_OUT}?foo=bar"), 400, "error-code")


async def test_an_endless_state_is_neither_kept_nor_sent(visit: Visit) -> None:
    for state in ("s" * 2049, "s" * 60_000):
        answer = await visit.browser.http.post("/logout", data={**visit.params, "state": state})
        assert is_page(answer, 400, "error-code")
    assert await visit.is_signed_in()
    longest = "s" * 2048
    assert (await visit.logout(state=longest)).headers["location"] == f"{SIGNED_OUT}?state={longest}"


async def test_modified_id_token_hint(visit: Visit) -> None:
    """The plan sends the id_token with `alg: none` and without a signature; others change a letter."""
    claims = decode_unverified(visit.params["id_token_hint"]).claims
    signing = SigningKey.generate("ES256")
    unsigned = forged_jwt({"alg": "none"}, claims, signing).rpartition(".")[0] + "."
    head, body, signature = visit.params["id_token_hint"].split(".")
    swapped = ("A" if signature[0] != "A" else "B") + signature[1:]
    for hint in (
        unsigned,
        f"{head}.{body}.",
        f"{head}.{body}.{swapped}",
        forged_jwt({"alg": "ES256"}, claims, signing),
    ):
        assert is_page(await visit.logout(id_token_hint=hint), 400, "error-code")
    assert await visit.is_signed_in()


async def test_bad_id_token_hint(visit: Visit) -> None:
    for hint in ("foobar", "a.b.c", "." * 2, "x" * 8000):
        assert is_page(await visit.logout(id_token_hint=hint), 400, "error-code")
    assert await visit.is_signed_in()


async def test_no_id_token_hint(visit: Visit) -> None:
    """Asked first, and not sent on even then."""
    assert is_page(await visit.logout(id_token_hint=None), 200, "logout-form")
    assert await visit.is_signed_in()
    assert is_page(await visit.confirm(), 200, "logout-result")
    assert not await visit.is_signed_in()


async def test_no_params(visit: Visit) -> None:
    visit.params.clear()
    assert is_page(await visit.logout(), 200, "logout-form")
    assert is_page(await visit.confirm(), 200, "logout-result")
    assert not await visit.is_signed_in()


async def test_no_post_logout_redirect_uri(visit: Visit) -> None:
    assert is_page(await visit.logout(post_logout_redirect_uri=None), 200, "logout-result")
    assert not await visit.is_signed_in()


async def test_no_state(visit: Visit) -> None:
    answer = await visit.logout(state=None)
    assert answer.headers["location"] == SIGNED_OUT
    assert not await visit.is_signed_in()


async def test_only_state(visit: Visit) -> None:
    page = await visit.logout(id_token_hint=None, post_logout_redirect_uri=None)
    assert is_page(page, 200, "logout-form")
    assert is_page(await visit.confirm(), 200, "logout-result")


# --- beyond the plan ---------------------------------------------------------------------------------------


async def test_by_client_id_alone(visit: Visit) -> None:
    """§2: it says who asks, and proves nothing: the person is asked, and stays here."""
    page = await visit.logout(id_token_hint=None, client_id=visit.portal.client_id)
    assert is_page(page, 200, "logout-form")
    assert "Cổng dịch vụ công" in page.text
    assert is_page(await visit.confirm(), 200, "logout-result")


async def test_a_client_that_does_not_exist_is_no_error(visit: Visit) -> None:
    page = await visit.logout(id_token_hint=None, client_id="c-unknown")
    assert is_page(page, 200, "logout-form")


async def test_client_id_and_hint_must_agree(visit: Visit) -> None:
    right = await visit.logout(client_id=visit.portal.client_id, state=None)
    assert right.headers["location"] == SIGNED_OUT
    assert is_page(await visit.logout(client_id="c-another"), 400, "error-code")


async def test_languages(visit: Visit) -> None:
    """§2 ui_locales: the first that we have, and ours when there is none."""
    for wanted, language in (("en", "en"), ("fr en", "en"), ("vi-VN en", "vi"), ("fr", "vi")):
        page = await visit.logout(id_token_hint=None, ui_locales=wanted)
        assert page.headers["content-language"] == language


async def test_an_expired_hint_of_this_session(world: ProviderWorld, visit: Visit) -> None:
    """§2: it opens nothing, so its age does not matter."""
    world.clock.advance(timedelta(minutes=20))
    assert decode_unverified(visit.params["id_token_hint"]).claims["exp"] < world.clock.now().timestamp()
    answer = await visit.logout()
    assert answer.headers["location"] == f"{SIGNED_OUT}?state=s-1"


async def test_a_hint_of_an_earlier_session_asks(world: ProviderWorld, visit: Visit) -> None:
    await visit.logout()
    world.clock.advance(timedelta(seconds=30))
    await visit.browser.walk(visit.portal, scope="openid")
    assert is_page(await visit.logout(), 200, "logout-form")
    assert await visit.is_signed_in()
    assert (await visit.confirm()).headers["location"] == f"{SIGNED_OUT}?state=s-1"


async def test_a_suspended_client_gets_no_browser(world: ProviderWorld, visit: Visit) -> None:
    await world.fetch("UPDATE oidc.clients SET state = 'suspended' WHERE client_id = $1", visit.portal.client_id)
    world.provider.foundation.clients.forget(visit.portal.client_id)
    assert is_page(await visit.logout(), 200, "logout-form")
    assert is_page(await visit.confirm(), 200, "logout-result")


async def test_a_hint_without_sid_is_of_this_session_when_it_was_issued_since_it_began(
    world: ProviderWorld, visit: Visit
) -> None:
    """Only a client that is told of sign-outs gets `sid`; an older token of the same person asks first."""
    assert "sid" not in decode_unverified(str(visit.tokens["id_token"])).claims
    world.clock.advance(timedelta(seconds=30))
    later = world.browser()
    attempt, got = await later.walk(visit.portal, scope="openid")
    newer = Visit(visit.portal, later, (await visit.portal.exchange(attempt, got["code"])).json())
    assert is_page(await newer.logout(id_token_hint=str(visit.tokens["id_token"])), 200, "logout-form")
    assert await newer.is_signed_in()
    assert (await newer.logout()).status_code == 303
    assert not await newer.is_signed_in()
    assert await visit.is_signed_in()


async def test_a_hint_of_somebody_else_signs_nobody_out(world: ProviderWorld, visit: Visit) -> None:
    other = world.browser()
    attempt, got = await other.walk(visit.portal, "Binh", scope="openid")
    hint = (await visit.portal.exchange(attempt, got["code"])).json()["id_token"]
    assert is_page(await visit.logout(id_token_hint=hint), 200, "logout-form")
    assert await visit.is_signed_in()


async def test_by_post(world: ProviderWorld, visit: Visit) -> None:
    """§2: both methods. The hint goes no further than the form it came in."""
    sent = await visit.browser.http.post("/logout", data=visit.params)
    assert sent.status_code == 303
    assert visit.params["id_token_hint"] not in sent.headers["location"]
    answer = await visit.browser.http.get(sent.headers["location"])
    assert answer.headers["location"] == f"{SIGNED_OUT}?state=s-1"
    again = await visit.browser.http.get(sent.headers["location"])
    assert is_page(again, 400, "error-code")


async def test_state_cannot_break_out(visit: Visit) -> None:
    """Case 49."""
    answer = await visit.logout(state="a\r\nSet-Cookie: x=y&iss=z#f")
    assert answer.headers["location"] == f"{SIGNED_OUT}?state=a%0D%0ASet-Cookie%3A+x%3Dy%26iss%3Dz%23f"
    assert "x=y" not in answer.headers.get("set-cookie", "")


async def test_refresh_tokens_end_with_the_session(world: ProviderWorld) -> None:
    """Case 58: also those for offline access, since a person who signs out means it (docs/integrate-a-portal.md)."""
    world.clock.advance(timedelta(seconds=30))
    portal, browser = await world.register(), world.browser()
    attempt, got = await browser.walk(portal, scope="openid offline_access")
    tokens = (await portal.exchange(attempt, got["code"])).json()
    await browser.http.get("/logout", params={"id_token_hint": tokens["id_token"]})
    assert (await portal.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"

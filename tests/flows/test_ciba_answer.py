"""CIBA Core 1.0, the person's answer: whose it is, what it needs, what a lock or a suspended client leaves of it."""

from datetime import timedelta
from typing import Any

from identity.api import Identity
from oidc.ciba import requests as ciba_requests
from tests.support.ciba_fixture import desk, no_request_waits
from tests.support.elsewhere import Desk, answer_newest, error_of, make_desk, outcome_of, own_requests
from tests.support.provider_fixture import world
from tests.support.provider_world import ALL_SCOPES, OPERATOR, ProviderWorld

__all__ = ["desk", "no_request_waits", "world"]


async def test_a_request_is_its_persons_own(world: ProviderWorld, desk: Desk) -> None:
    asked = await desk.asked("An")
    owner, stranger = world.browser(), world.browser()
    page = (await own_requests(owner, "An"))[0]
    assert await own_requests(stranger, "Binh") == []
    assert (await stranger.open(page)).status_code == 404
    assert (await stranger.open("/me/requests/not-one")).status_code == 404
    # Even with the form of another: the request is looked for among one's own.
    await owner.open(page)
    mine = await desk.asked("Binh")
    await stranger.open((await own_requests(stranger, "Binh"))[0])
    answer = await stranger.http.post(page, data={"csrf": _csrf(stranger.page), "decision": "allow"})
    assert answer.status_code == 404
    assert error_of(await desk.collect(asked)) == "authorization_pending"
    assert error_of(await desk.collect(mine)) == "authorization_pending"


async def test_somebody_else_on_the_walk_ends_it(world: ProviderWorld, desk: Desk) -> None:
    """The walk asks for the level anew; another person signs in there."""
    asked = await desk.asked(acr_values="urn:dinhdanh:loa:ial2:aal2")
    browser = world.browser()
    await browser.open((await own_requests(browser))[0])
    page = await browser.send("request-form", decision="allow")
    await browser.open(f"/signin?i={page.url.params['i']}&other=1")
    assert outcome_of(await browser.sign_in("Binh")) == "failed"
    assert error_of(await desk.collect(asked)) == "access_denied"


async def test_the_answer_needs_the_form(world: ProviderWorld, desk: Desk) -> None:
    """Case 51."""
    asked = await desk.asked()
    browser = world.browser()
    page = (await own_requests(browser))[0]
    for form in ({"decision": "allow"}, {"decision": "allow", "csrf": "x" * 64}):
        assert (await browser.http.post(page, data=form)).status_code == 403
    await browser.open(page)
    assert outcome_of(await browser.send("request-form", decision="refuse")) == "refused"
    assert error_of(await desk.collect(asked)) == "access_denied"


async def test_a_walk_belongs_to_its_browser_and_its_kind(world: ProviderWorld, desk: Desk) -> None:
    await desk.asked("Binh", scope="openid email phone")
    browser, other = world.browser(), world.browser()
    await browser.open((await own_requests(browser, "Binh"))[0])
    page = await browser.send("request-form", decision="allow")
    ident = page.url.params["i"]
    for address in (f"/ciba/resume?i={ident}",):
        assert (await other.open(address)).status_code == 400
    for address in (f"/authorize/resume?i={ident}", f"/device/resume?i={ident}", f"/device/confirm?i={ident}"):
        assert (await browser.open(address)).status_code == 400


async def test_markup_in_the_message_stays_text(world: ProviderWorld, desk: Desk) -> None:
    """Case 60, 63."""
    await desk.asked(binding_message='<b onclick="x()">4711</b>')
    browser = world.browser()
    page = await browser.open((await own_requests(browser))[0])
    assert "<b onclick" not in page.text
    assert "&lt;b onclick=&#34;x()&#34;&gt;4711" in page.text
    assert page.headers["x-frame-options"] == "DENY"
    await browser.send("request-form", decision="refuse")


async def test_a_locked_account_answers_nothing(world: ProviderWorld, desk: Desk) -> None:
    """Case 60: what waits is refused with the lock; what was allowed and not collected is worth nothing."""
    waiting, collected = await desk.asked("Chau"), await desk.asked("Chau", binding_message="2")
    await answer_newest(world.browser(), "allow", "Chau")
    async with world.database.page() as tx:
        await world.parts.get(Identity).lock(tx, await world.person("Chau"), "holder", by=OPERATOR)
    await world.run_events()
    try:
        assert error_of(await desk.collect(waiting)) == "access_denied"
        assert error_of(await desk.collect(collected)) == "access_denied"
        later = await desk.asked("Chau")
        assert error_of(await desk.collect(later)) == "authorization_pending"
    finally:
        async with world.database.page() as tx:
            await world.parts.get(Identity).unlock(
                tx, await world.person("Chau"), "holder", cleared_by="holder", by=OPERATOR
            )


async def test_a_client_that_was_suspended_gets_nothing(world: ProviderWorld) -> None:
    desk = await make_desk(world)
    await desk.asked()
    browser = world.browser()
    page = (await own_requests(browser))[0]
    async with world.database.raw() as tx:
        await world.provider.registrar.set_state(tx, desk.party.client_id, "suspended", by=OPERATOR)
    world.provider.foundation.clients.forget(desk.party.client_id)
    assert await own_requests(browser) == []
    assert outcome_of(await browser.open(page)) == "expired"


async def test_what_ended_a_day_ago_is_forgotten(world: ProviderWorld, desk: Desk) -> None:
    await desk.asked()
    async with world.worker.raw() as tx:
        assert await ciba_requests.forget(tx, now=world.clock.now() + timedelta(days=2)) > 0
    assert await world.fetch("SELECT 1 FROM oidc.ciba_requests") == []


async def test_scopes_of_all_purposes_are_shown(world: ProviderWorld, desk: Desk) -> None:
    asked = await desk.asked(scope=ALL_SCOPES.replace(" purpose:without-policy", ""))
    assert outcome_of(await answer_newest(world.browser(), "allow")) == "allowed"
    assert (await desk.collect(asked)).json()["scope"].split() == ALL_SCOPES.replace(
        " purpose:without-policy", ""
    ).split()


def _csrf(page: Any) -> str:
    found: str = page.text.split('name="csrf" value="')[1].split('"')[0]
    return found

"""Third-Party Initiated Login (OpenID Connect Core §4), from the page of services a person uses."""

import re
from datetime import timedelta
from html import unescape

import httpx

from oidc.services import initiated_login
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld, fresh

__all__ = ["world"]


def links(page: httpx.Response, kind: str) -> list[str]:
    return [unescape(found) for found in re.findall(rf'id="service-{kind}-\d+" href="([^"]*)"', page.text)]


async def test_the_way_back_to_a_service(world: ProviderWorld) -> None:
    browser = world.browser()
    starts = await world.register(initiate_login_uri="https://rp.example/login?a=b")
    plain = await world.register(client_uri="https://rp.example/about")
    unredeemed = await world.register(initiate_login_uri="https://rp.example/never")
    for portal in (plain, starts):
        world.clock.advance(timedelta(seconds=30))
        attempt, got = await browser.walk(portal, "Chau", scope="openid")
        assert (await portal.exchange(attempt, got["code"])).status_code == 200
    await browser.walk(unredeemed, "Chau", scope="openid")
    page = await browser.open("/me/services")
    assert page.status_code == 200
    assert page.text.count('class="card"') == 2
    assert links(page, "start") == [initiated_login("https://rp.example/login?a=b", world.issuer)]
    assert links(page, "home") == ["https://rp.example/about"]
    # Nothing about the person goes along, and the portal's name is text, not markup.
    assert "login_hint" not in page.text
    await world.fetch("UPDATE oidc.clients SET state = 'suspended' WHERE client_id = $1", starts.client_id)
    assert links(await browser.open("/me/services"), "start") == []


async def test_names_are_escaped(world: ProviderWorld) -> None:
    """Case 63."""
    browser, name = world.browser(), f"<b>{fresh('x')}</b>"
    portal = await world.register(client_name=name)
    world.clock.advance(timedelta(seconds=30))
    attempt, got = await browser.walk(portal, scope="openid")
    await portal.exchange(attempt, got["code"])
    page = await browser.open("/me/services")
    assert name not in page.text
    assert name.replace("<", "&lt;").replace(">", "&gt;") in page.text


async def test_nobody_sees_it_without_signing_in(world: ProviderWorld) -> None:
    answer = await world.http().get("/me/services")
    assert answer.headers["location"].startswith("/signin?")


async def test_a_walk_that_has_died_shows_the_way_back(world: ProviderWorld) -> None:
    page = await world.http().get("/authorize/resume?i=gone")
    assert page.status_code == 400
    assert 'href="/me/services"' in page.text


async def test_it_is_registered_and_shown_again(world: ProviderWorld) -> None:
    portal = await world.register(initiate_login_uri="https://rp.example/login")
    client = await world.provider.foundation.clients.get(portal.client_id)
    assert client is not None
    assert client.options.initiate_login_uri == "https://rp.example/login"


def test_the_address() -> None:
    issuer = "https://id.example"
    assert initiated_login("https://rp.example/l", issuer) == "https://rp.example/l?iss=https%3A%2F%2Fid.example"
    with_target = initiated_login("https://rp.example/l?a=b", issuer, target_link_uri="https://rp.example/x?y=z&u")
    assert with_target == (
        "https://rp.example/l?a=b&iss=https%3A%2F%2Fid.example&target_link_uri=https%3A%2F%2Frp.example%2Fx%3Fy%3Dz%26u"
    )

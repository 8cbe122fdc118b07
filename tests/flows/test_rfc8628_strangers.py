"""RFC 8628, what strangers try: guessing codes, forging the forms, filling the cache and the table."""

import re
from datetime import timedelta

import httpx
import pytest

from core.cache import Cache
from core.web.brake import Brake
from oidc.device import guessing
from oidc.device import requests as device_requests
from tests.support.elsewhere import Kiosk, answer_code, enter_code, error_of, make_kiosk, outcome_of, wait
from tests.support.kiosk_fixture import fresh_windows, kiosk, to_confirm
from tests.support.provider_fixture import world
from tests.support.provider_world import CitizenBrowser, ProviderWorld

__all__ = ["fresh_windows", "kiosk", "world"]


# --- guessing and forging (§5.1, case 59, case 51) ---------------------------------------------------------------


async def test_what_cannot_be_a_code_is_told_and_not_counted(world: ProviderWorld) -> None:
    browser = world.browser()
    for typed in ("", "ABC", "AAAA-AAAA", "1234-5678", "BCDF-GHJKL", "<b>"):
        page = await enter_code(browser, typed)
        assert page.status_code == 422
        assert 'id="user_code-error"' in page.text
    keys = [key async for key in world.parts.get(Cache).redis.scan_iter("dd:device-code-tries:*")]
    assert keys == []


async def test_guessing_is_braked_by_browser_by_network_and_for_all(world: ProviderWorld, kiosk: Kiosk) -> None:
    """A brake stops the right code too; whoever is signed in is counted by himself."""
    told, browser, cache = await kiosk.asked(), world.browser(), world.parts.get(Cache)
    for _ in range(guessing.BROWSER):
        assert (await enter_code(browser, "BBBB-BBBB")).status_code == 422
    page = await enter_code(browser, told["user_code"])
    assert page.status_code == 429
    assert int(page.headers["retry-after"]) > 0
    # Another browser of the same network is not stopped, until the network is, or all strangers are.
    await to_confirm(world.browser(), told["user_code"])
    *_, network, everybody = guessing.lanes_of(person_id=None, browser="", network="198.51.100.0/24")
    for lane in (network, everybody):
        await cache.redis.flushdb()
        for _ in range(lane.most - 1):
            await guessing.claim(cache, [lane])
        assert (await enter_code(world.browser(), "BBBB-BBBB")).status_code == 422
        assert (await enter_code(world.browser(), told["user_code"])).status_code == 429
        signed_in = world.browser()
        await signed_in.open("/me/consents")
        await signed_in.sign_in("Binh")
        await to_confirm(signed_in, told["user_code"])
        for _ in range(guessing.PERSON):
            assert (await enter_code(signed_in, "BBBB-BBBB")).status_code == 422
        assert (await enter_code(signed_in, told["user_code"])).status_code == 429


async def test_one_machine_with_many_addresses_is_one_network(world: ProviderWorld, kiosk: Kiosk) -> None:
    """An IPv6 host has endless addresses; it stops itself, not everybody."""
    told = await kiosk.asked()
    for host in range(guessing.NETWORK + 1):
        transport = httpx.ASGITransport(world.app, client=(f"2001:db8:7::{host:x}", 4711))
        browser = CitizenBrowser(world, httpx.AsyncClient(transport=transport, base_url=world.issuer))
        page = await enter_code(browser, "BBBB-BBBB")
        assert page.status_code == (422 if host < guessing.NETWORK else 429)
    await to_confirm(world.browser(), told["user_code"])


async def test_right_codes_do_not_count(world: ProviderWorld, kiosk: Kiosk) -> None:
    """A hall full of people at one address, who all enter what they see."""
    for _ in range(guessing.BROWSER + 2):
        told = await kiosk.asked()
        browser = world.browser()
        await to_confirm(browser, told["user_code"])
    redis = world.parts.get(Cache).redis
    values = [await redis.get(key) async for key in redis.scan_iter("dd:device-code-tries:*")]
    assert set(values) == {b"0"}


async def test_a_right_code_fills_the_cache_for_nobody(
    world: ProviderWorld, kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right codes are no guesses; each leaves something in the cache all the same."""
    monkeypatch.setattr("core.interaction.STRANGERS", Brake("few", 2))
    told = await kiosk.asked()
    answers = [await enter_code(world.browser(), told["user_code"]) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


async def test_the_forms_belong_to_their_browser(world: ProviderWorld, kiosk: Kiosk) -> None:
    """Case 51."""
    told, browser, other = await kiosk.asked(), world.browser(), world.browser()
    assert (await other.http.post("/device", data={"user_code": told["user_code"]})).status_code == 403
    page = await to_confirm(browser, told["user_code"])
    address = f"/device/confirm?i={page.url.params['i']}"
    assert (await other.open(address)).status_code == 400
    assert (await browser.http.post(address, data={"decision": "allow", "same": "yes"})).status_code == 403
    await other.open("/device")
    csrf = re.search(r'name="csrf" value="([^"]+)"', other.page.text if other.page else "")
    assert csrf
    stolen = await other.http.post(address, data={"csrf": csrf[1], "decision": "allow", "same": "yes"})
    assert stolen.status_code == 400
    assert (await browser.open(f"/device/resume?i={page.url.params['i']}")).status_code == 400
    assert error_of(await kiosk.collect(told["device_code"])) == "authorization_pending"


async def test_entered_twice_answered_once(world: ProviderWorld, kiosk: Kiosk) -> None:
    told, first, second = await kiosk.asked(), world.browser(), world.browser()
    await to_confirm(first, told["user_code"])
    await to_confirm(second, told["user_code"])
    assert outcome_of(await first.send("device-confirm-form", decision="refuse")) == "refused"
    assert outcome_of(await second.send("device-confirm-form", decision="allow", same="yes")) == "expired"
    assert error_of(await kiosk.collect(told["device_code"])) == "access_denied"


async def test_pages_are_not_framed_and_leak_no_address(world: ProviderWorld, kiosk: Kiosk) -> None:
    told = await kiosk.asked()
    for page in (await world.browser().open("/device"), await to_confirm(world.browser(), told["user_code"])):
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"


async def test_nobody_fills_the_table(world: ProviderWorld, kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kiosk without a secret is anybody: few requests of a network for each client, and small ones."""
    await kiosk.asked(ui_locales="en " + "x-filling " * 6_000)
    (row,) = await world.fetch("SELECT sealed FROM oidc.device_requests ORDER BY requested_at DESC LIMIT 1")
    assert len(row["sealed"]) < 500
    assert error_of(await kiosk.ask(acr_values="urn:x " * 2_000)) == "invalid_request"
    monkeypatch.setattr("oidc.device.endpoint.STRANGERS", Brake("few", 2))
    answers = [await kiosk.ask() for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[-1].headers["retry-after"] == "60"
    other, known = await make_kiosk(world, method="none"), await make_kiosk(world)
    assert (await other.ask()).status_code == 200
    assert [(await known.ask()).status_code for _ in range(4)] == [200] * 4


async def test_what_nobody_answered_is_soon_forgotten(world: ProviderWorld, kiosk: Kiosk) -> None:
    left, told = await kiosk.asked(scope="openid"), await kiosk.asked(scope="openid")
    await answer_code(world.browser(), told["user_code"])
    wait(world, 10 * 60 + 1)
    async with world.worker.raw() as tx:
        await device_requests.forget(tx, now=world.clock.now())
    assert error_of(await kiosk.collect(left["device_code"])) == "expired_token"
    wait(world, 10 * 60)
    async with world.worker.raw() as tx:
        await device_requests.forget(tx, now=world.clock.now())
    rows = await world.fetch("SELECT state FROM oidc.device_requests WHERE expires_at < $1", world.clock.now())
    assert "waiting" not in {row["state"] for row in rows}
    assert "approved" in {row["state"] for row in rows}


async def test_what_ended_a_day_ago_is_forgotten(world: ProviderWorld, kiosk: Kiosk) -> None:
    await kiosk.asked()
    async with world.worker.raw() as tx:
        assert await device_requests.forget(tx, now=world.clock.now() + timedelta(days=2)) > 0
    assert await world.fetch("SELECT 1 FROM oidc.device_requests") == []

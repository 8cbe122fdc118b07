"""RFC 8628: a kiosk shows a code, the person enters it elsewhere; every refusal, guessing, and what strangers try."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.cache import Cache
from core.jose import SigningKey, decode_unverified
from core.web.brake import Brake
from identity.api import Identity
from oidc.device import guessing
from oidc.device import requests as device_requests
from tests.actors.relying_party import DROP
from tests.support.elsewhere import (
    DEVICE,
    Kiosk,
    answer_code,
    enter_code,
    error_of,
    make_kiosk,
    outcome_of,
    wait,
)
from tests.support.provider_fixture import world
from tests.support.provider_world import OPERATOR, CitizenBrowser, ProviderWorld

__all__ = ["world"]


@pytest.fixture(scope="module")
async def kiosk(world: ProviderWorld) -> Kiosk:
    """One that cannot keep a secret: it stands in a hall."""
    return await make_kiosk(world, method="none")


@pytest.fixture(autouse=True)
async def fresh_windows(world: ProviderWorld) -> None:
    await world.parts.get(Cache).redis.flushdb()
    wait(world, 3600)


async def to_confirm(browser: CitizenBrowser, code: str) -> Any:
    page = await enter_code(browser, code)
    assert 'id="device-confirm-form"' in page.text, page.text
    return page


# --- the way through ---------------------------------------------------------------------------------------


async def test_the_answer_to_the_kiosk(world: ProviderWorld, kiosk: Kiosk) -> None:
    """§3.2."""
    answer = await kiosk.ask()
    told = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", told["user_code"])
    assert told["verification_uri"] == f"{world.issuer}/device"
    assert told["verification_uri_complete"] == f"{world.issuer}/device?user_code={told['user_code']}"
    assert (told["expires_in"], told["interval"]) == (600, 5)
    assert len(told["device_code"]) >= 35
    assert (await kiosk.asked())["device_code"] != told["device_code"]
    rows = await world.fetch("SELECT r::text AS whole FROM oidc.device_requests r")
    for secret in (told["device_code"], told["user_code"], told["user_code"].replace("-", "")):
        assert not any(secret in row["whole"] for row in rows)


async def test_the_whole_way(world: ProviderWorld, kiosk: Kiosk) -> None:
    told = await kiosk.asked(scope="openid profile offline_access")
    assert error_of(await kiosk.collect(told["device_code"])) == "authorization_pending"
    browser = world.browser()
    page = await to_confirm(browser, told["user_code"].replace("-", " ").lower())
    for text in ("Cổng dịch vụ công", "Sở Giáo dục và Đào tạo", "sign-in", told["user_code"], 'id="offline"'):
        assert text in page.text
    assert outcome_of(await answer_code(browser, told["user_code"])) == "allowed"
    tokens = (await kiosk.collect(told["device_code"])).json()
    claims = decode_unverified(tokens["id_token"]).claims
    assert claims["aud"] == kiosk.party.client_id
    assert (await kiosk.party.userinfo(tokens["access_token"])).json()["name"]
    assert (await kiosk.party.refresh(tokens["refresh_token"])).status_code == 200
    allowed = next(line for line in await world.lines("An") if line.line.action == "oidc.request-allowed")
    assert allowed.line.details == {"client": kiosk.party.client_id, "way": "device"}


async def test_an_old_sign_in_is_made_anew(world: ProviderWorld, kiosk: Kiosk) -> None:
    """As with CIBA, max_age counts from the answer."""
    browser = world.browser()
    await browser.open("/me/consents")
    await browser.sign_in("An")
    wait(world, 90)
    for max_age, signs_in in (("3600", False), ("60", True)):
        told = await kiosk.asked(scope="openid", max_age=max_age)
        await to_confirm(browser, told["user_code"])
        page = await browser.send("device-confirm-form", decision="allow", same="yes")
        assert ('id="signin-form"' in page.text) == signs_in
    assert outcome_of(await browser.sign_in("An")) == "allowed"


async def test_the_session_at_home_is_not_the_kiosks(world: ProviderWorld, kiosk: Kiosk) -> None:
    """Signing out on one's own device ends nothing on the other."""
    told, browser = await kiosk.asked(), world.browser()
    await answer_code(browser, told["user_code"], key="Binh")
    tokens = (await kiosk.collect(told["device_code"])).json()
    await browser.open("/signout")
    await browser.send("signout-form")
    await world.run_events()
    assert (await kiosk.party.userinfo(tokens["access_token"])).status_code == 200


async def test_a_kiosk_with_a_key_of_its_own(world: ProviderWorld) -> None:
    """private_key_jwt and DPoP, as with every other grant."""
    kiosk = await make_kiosk(world, profile="fapi2", method="private_key_jwt")
    told = await kiosk.asked()
    assert outcome_of(await answer_code(world.browser(), told["user_code"])) == "allowed"
    key, kiosk.party.proof_key = kiosk.party.proof_key, None
    assert error_of(await kiosk.collect(told["device_code"])) == "invalid_dpop_proof"
    kiosk.party.proof_key = key
    tokens = (await kiosk.collect(told["device_code"])).json()
    assert tokens["token_type"] == "DPoP"
    assert (await kiosk.party.userinfo(tokens["access_token"])).status_code == 200
    kiosk.party.proof_key = SigningKey.generate("ES256")
    assert (await kiosk.party.userinfo(tokens["access_token"])).status_code == 401


async def test_the_link_fills_in_and_does_nothing_more(world: ProviderWorld, kiosk: Kiosk) -> None:
    """§3.3.1, §5.4: whoever is sent the link still has to press, and to say that the code is before him."""
    told, browser = await kiosk.asked(), world.browser()
    page = await browser.open(told["verification_uri_complete"].removeprefix(world.issuer))
    assert f'value="{told["user_code"]}"' in page.text
    assert error_of(await kiosk.collect(told["device_code"])) == "authorization_pending"
    page = await browser.send("device-form", user_code=told["user_code"])
    unsure = await browser.send("device-confirm-form", decision="allow")
    assert unsure.status_code == 422
    assert 'id="same-error"' in unsure.text
    page = await browser.open(f"/device?user_code={'%22%3E%3Cscript%3E'}")
    assert "<script>" not in page.text


# --- refusing ------------------------------------------------------------------------------------------------


async def test_refusing_on_the_first_page(world: ProviderWorld, kiosk: Kiosk) -> None:
    """Without signing in, without ticking anything."""
    told = await kiosk.asked()
    assert outcome_of(await answer_code(world.browser(), told["user_code"], "refuse")) == "refused"
    assert error_of(await kiosk.collect(told["device_code"])) == "access_denied"
    page = await enter_code(world.browser(), told["user_code"])
    assert page.status_code == 422


async def test_refusing_the_sign_in_or_the_data(world: ProviderWorld, kiosk: Kiosk) -> None:
    first, second = await kiosk.asked(), await kiosk.asked()
    browser = world.browser()
    await to_confirm(browser, first["user_code"])
    await browser.send("device-confirm-form", decision="allow", same="yes")
    assert outcome_of(await browser.send("leave-form")) == "refused"
    assert error_of(await kiosk.collect(first["device_code"])) == "access_denied"
    await to_confirm(browser, second["user_code"])
    await browser.send("device-confirm-form", decision="allow", same="yes")
    await browser.sign_in("Binh")
    assert outcome_of(await browser.refuse()) == "refused"
    assert error_of(await kiosk.collect(second["device_code"])) == "access_denied"
    assert any(
        line.line.action == "oidc.request-refused" and line.line.details["way"] == "device"
        for line in await world.lines("Binh")
    )


async def test_a_level_that_cannot_be_reached(world: ProviderWorld, kiosk: Kiosk) -> None:
    told, browser = await kiosk.asked(acr_values="urn:dinhdanh:loa:ial2:aal2"), world.browser()
    await to_confirm(browser, told["user_code"])
    await browser.send("device-confirm-form", decision="allow", same="yes")
    await browser.sign_in("Chau")
    assert outcome_of(await browser.send("leave-form")) == "failed"
    assert error_of(await kiosk.collect(told["device_code"])) == "access_denied"


# --- the device authorization request (§3.1) -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": DROP}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid admin"}, "invalid_scope"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"claims": "{"}, "invalid_request"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
    ],
)
async def test_a_request_that_does_not_hold(kiosk: Kiosk, changes: dict[str, Any], error: str) -> None:
    assert error_of(await kiosk.ask(**changes)) == error


async def test_who_may_ask(world: ProviderWorld, kiosk: Kiosk) -> None:
    portal = Kiosk(world, await world.register())
    assert error_of(await portal.ask()) == "unauthorized_client"
    closed = await make_kiosk(world)
    closed.party.secret = "wrong"
    assert (await closed.ask()).status_code == 401
    assert error_of(await world.http().post("/device_authorization", data={"scope": "openid"})) == "invalid_client"
    form = {"client_id": "nobody", "scope": "openid"}
    assert (await world.http().post("/device_authorization", data=form)).status_code == 401
    assert (await world.http().get("/device_authorization")).status_code == 405


# --- collecting (§3.4, §3.5) -----------------------------------------------------------------------------------


async def test_who_asks_too_fast_waits_longer_each_time(world: ProviderWorld, kiosk: Kiosk) -> None:
    code = (await kiosk.asked())["device_code"]
    assert error_of(await kiosk.collect(code)) == "authorization_pending"
    wait(world, 4)
    assert error_of(await kiosk.collect(code)) == "slow_down"  # now 10 seconds
    wait(world, 9)
    assert error_of(await kiosk.collect(code)) == "slow_down"  # now 15
    wait(world, 15)
    assert error_of(await kiosk.collect(code)) == "authorization_pending"


async def test_time_runs_out(world: ProviderWorld, kiosk: Kiosk) -> None:
    told, browser, late = await kiosk.asked(), world.browser(), world.browser()
    await to_confirm(browser, told["user_code"])
    wait(world, 600)
    assert error_of(await kiosk.collect(told["device_code"])) == "expired_token"
    assert outcome_of(await browser.send("device-confirm-form", decision="allow", same="yes")) == "expired"
    assert (await enter_code(late, told["user_code"])).status_code == 422
    assert error_of(await kiosk.collect(told["device_code"])) == "expired_token"


async def test_time_runs_out_while_signing_in(world: ProviderWorld, kiosk: Kiosk) -> None:
    told, browser = await kiosk.asked(), world.browser()
    await to_confirm(browser, told["user_code"])
    await browser.send("device-confirm-form", decision="allow", same="yes")
    wait(world, 600)
    assert outcome_of(await browser.sign_in("An")) == "expired"


async def test_another_clients_code_is_unknown(world: ProviderWorld, kiosk: Kiosk) -> None:
    """Case 59."""
    told = await kiosk.asked()
    thief = await make_kiosk(world, method="none")
    await answer_code(world.browser(), told["user_code"])
    assert error_of(await thief.collect(told["device_code"])) == "invalid_grant"
    assert error_of(await kiosk.collect("A" * 35)) == "invalid_grant"
    assert error_of(await kiosk.collect(told["user_code"])) == "invalid_grant"
    assert error_of(await kiosk.party.post("/token", {"grant_type": DEVICE})) == "invalid_request"
    portal = Kiosk(world, await world.register())
    assert error_of(await portal.collect(told["device_code"])) == "unauthorized_client"
    assert (await kiosk.collect(told["device_code"])).status_code == 200


async def test_a_slip_in_the_token_request_spends_no_answer(world: ProviderWorld, kiosk: Kiosk) -> None:
    told = await kiosk.asked(scope="openid")
    await answer_code(world.browser(), told["user_code"])
    for slip, error in (
        ({"resource": "https://nowhere.example"}, "invalid_target"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
    ):
        assert error_of(await kiosk.collect(told["device_code"], **slip)) == error
    assert (await kiosk.collect(told["device_code"])).status_code == 200


async def test_collecting_twice_ends_what_was_collected(world: ProviderWorld, kiosk: Kiosk) -> None:
    told = await kiosk.asked(scope="openid offline_access")
    await answer_code(world.browser(), told["user_code"])
    tokens = (await kiosk.collect(told["device_code"])).json()
    assert error_of(await kiosk.collect(told["device_code"])) == "invalid_grant"
    assert error_of(await kiosk.party.refresh(tokens["refresh_token"])) == "invalid_grant"


async def test_a_lock_between_answer_and_collecting(world: ProviderWorld, kiosk: Kiosk) -> None:
    told = await kiosk.asked(scope="openid")
    await answer_code(world.browser(), told["user_code"], key="Chau")
    identity, person_id = world.parts.get(Identity), await world.person("Chau")
    async with world.database.page() as tx:
        await identity.lock(tx, person_id, "holder", by=OPERATOR)
    await world.run_events()
    async with world.database.page() as tx:
        await identity.unlock(tx, person_id, "holder", cleared_by="holder", by=OPERATOR)
    assert error_of(await kiosk.collect(told["device_code"])) == "access_denied"


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

"""RFC 8628: a kiosk shows a code, the person enters it elsewhere; every refusal."""

import re
from typing import Any

import pytest

from core.jose import SigningKey, decode_unverified
from identity.api import Identity
from tests.actors.relying_party import DROP, essential_acr
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
from tests.support.kiosk_fixture import fresh_windows, kiosk, to_confirm
from tests.support.provider_fixture import world
from tests.support.provider_world import OPERATOR, ProviderWorld

__all__ = ["fresh_windows", "kiosk", "world"]


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


async def test_an_essential_level_that_cannot_be_reached(world: ProviderWorld, kiosk: Kiosk) -> None:
    told, browser = await kiosk.asked(claims=essential_acr("urn:dinhdanh:loa:ial2:aal2")), world.browser()
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
        ({"scope": "openid admin"}, "invalid_scope"),  # RFC 6749 §5.2: unknown is said, not passed over
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

"""CIBA Core 1.0 and FAPI-CIBA, poll mode: the way from the request to the tokens, and what the client collects."""

import pytest

from core.jose import decode_unverified
from population_db.synthetic.personas import persona
from tests.actors.relying_party import DROP, essential_acr
from tests.conformance.suite import entropy_bits
from tests.support.ciba_fixture import desk, fapi, no_request_waits
from tests.support.elsewhere import (
    CIBA,
    MESSAGE,
    Desk,
    answer_newest,
    error_of,
    give_code,
    make_desk,
    outcome_of,
    own_requests,
    wait,
)
from tests.support.provider_fixture import world
from tests.support.provider_world import REDIRECT, ProviderWorld

__all__ = ["desk", "fapi", "no_request_waits", "world"]


# --- the way through ---------------------------------------------------------------------------------------


async def test_the_whole_way(world: ProviderWorld, desk: Desk) -> None:
    answer = await desk.ask(scope="openid profile offline_access")
    told = answer.json()
    assert set(told) == {"auth_req_id", "expires_in", "interval"}
    assert (told["expires_in"], told["interval"]) == (600, 5)
    assert answer.headers["cache-control"] == "no-store"
    assert error_of(await desk.collect(told["auth_req_id"])) == "authorization_pending"

    browser = world.browser()
    page = await browser.open((await own_requests(browser, "An"))[0])
    assert 'id="offline"' in page.text
    assert outcome_of(await answer_newest(browser, "allow")) == "allowed"
    wait(world, 5)
    tokens = (await desk.collect(told["auth_req_id"])).json()
    claims = decode_unverified(tokens["id_token"]).claims
    assert claims["aud"] == desk.party.client_id
    assert claims["acr"] == "urn:dinhdanh:loa:ial2:aal1"
    assert "nonce" not in claims
    assert "urn:openid:params:jwt:claim:auth_req_id" not in claims  # push only, which there is not
    assert claims.get("sid", "") is not None
    assert (await desk.party.userinfo(tokens["access_token"])).json()["name"] == persona("An").full_name
    assert (await desk.party.refresh(tokens["refresh_token"])).status_code == 200
    allowed = next(line for line in await world.lines("An") if line.line.action == "oidc.request-allowed")
    assert allowed.line.details["client"] == desk.party.client_id
    assert await own_requests(browser) == []


async def test_a_fapi_client_signs_and_binds(world: ProviderWorld, fapi: Desk) -> None:
    answer = await fapi.ask_signed(scope="openid profile", requested_expiry=120)
    assert answer.status_code == 200, answer.text
    assert answer.json()["expires_in"] == 120
    browser = world.browser()
    assert outcome_of(await answer_newest(browser, "allow")) == "allowed"
    tokens = (await fapi.collect(answer.json()["auth_req_id"])).json()
    assert tokens["token_type"] == "DPoP"
    assert (await fapi.party.userinfo(tokens["access_token"])).status_code == 200
    answer = await fapi.ask_signed()
    await answer_newest(browser, "allow")
    fapi.party.proof_key, key = None, fapi.party.proof_key
    assert error_of(await fapi.collect(answer.json()["auth_req_id"])) == "invalid_dpop_proof"
    fapi.party.proof_key = key
    assert (await fapi.collect(answer.json()["auth_req_id"])).status_code == 200


async def test_the_page_says_who_asks_what_for_and_the_message(world: ProviderWorld, desk: Desk) -> None:
    await desk.asked(scope="openid purpose:school-enrolment")
    browser = world.browser()
    listed = await own_requests(browser)
    page = await browser.open(listed[0])
    for text in ("Cổng dịch vụ công", "Sở Giáo dục và Đào tạo", "school-enrolment", MESSAGE):
        assert text in page.text
    assert persona("An").number not in page.text
    start = await browser.open("/me")
    if 'id="code-form"' in start.text:
        start = await give_code(browser, "An")
    assert 'id="waiting-requests"' in start.text


async def test_the_asked_level_is_reached_first(world: ProviderWorld, desk: Desk) -> None:
    """acr_values: a session of one factor is stepped up on the walk."""
    asked = await desk.asked(acr_values="urn:dinhdanh:loa:ial2:aal2")
    browser = world.browser()
    await browser.open((await own_requests(browser))[0])
    page = await browser.send("request-form", decision="allow")
    assert 'id="code-form"' in page.text
    assert outcome_of(await give_code(browser, "An")) == "allowed"
    tokens = (await desk.collect(asked)).json()
    assert decode_unverified(tokens["id_token"]).claims["acr"] == "urn:dinhdanh:loa:ial2:aal2"


@pytest.mark.parametrize("max_age", [60, 0])
async def test_an_old_sign_in_is_made_anew(world: ProviderWorld, desk: Desk, max_age: int) -> None:
    """max_age counts from the answer: who signed in before that signs in again, however he was signed in."""
    browser = world.browser()
    await own_requests(browser)
    wait(world, 90)
    asked = await desk.asked(max_age=max_age)
    page = await answer_newest(browser, "allow")
    assert 'id="signin-form"' in page.text, page.text
    assert error_of(await desk.collect(asked)) == "authorization_pending"
    answered_at = world.clock.now()
    assert outcome_of(await browser.sign_in("An")) == "allowed"
    claims = decode_unverified((await desk.collect(asked)).json()["id_token"]).claims
    assert claims["auth_time"] == int(answered_at.timestamp())


async def test_refusing_is_one_press(world: ProviderWorld, desk: Desk) -> None:
    asked = await desk.asked()
    assert outcome_of(await answer_newest(world.browser(), "refuse")) == "refused"
    assert error_of(await desk.collect(asked)) == "access_denied"
    assert error_of(await desk.collect(asked)) == "access_denied"
    assert any(line.line.action == "oidc.request-refused" for line in await world.lines("An"))


async def test_refusing_the_data_is_refusing(world: ProviderWorld, desk: Desk) -> None:
    asked = await desk.asked("Binh", scope="openid email")
    browser = world.browser()
    await browser.open((await own_requests(browser, "Binh"))[0])
    await browser.send("request-form", decision="allow")
    assert outcome_of(await browser.refuse()) == "refused"
    assert error_of(await desk.collect(asked)) == "access_denied"


async def test_a_wished_level_that_cannot_be_reached_is_told_as_it_is(world: ProviderWorld, desk: Desk) -> None:
    """CIBA §7.1: how the person is authenticated is the provider's to say, in `acr`."""
    asked = await desk.asked("Chau", acr_values="urn:dinhdanh:loa:ial2:aal2")
    browser = world.browser()
    await browser.open((await own_requests(browser, "Chau"))[0])
    assert outcome_of(await browser.send("request-form", decision="allow")) == "allowed"
    tokens = (await desk.collect(asked)).json()
    assert decode_unverified(tokens["id_token"]).claims["acr"] == "urn:dinhdanh:loa:ial1:aal1"


async def test_an_essential_level_that_cannot_be_reached_is_a_refusal(world: ProviderWorld, desk: Desk) -> None:
    asked = await desk.asked("Chau", claims=essential_acr("urn:dinhdanh:loa:ial2:aal2"))
    browser = world.browser()
    await browser.open((await own_requests(browser, "Chau"))[0])
    await browser.send("request-form", decision="allow")
    assert outcome_of(await browser.send("leave-form")) == "failed"
    assert error_of(await desk.collect(asked)) == "access_denied"


async def test_a_hint_by_id_token(world: ProviderWorld) -> None:
    """Of a client that signs people in by code as well; from its own tokens only."""
    both = await make_desk(
        world,
        grant_types=["authorization_code", CIBA],
        redirect_uris=[REDIRECT],
        response_types=["code"],
    )
    browser = world.browser()
    attempt, got = await browser.walk(both.party)
    id_token = (await both.party.exchange(attempt, got["code"])).json()["id_token"]
    wait(world, 7200)  # expired: a hint says who is meant, it opens nothing
    asked = await both.asked(login_hint=DROP, id_token_hint=id_token)
    fresh = world.browser()
    assert outcome_of(await answer_newest(fresh, "allow")) == "allowed"
    tokens = (await both.collect(asked)).json()
    assert decode_unverified(tokens["id_token"]).claims["sub"] == decode_unverified(id_token).claims["sub"]
    # From a CIBA token as well; not from another client's, not from a forged one.
    assert (await both.ask(login_hint=DROP, id_token_hint=tokens["id_token"])).status_code == 200
    other = await make_desk(world)
    assert error_of(await other.ask(login_hint=DROP, id_token_hint=id_token)) == "invalid_request"
    assert error_of(await both.ask(login_hint=DROP, id_token_hint=id_token[:-4] + "AAAA")) == "invalid_request"
    assert error_of(await both.ask(login_hint=DROP, id_token_hint=tokens["access_token"])) == "invalid_request"


async def test_an_auth_req_id_is_long_enough_to_be_measured(desk: Desk) -> None:
    """§7.3 recommends 160 bits; counted over its own characters there are that many, whatever falls out."""
    for _ in range(15):
        asked = await desk.asked("Binh", requested_expiry="1")
        wait(desk.world, 1)
        assert entropy_bits(asked) > 160


# --- collecting (§10.1, §11) ---------------------------------------------------------------------------------


async def test_who_asks_too_fast_waits_longer_each_time(world: ProviderWorld, desk: Desk) -> None:
    asked = await desk.asked()
    assert error_of(await desk.collect(asked)) == "authorization_pending"
    assert error_of(await desk.collect(asked)) == "slow_down"  # now 10 seconds
    wait(world, 9)
    assert error_of(await desk.collect(asked)) == "slow_down"  # now 15
    wait(world, 15)
    assert error_of(await desk.collect(asked)) == "authorization_pending"
    wait(world, 14)
    assert error_of(await desk.collect(asked)) == "slow_down"  # now 20


async def test_another_clients_request_is_unknown(world: ProviderWorld, desk: Desk) -> None:
    """Case 60."""
    asked = await desk.asked()
    thief = await make_desk(world)
    assert error_of(await thief.collect(asked)) == "invalid_grant"
    assert error_of(await desk.collect(asked)) == "authorization_pending"  # and not slowed by the thief
    assert error_of(await desk.collect("A" * 35)) == "invalid_grant"
    assert error_of(await desk.collect("?" * 5000)) == "invalid_grant"
    assert error_of(await desk.party.post("/token", {"grant_type": CIBA})) == "invalid_request"
    portal = Desk(world, await world.register())
    assert error_of(await portal.collect(asked)) == "unauthorized_client"
    await answer_newest(world.browser(), "allow")
    assert error_of(await thief.collect(asked)) == "invalid_grant"
    assert (await desk.collect(asked)).status_code == 200


async def test_a_slip_in_the_token_request_spends_no_answer(world: ProviderWorld, desk: Desk) -> None:
    asked = await desk.asked()
    await answer_newest(world.browser(), "allow")
    for slip, error in (
        ({"resource": "https://nowhere.example"}, "invalid_target"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
    ):
        assert error_of(await desk.collect(asked, **slip)) == error
    assert (await desk.collect(asked)).status_code == 200


async def test_collecting_twice_ends_what_was_collected(world: ProviderWorld, desk: Desk) -> None:
    asked = await desk.asked(scope="openid offline_access")
    await answer_newest(world.browser(), "allow")
    tokens = (await desk.collect(asked)).json()
    assert error_of(await desk.collect(asked)) == "invalid_grant"
    assert error_of(await desk.party.refresh(tokens["refresh_token"])) == "invalid_grant"


async def test_time_runs_out(world: ProviderWorld, desk: Desk) -> None:
    asked = await desk.asked(requested_expiry="60")
    browser = world.browser()
    page = (await own_requests(browser))[0]
    await browser.open(page)
    wait(world, 61)
    assert error_of(await desk.collect(asked)) == "expired_token"
    assert outcome_of(await browser.send("request-form", decision="allow")) == "expired"
    assert error_of(await desk.collect(asked)) == "expired_token"
    assert await own_requests(browser) == []


async def test_an_answer_in_the_last_second_can_be_collected(world: ProviderWorld, desk: Desk) -> None:
    asked = await desk.asked(requested_expiry="60")
    wait(world, 59)
    await answer_newest(world.browser(), "allow")
    wait(world, 60)
    assert (await desk.collect(asked)).status_code == 200


async def test_an_answer_is_not_kept_for_ever(world: ProviderWorld, desk: Desk) -> None:
    asked = await desk.asked()
    await answer_newest(world.browser(), "allow")
    wait(world, 601)
    assert error_of(await desk.collect(asked)) == "expired_token"

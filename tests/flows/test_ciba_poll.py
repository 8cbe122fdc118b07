"""CIBA Core 1.0 and FAPI-CIBA, poll mode: the request, the person's answer, what the client collects; every refusal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from core.database import Query, RawTx
from core.jose import SigningKey, decode_unverified
from identity.api import Identity
from oidc.ciba import requests as ciba_requests
from population_db.synthetic.personas import persona
from tests.actors.relying_party import DROP
from tests.conformance.suite import entropy_bits
from tests.support.elsewhere import (
    CIBA,
    MESSAGE,
    Desk,
    answer_newest,
    error_of,
    give_code,
    make_desk,
    make_fapi_desk,
    outcome_of,
    own_requests,
    wait,
)
from tests.support.provider_fixture import world
from tests.support.provider_world import ALL_SCOPES, OPERATOR, REDIRECT, ProviderWorld

__all__ = ["world"]

NOBODYS_NUMBER = "001290999999"


@pytest.fixture(scope="module")
async def desk(world: ProviderWorld) -> Desk:
    return await make_desk(world)


@pytest.fixture(scope="module")
async def fapi(world: ProviderWorld) -> Desk:
    return await make_fapi_desk(world)


@pytest.fixture(autouse=True)
async def no_request_waits(world: ProviderWorld) -> None:
    """Between tests: what was asked before has run out, and nobody waits for the next one-time code."""
    wait(world, 3600)


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


async def test_a_level_that_cannot_be_reached_is_a_refusal(world: ProviderWorld, desk: Desk) -> None:
    asked = await desk.asked("Chau", acr_values="urn:dinhdanh:loa:ial2:aal2")
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


# --- numbers cannot be found out ---------------------------------------------------------------------------


async def test_an_unknown_number_looks_like_a_known_one(world: ProviderWorld, desk: Desk) -> None:
    """Nobody, the dead, a cancelled number: taken, waiting, run out, and the same limit."""
    known = await desk.ask(requested_expiry="60")
    for number in (NOBODYS_NUMBER, persona("Phuc").number, "036 190 999 999"):
        answer = await desk.ask(login_hint=number, requested_expiry="60")
        assert answer.status_code == known.status_code == 200
        assert set(answer.json()) == set(known.json())
        assert len(answer.json()["auth_req_id"]) == len(known.json()["auth_req_id"])
        asked = answer.json()["auth_req_id"]
        assert error_of(await desk.collect(asked)) == "authorization_pending"
        assert error_of(await desk.collect(asked)) == "slow_down"
    wait(world, 61)
    assert error_of(await desk.collect(asked)) == "expired_token"
    assert error_of(await desk.collect(known.json()["auth_req_id"])) == "expired_token"


async def test_known_and_unknown_numbers_cost_the_same_statements(
    world: ProviderWorld, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing to be told by the time: the same statements in one transaction, and the same answer."""
    heard: list[Query] = []
    open_raw = world.database.raw

    class Listening(RawTx):
        async def row(self, query: Query, /, **values: Any) -> Any:
            heard.append(query)
            return await super().row(query, **values)

        async def run(self, query: Query, /, **values: Any) -> int:
            heard.append(query)
            return await super().run(query, **values)

    @asynccontextmanager
    async def listened() -> AsyncIterator[RawTx]:
        async with open_raw() as tx:
            yield Listening(tx.conn)

    monkeypatch.setattr(world.database, "raw", listened)
    costs = []
    for number in (persona("An").number, NOBODYS_NUMBER, persona("Phuc").number):
        heard.clear()
        await desk.asked(login_hint=number)
        costs.append(list(heard))
    assert len(costs[0]) == 4  # found, locked, counted, written
    assert costs[1:] == [costs[0]] * 2


async def test_the_bucket_of_a_reference_tells_nothing_either(desk: Desk) -> None:
    """Asking twice gives one bucket for known and unknown numbers alike."""
    for hint in (persona("An").number, NOBODYS_NUMBER):
        first, second = await desk.asked(login_hint=hint), await desk.asked(login_hint=hint)
        assert first != second
        assert first[:2] == second[:2]


async def test_the_number_is_kept_nowhere(world: ProviderWorld, desk: Desk) -> None:
    await desk.asked()
    rows = await world.fetch("SELECT r::text AS whole FROM oidc.ciba_requests r")
    assert rows
    assert not any(persona("An").number in row["whole"] or MESSAGE in row["whole"] for row in rows)


async def test_too_many_requests_for_one_person(world: ProviderWorld) -> None:
    desk = await make_desk(world)
    for hint in (persona("Binh").number, NOBODYS_NUMBER):
        for _ in range(20):
            await desk.asked(login_hint=hint)
        answer = await desk.ask(login_hint=hint)
        assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")


# --- requests that are refused (§7.2, §13) -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"login_hint": DROP}, "invalid_request"),
        ({"id_token_hint": "x.y.z"}, "invalid_request"),
        ({"login_hint_token": "xxxxxxxxxxxxxxxxxxxx"}, "invalid_request"),
        ({"login_hint": DROP, "login_hint_token": "xxxxxxxxxxxxxxxxxxxx"}, "invalid_request"),
        ({"login_hint": DROP, "id_token_hint": "x.y.z"}, "invalid_request"),
        ({"login_hint": "an@example.vn"}, "unknown_user_id"),
        ({"login_hint": "1234"}, "unknown_user_id"),
        ({"scope": DROP}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid admin"}, "invalid_scope"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"claims": "[]"}, "invalid_request"),
        ({"requested_expiry": "0"}, "invalid_request"),
        ({"requested_expiry": "-5"}, "invalid_request"),
        ({"requested_expiry": "soon"}, "invalid_request"),
        ({"binding_message": "x" * 65}, "invalid_binding_message"),
        ({"binding_message": " "}, "invalid_binding_message"),
        ({"binding_message": "a\u202eb"}, "invalid_binding_message"),
        ({"binding_message": "a\nb"}, "invalid_binding_message"),
        ({"binding_message": "Z̸̢a̶͜"}, "invalid_binding_message"),
    ],
)
async def test_a_request_that_does_not_hold(desk: Desk, changes: dict[str, Any], error: str) -> None:
    assert error_of(await desk.ask(**changes)) == error


async def test_unknown_parameters_are_ignored(desk: Desk) -> None:
    assert (await desk.ask(user_code="1234", request_context="{}", client_notification_token="?")).status_code == 200


async def test_the_time_asked_for_is_given_up_to_half_an_hour(desk: Desk) -> None:
    assert (await desk.ask(requested_expiry="10")).json()["expires_in"] == 10
    assert (await desk.ask(requested_expiry="99999")).json()["expires_in"] == 1800


async def test_who_may_ask(world: ProviderWorld, desk: Desk) -> None:
    portal = Desk(world, await world.register())
    assert error_of(await portal.ask()) == "unauthorized_client"
    desk.party.secret, right = "wrong", desk.party.secret
    answer = await desk.ask()
    desk.party.secret = right
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert (await world.http().get("/bc-authorize")).status_code == 405
    form = {"client_id": desk.party.client_id, "scope": "openid", "login_hint": persona("An").number}
    assert (await desk.party.post("/bc-authorize", form, plain=True)).status_code == 401


@pytest.mark.parametrize("path", ["/bc-authorize", "/device_authorization"])
async def test_bodies_that_cannot_be_read(world: ProviderWorld, path: str) -> None:
    """Case 49: a refusal in JSON, never a failure."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for content, headers in (
        (b"", form),
        (b"scope=openid&scope=openid", form),
        (b"scope=%00", form),
        (b"scope=%ff%fe", form),
        (b"=&=&=", form),
        (b"client_id=" + b"x" * 70_000, form),
        ("&".join(f"p{number}=1" for number in range(10_000)).encode(), form),
        ("login_hint=số".encode(), form),
        (b'{"scope": "openid"}', {"Content-Type": "application/json"}),
        (b"scope=openid", {}),
    ):
        answer = await world.http().post(path, content=content, headers=headers)
        assert answer.status_code in {400, 401, 413}, (content[:40], answer.status_code)
        assert answer.json()["error"] in {"invalid_request", "invalid_client"}


async def test_parameters_in_the_address_are_refused(desk: Desk) -> None:
    assert error_of(await desk.party.post("/bc-authorize?scope=openid", {"scope": "openid"})) == "invalid_request"


# --- signed requests (§7.1.1, FAPI-CIBA §5.2.2) --------------------------------------------------------------


async def test_signed_requests_as_libraries_send_them(fapi: Desk) -> None:
    for typ in ("oauth-authz-req+jwt", "JWT"):
        assert (await fapi.party.post("/bc-authorize", {"request": fapi.signed(typ=typ)})).status_code == 200
    answer = await fapi.ask_signed(requested_expiry="30", aud=[fapi.world.issuer, "https://elsewhere.example"])
    assert answer.json()["expires_in"] == 30


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://elsewhere.example"},
        {"aud": DROP},
        {"iss": "somebody-else"},
        {"iss": DROP},
        {"exp": DROP},
        {"iat": DROP},
        {"nbf": DROP},
        {"jti": DROP},
        {"jti": ""},
        {"jti": 7},
        {"exp_in": -60},
        {"exp_in": 70 * 60},
        {"nbf_in": 10 * 60},
        {"nbf_in": -70 * 60},
        {"client_id": "somebody-else"},
        {"request": "x.y.z"},
        {"login_hint": DROP},
        {"scope": "profile"},
    ],
    ids=str,
)
async def test_a_signed_request_that_does_not_hold(fapi: Desk, claims: dict[str, Any]) -> None:
    now = int(fapi.world.clock.now().timestamp())
    bent = {name.removesuffix("_in"): now + told if name.endswith("_in") else told for name, told in claims.items()}
    error = "invalid_scope" if claims.get("scope") else "invalid_request"
    assert error_of(await fapi.ask_signed(**bent)) == error


async def test_who_must_sign_cannot_ask_in_the_open(world: ProviderWorld, fapi: Desk) -> None:
    named = await make_desk(world, method="private_key_jwt", backchannel_authentication_request_signing_alg="ES256")
    for each in (fapi, named):
        assert error_of(await each.ask()) == "invalid_request"
        assert (await each.ask_signed()).status_code == 200
        # Nothing beside the signed request counts, and nothing may stand there.
        beside = {"request": each.signed(), "binding_message": "other"}
        assert error_of(await each.party.post("/bc-authorize", beside)) == "invalid_request"


async def test_a_signed_request_is_good_once_and_only_by_its_own_key(world: ProviderWorld, fapi: Desk) -> None:
    request = fapi.signed()
    assert (await fapi.party.post("/bc-authorize", {"request": request})).status_code == 200
    assert error_of(await fapi.party.post("/bc-authorize", {"request": request})) == "invalid_request"
    own, fapi.party.key = fapi.party.key, SigningKey.generate("ES256")
    forged = fapi.signed()
    fapi.party.key = own
    assert error_of(await fapi.party.post("/bc-authorize", {"request": forged})) == "invalid_request"
    other = await make_fapi_desk(world)
    assert error_of(await other.party.post("/bc-authorize", {"request": fapi.signed()})) == "invalid_request"
    unsigned = "eyJhbGciOiJub25lIn0." + fapi.signed().split(".")[1] + "."
    assert error_of(await fapi.party.post("/bc-authorize", {"request": unsigned})) == "invalid_request"
    # A client assertion is no request, and a request no assertion.
    assert error_of(await fapi.party.post("/bc-authorize", {"request": fapi.party.assertion()})) == "invalid_request"


async def test_another_algorithm_than_the_registered_one(world: ProviderWorld) -> None:
    desk = await make_desk(world, method="private_key_jwt", backchannel_authentication_request_signing_alg="PS256")
    assert error_of(await desk.ask_signed()) == "invalid_request"


async def test_a_fapi_client_sends_a_message_to_compare(fapi: Desk) -> None:
    assert error_of(await fapi.ask_signed(binding_message=DROP)) == "invalid_binding_message"


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


# --- who may answer ------------------------------------------------------------------------------------------


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

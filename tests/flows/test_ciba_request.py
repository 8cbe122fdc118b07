"""CIBA Core 1.0 and FAPI-CIBA, the request: numbers that cannot be found out, signed requests, every refusal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core.database import Query, RawTx
from core.jose import SigningKey
from population_db.synthetic.personas import persona
from tests.actors.relying_party import DROP
from tests.support.ciba_fixture import desk, fapi, no_request_waits
from tests.support.elsewhere import MESSAGE, Desk, error_of, make_desk, make_fapi_desk, wait
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["desk", "fapi", "no_request_waits", "world"]

NOBODYS_NUMBER = "001290999999"


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
        ({"scope": "openid admin"}, "invalid_scope"),  # §13: unknown is said, not passed over
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

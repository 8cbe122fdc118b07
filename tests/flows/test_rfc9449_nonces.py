"""RFC 9449 §8, §9: nonces at the token endpoint, at PAR and at resource servers (security case 39)."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.dpop_nonces import NEAR_SECONDS, WINDOW_SECONDS
from tests.actors.relying_party import RelyingParty
from tests.support.challenges import errors_of
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]

FORM = {"grant_type": "client_credentials"}
ALL: dict[str, Any] = {"grant_types": ["client_credentials"]}


@pytest.fixture
async def party(world: ProviderWorld) -> RelyingParty:
    return await world.register(dpop=True, **ALL)


async def sent(party: RelyingParty, path: str = "/token", form: Any = None, **claims: Any) -> httpx.Response:
    """One request, not repeated, whose proof is bent."""
    extra, own = party.authentication(path)
    headers = {**own, "DPoP": party.proof("POST", path, **claims)}
    return await party.http.post(path, data={**extra, **(FORM if form is None else form)}, headers=headers)


def asked_for_nonce(answer: httpx.Response, status: int = 400) -> str:
    assert (answer.status_code, answer.json()["error"]) == (status, "use_dpop_nonce"), answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.headers["dpop-nonce"]


async def test_a_library_that_knows_no_nonces_never_meets_one(world: ProviderWorld, party: RelyingParty) -> None:
    for seconds in (0, NEAR_SECONDS, -NEAR_SECONDS):
        answer = await sent(party, iat=int(world.clock.now().timestamp()) + seconds)
        assert answer.status_code == 200, answer.text
        assert "dpop-nonce" not in answer.headers


@pytest.mark.parametrize("off", [NEAR_SECONDS + 1, 59, -NEAR_SECONDS - 1, -59])
async def test_a_clock_that_is_off_is_helped_by_a_nonce(world: ProviderWorld, party: RelyingParty, off: int) -> None:
    issued = int(world.clock.now().timestamp()) + off
    nonce = asked_for_nonce(await sent(party, iat=issued))
    answer = await sent(party, iat=issued, nonce=nonce)
    assert answer.status_code == 200, answer.text
    assert "dpop-nonce" not in answer.headers  # it is the present one


async def test_a_nonce_does_not_make_an_old_proof_good(world: ProviderWorld, party: RelyingParty) -> None:
    """Case 39: more than a minute off is refused, with or without; the replay record has an end."""
    now = int(world.clock.now().timestamp())
    nonce = asked_for_nonce(await sent(party, iat=now - 45))
    for claims in ({"iat": now - 61}, {"iat": now + 61}, {"iat": now - 3600, "nonce": nonce}):
        answer = await sent(party, **claims)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
        assert "dpop-nonce" not in answer.headers


@pytest.mark.parametrize("nonce", ["", "x", "A" * 28, "é"])
async def test_one_that_is_sent_is_checked_always(party: RelyingParty, nonce: str) -> None:
    good = asked_for_nonce(await sent(party, nonce=nonce))
    assert (await sent(party, nonce=good)).status_code == 200


@pytest.mark.parametrize("nonce", [5, ["a"], {"a": 1}, True, "x" * 300])
async def test_one_that_is_no_nonce_at_all(party: RelyingParty, nonce: Any) -> None:
    answer = await sent(party, nonce=nonce)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


async def test_it_ends_and_the_next_one_comes_in_time(world: ProviderWorld, party: RelyingParty) -> None:
    """§8.2: whoever uses nonces is handed the next one on an answer that succeeded."""
    first = asked_for_nonce(await sent(party, nonce="none yet"))
    world.clock.advance(timedelta(seconds=WINDOW_SECONDS))
    answer = await sent(party, nonce=first)
    assert answer.status_code == 200
    second = answer.headers["dpop-nonce"]
    assert second != first
    world.clock.advance(timedelta(seconds=WINDOW_SECONDS))
    assert asked_for_nonce(await sent(party, nonce=first)) not in {first, second}
    assert (await sent(party, nonce=second)).status_code == 200


async def test_a_refused_proof_is_not_spent_and_no_other_is(world: ProviderWorld, party: RelyingParty) -> None:
    """The replay record is written after the nonce was looked at; with a nonce a proof is still good once."""
    nonce = asked_for_nonce(await sent(party, nonce="x", jti="j" * 22))
    assert (await sent(party, nonce=nonce, jti="j" * 22)).status_code == 200
    again = await sent(party, nonce=nonce, jti="j" * 22)
    assert again.json()["error"] == "invalid_dpop_proof"


async def test_it_needs_a_client_that_authenticated(world: ProviderWorld, party: RelyingParty) -> None:
    headers = {"DPoP": party.proof("POST", "/token", nonce="x")}
    answer = await party.http.post("/token", data={**FORM, "client_id": "nobody"}, headers=headers)
    assert answer.status_code == 401
    assert "dpop-nonce" not in answer.headers


async def test_at_par_where_the_profile_wants_one(world: ProviderWorld) -> None:
    """FAPI 2.0 Message Signing is used as evidence: no proof made in advance."""
    portal = await world.register(profile="fapi2-message-signing", method="private_key_jwt", dpop=True)
    attempt = portal.ask()
    first = await sent(portal, "/par", attempt.params)
    nonce = asked_for_nonce(first)
    again = await sent(portal, "/par", attempt.params, nonce=nonce)
    # It is not the nonce that is missing any more (the request of this profile has to be signed).
    assert again.json().get("error") != "use_dpop_nonce", again.text
    asked_for_nonce(await sent(portal, "/token", {"grant_type": "authorization_code", "code": "x"}))


async def test_a_proof_that_is_not_sent_is_not_asked_for_a_nonce(world: ProviderWorld) -> None:
    portal = await world.register(profile="fapi2-message-signing", method="private_key_jwt", dpop=True)
    proof_key, portal.proof_key = portal.proof_key, None
    answer = await portal.post("/token", {"grant_type": "authorization_code", "code": "x", "code_verifier": "v" * 43})
    assert answer.json()["error"] == "invalid_dpop_proof"
    assert proof_key is not None


async def test_at_userinfo(world: ProviderWorld) -> None:
    """§9: 401, in the challenge; verified whenever it is sent."""
    portal = await world.register(dpop=True)
    attempt, got = await world.browser().walk(portal)
    token = (await portal.exchange(attempt, got["code"])).json()["access_token"]
    now = int(world.clock.now().timestamp())
    answer = await portal.userinfo(token, iat=now - 45)
    nonce = asked_for_nonce(answer, 401)
    assert errors_of(answer.headers["www-authenticate"]) == [("DPoP", "use_dpop_nonce")]
    assert (await portal.userinfo(token, iat=now - 45, nonce=nonce)).status_code == 200
    asked_for_nonce(await portal.userinfo(token, nonce="x" * 28), 401)
    plain = await portal.userinfo(token)
    assert plain.status_code == 200
    assert "dpop-nonce" not in plain.headers


async def test_at_the_lookup_api(world: ProviderWorld, party: RelyingParty) -> None:
    """One nonce for all our servers: each process knows it by itself."""
    token = (await party.client_credentials()).json()["access_token"]
    path = "/api/lookup/v1/matches"

    async def looked_up(**claims: Any) -> httpx.Response:
        proof = party.proof("POST", path, token=token, **claims)
        return await party.http.post(path, json={}, headers={"Authorization": f"DPoP {token}", "DPoP": proof})

    answer = await looked_up(nonce="x" * 28)
    assert answer.status_code == 401
    nonce = answer.headers["dpop-nonce"]
    assert errors_of(answer.headers["www-authenticate"]) == [("DPoP", "use_dpop_nonce")]
    assert (await looked_up(nonce=nonce)).status_code == 422  # an empty question, by a good proof
    assert (await sent(party, nonce=nonce)).status_code == 200

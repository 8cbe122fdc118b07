"""What is good once, shown many times at once: client assertions, DPoP proofs (security cases 24, 39)."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterable

import httpx
import pytest

from core.jose import SigningKey
from tests.actors.relying_party import ASSERTION_TYPE, RelyingParty
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]

AT_ONCE = 20
GRANT = {"grant_type": "client_credentials"}


def counted(answers: Iterable[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


@pytest.fixture
async def party(world: ProviderWorld) -> RelyingParty:
    return await world.register(method="private_key_jwt", dpop=True, grant_types=["client_credentials"])


async def test_one_assertion_shown_twenty_times(party: RelyingParty) -> None:
    form = {**GRANT, "client_assertion_type": ASSERTION_TYPE, "client_assertion": party.assertion()}
    proofs = [party.proof("POST", "/token") for _ in range(AT_ONCE)]
    answers = await asyncio.gather(
        *(party.post("/token", form, headers={"DPoP": proof}, plain=True) for proof in proofs)
    )
    assert counted(answers) == {200: 1, 401: AT_ONCE - 1}


async def test_one_assertion_at_several_endpoints(world: ProviderWorld) -> None:
    portal = await world.register(method="private_key_jwt")
    own = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": portal.assertion(), "token": "x"}
    paths = ["/revoke", "/introspect"] * (AT_ONCE // 2)
    answers = await asyncio.gather(*(portal.post(path, own, plain=True) for path in paths))
    assert counted(answers) == {200: 1, 401: AT_ONCE - 1}


async def test_one_proof_shown_twenty_times(party: RelyingParty) -> None:
    proof = party.proof("POST", "/token")
    answers = await asyncio.gather(*(party.post("/token", GRANT, headers={"DPoP": proof}) for _ in range(AT_ONCE)))
    assert counted(answers) == {200: 1, 400: AT_ONCE - 1}
    assert {answer.json().get("error") for answer in answers} == {None, "invalid_dpop_proof"}


async def test_one_proof_with_a_nonce_shown_twenty_times(party: RelyingParty) -> None:
    first = await party.post("/token", GRANT, headers={"DPoP": party.proof("POST", "/token", nonce="x")})
    proof = party.proof("POST", "/token", nonce=first.headers["dpop-nonce"])
    answers = await asyncio.gather(*(party.post("/token", GRANT, headers={"DPoP": proof}) for _ in range(AT_ONCE)))
    assert counted(answers) == {200: 1, 400: AT_ONCE - 1}


async def test_one_nonce_serves_many_proofs(party: RelyingParty) -> None:
    """Stateless: it tells the time, it is not itself spent (RFC 9449 §8)."""
    first = await party.post("/token", GRANT, headers={"DPoP": party.proof("POST", "/token", nonce="x")})
    party.nonce = first.headers["dpop-nonce"]
    answers = await asyncio.gather(*(party.client_credentials() for _ in range(AT_ONCE)))
    assert counted(answers) == {200: AT_ONCE}


async def test_one_proof_at_userinfo(world: ProviderWorld) -> None:
    portal = await world.register(dpop=True)
    attempt, got = await world.browser().walk(portal)
    token = (await portal.exchange(attempt, got["code"])).json()["access_token"]
    jti = secrets.token_urlsafe(16)
    answers = await asyncio.gather(*(portal.userinfo(token, jti=jti) for _ in range(AT_ONCE)))
    assert counted(answers) == {200: 1, 401: AT_ONCE - 1}


async def test_two_keys_with_one_jti_do_not_meet(party: RelyingParty) -> None:
    jti = secrets.token_urlsafe(16)
    keys = [SigningKey.generate("ES256") for _ in range(6)]
    proofs = [party.proof("POST", "/token", jti=jti, key=key) for key in keys]
    answers = await asyncio.gather(*(party.post("/token", GRANT, headers={"DPoP": proof}) for proof in proofs))
    assert counted(answers) == {200: 6}


async def test_twenty_refreshes_of_a_bound_token_are_all_good(world: ProviderWorld) -> None:
    """Bound, it is not rotated: many workers of a portal may use it at once, each with its own proof."""
    app = await world.register(method="none", dpop=True)
    attempt, got = await world.browser().walk(app, scope="openid offline_access")
    token = (await app.exchange(attempt, got["code"])).json()["refresh_token"]
    answers = await asyncio.gather(*(app.refresh(token) for _ in range(AT_ONCE)))
    assert counted(answers) == {200: AT_ONCE}
    assert not any("refresh_token" in answer.json() for answer in answers)

"""RFC 9449: proofs at the token endpoint and at userinfo (security cases 29, 39, 40)."""

import secrets
from typing import Any

import pytest

from core.jose import SigningKey
from tests.actors.relying_party import DROP, RelyingParty
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]

FORM = {"grant_type": "client_credentials"}


@pytest.fixture
async def party(world: ProviderWorld) -> RelyingParty:
    return await world.register(dpop=True, grant_types=["client_credentials"])


def bad_proofs(party: RelyingParty, method: str, path: str, now: int, **more: Any) -> dict[str, list[tuple[str, str]]]:
    """Headers that must not pass, by what is wrong with them."""

    def header(**changes: Any) -> list[tuple[str, str]]:
        return [("DPoP", party.proof(method, path, **more, **changes))]

    private = party.proof_key.private_jwk() if party.proof_key else {}
    return {
        "another method": header(htm="PUT"),
        "another URL": header(htu="https://other.example/token"),
        "another path": header(htu=f"{party.issuer}/other"),
        "a URL that is no string": header(htu=[f"{party.issuer}{path}"]),
        "no URL": header(htu=DROP),
        "too old": header(iat=now - 61),
        "from the future": header(iat=now + 61),
        "no iat": header(iat=DROP),
        "no jti": header(jti=DROP),
        "a private key": header(header={"jwk": private}),
        "a symmetric key": header(header={"jwk": {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0"}}),
        "no key": header(header={"jwk": DROP}),
        "a null key": header(header={"jwk": None}),
        "a symmetric algorithm": header(header={"alg": "HS256"}),
        "no algorithm": header(header={"alg": "none"}),
        "a critical extension": header(header={"crit": ["exp"]}),
        "another type": header(header={"typ": "JWT"}),
        "another key": header(header={"jwk": SigningKey.generate("ES256").public().public_jwk()}),
        "two headers": header() + header(),
        "no proof at all": [("DPoP", "x")],
        "unsigned": [("DPoP", header()[0][1].rsplit(".", 1)[0] + ".")],
    }


async def test_proofs_at_the_token_endpoint(world: ProviderWorld, party: RelyingParty) -> None:
    """Case 39: 400 invalid_dpop_proof."""
    now = int(world.clock.now().timestamp())
    for what, headers in bad_proofs(party, "POST", "/token", now).items():
        _, own = party.authentication("/token")
        answer = await party.http.post("/token", data=FORM, headers=[*own.items(), *headers])
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof"), what


async def test_a_proof_is_good_once(world: ProviderWorld, party: RelyingParty) -> None:
    jti = secrets.token_urlsafe(16)
    proof = party.proof("POST", "/token", jti=jti)
    assert (await party.post("/token", FORM, headers={"DPoP": proof})).status_code == 200
    again = await party.post("/token", FORM, headers={"DPoP": proof})
    assert again.json()["error"] == "invalid_dpop_proof"
    # The same jti under another key is another proof.
    other = party.proof("POST", "/token", jti=jti, key=SigningKey.generate("ES256"))
    assert (await party.post("/token", FORM, headers={"DPoP": other})).status_code == 200


async def test_a_bound_client_gets_no_token_without_a_proof(party: RelyingParty) -> None:
    """Traps seen elsewhere: DPoP required but not enforced at the token endpoint."""
    _, own = party.authentication("/token")
    answer = await party.post("/token", FORM, headers=own, plain=True)
    assert answer.json()["error"] == "invalid_dpop_proof"


async def test_at_userinfo(world: ProviderWorld) -> None:
    """Cases 39 and 40: 401, with a DPoP challenge."""
    portal = await world.register(dpop=True)
    attempt, got = await world.browser().walk(portal)
    token = (await portal.exchange(attempt, got["code"])).json()["access_token"]
    assert (await portal.userinfo(token)).status_code == 200
    now = int(world.clock.now().timestamp())
    for what, headers in bad_proofs(portal, "GET", "/userinfo", now, token=token).items():
        answer = await portal.http.get("/userinfo", headers=[("Authorization", f"DPoP {token}"), *headers])
        assert answer.status_code == 401, what
        assert answer.headers["www-authenticate"].startswith("DPoP "), what
    assert (await portal.userinfo(token, ath="wrong")).status_code == 401
    assert (await portal.userinfo(token, ath=DROP)).status_code == 401
    assert (await portal.userinfo(token, key=SigningKey.generate("ES256"))).status_code == 401
    as_bearer = await portal.http.get("/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert as_bearer.status_code == 401
    without = await portal.http.get("/userinfo", headers={"Authorization": f"DPoP {token}"})
    assert without.status_code == 401
    jti = secrets.token_urlsafe(16)
    assert (await portal.userinfo(token, jti=jti)).status_code == 200
    assert (await portal.userinfo(token, jti=jti)).status_code == 401


async def test_an_unbound_token_is_not_taken_by_dpop(world: ProviderWorld) -> None:
    portal = await world.register()
    attempt, got = await world.browser().walk(portal)
    token = (await portal.exchange(attempt, got["code"])).json()["access_token"]
    portal.proof_key = SigningKey.generate("ES256")
    assert (await portal.userinfo(token)).status_code == 401


async def test_the_refresh_token_of_an_open_client_is_bound_to_its_key(world: ProviderWorld) -> None:
    """Case 29: another key or none; and bound, it is not rotated."""
    app = await world.register(method="none", dpop=True)
    attempt, got = await world.browser().walk(app, scope="openid offline_access")
    token = (await app.exchange(attempt, got["code"])).json()["refresh_token"]
    own, app.proof_key = app.proof_key, SigningKey.generate("ES256")
    assert (await app.refresh(token)).json()["error"] == "invalid_dpop_proof"
    app.proof_key = None
    assert (await app.refresh(token)).json()["error"] == "invalid_dpop_proof"
    app.proof_key = own
    fresh = (await app.refresh(token)).json()
    assert fresh["token_type"] == "DPoP"
    assert "refresh_token" not in fresh

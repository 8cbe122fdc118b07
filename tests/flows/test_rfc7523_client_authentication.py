"""RFC 6749 §2.3 and RFC 7523: who the client is, by exactly its registered method (security cases 20-27, 65)."""

import base64
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.jose import SigningKey
from tests.actors.relying_party import ASSERTION_TYPE, DROP, RelyingParty, basic
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]

GRANT = {"grant_type": "client_credentials"}
BACK_END: dict[str, Any] = {"grant_types": ["client_credentials"], "dpop_bound_access_tokens": False}


def refused(answer: httpx.Response) -> httpx.Response:
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer


async def try_assertion(party: RelyingParty, assertion: str, **changes: Any) -> httpx.Response:
    form = {**GRANT, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, **changes}
    return await party.post("/token", {name: value for name, value in form.items() if value is not DROP}, plain=True)


@pytest.fixture
async def back_end(world: ProviderWorld) -> RelyingParty:
    return await world.register(method="private_key_jwt", **BACK_END)


@pytest.fixture
async def fapi(world: ProviderWorld) -> RelyingParty:
    return await world.register(profile="fapi2", method="private_key_jwt", grant_types=["client_credentials"])


# --- secrets ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_secret_by_its_registered_method(world: ProviderWorld, method: str) -> None:
    party = await world.register(method=method, **BACK_END)
    assert (await party.client_credentials()).status_code == 200
    other = {"client_secret_basic": "client_secret_post", "client_secret_post": "client_secret_basic"}[method]
    party.method = other
    refused(await party.client_credentials())


async def test_wrong_missing_and_doubled(world: ProviderWorld) -> None:
    """Case 20."""
    party = await world.register(**BACK_END)
    right = basic(party.client_id, party.secret or "")
    for header in (
        basic(party.client_id, "wrong"),
        basic(party.client_id, ""),
        basic("nobody", party.secret or ""),
        "Basic !!!",
        "Basic " + base64.b64encode(b"no-colon").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Bearer " + (party.secret or ""),
    ):
        answer = refused(await party.post("/token", GRANT, headers={"Authorization": header}, plain=True))
        assert answer.headers["www-authenticate"].startswith("Basic realm=")
    assert "www-authenticate" not in refused(await party.post("/token", GRANT, plain=True)).headers
    both: Mapping[str, str] = {**GRANT, "client_id": party.client_id, "client_secret": party.secret or ""}
    refused(await party.post("/token", both, headers={"Authorization": right}, plain=True))
    twice = [("Authorization", right), ("Authorization", right)]
    refused(await party.http.post("/token", data=GRANT, headers=twice))
    mixed = {**GRANT, "client_assertion_type": ASSERTION_TYPE, "client_assertion": "a.b.c"}
    refused(await party.post("/token", mixed, headers={"Authorization": right}, plain=True))
    refused(await party.post("/token", {**GRANT, "client_id": "other"}, headers={"Authorization": right}, plain=True))


async def test_an_unknown_client_is_told_what_a_wrong_secret_is_told(world: ProviderWorld) -> None:
    """Case 21: the same words and the same work (one hash, one constant-time comparison)."""
    party = await world.register(**BACK_END)
    answers = [
        (await party.post("/token", GRANT, headers={"Authorization": header}, plain=True)).json()
        for header in (basic(party.client_id, secrets.token_urlsafe(32)), basic("nobody", secrets.token_urlsafe(32)))
    ]
    assert answers[0] == answers[1]


# --- assertions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA", "Ed25519"])
async def test_every_algorithm_we_name(world: ProviderWorld, alg: str) -> None:
    key = SigningKey.generate(alg)
    party = await world.register(method="private_key_jwt", jwks={"keys": [key.public().public_jwk()]}, **BACK_END)
    party.key = key
    assert (await party.client_credentials()).status_code == 200


async def test_the_secret_methods_are_closed_to_a_client_with_a_key(back_end: RelyingParty) -> None:
    """Case 22."""
    for secret in ("", "x"):
        refused(
            await back_end.post(
                "/token", GRANT, headers={"Authorization": basic(back_end.client_id, secret)}, plain=True
            )
        )
        refused(
            await back_end.post(
                "/token", {**GRANT, "client_id": back_end.client_id, "client_secret": secret or "x"}, plain=True
            )
        )
    refused(await back_end.post("/token", {**GRANT, "client_id": back_end.client_id}, plain=True))


async def test_algorithms_that_prove_nothing(world: ProviderWorld, back_end: RelyingParty) -> None:
    """Case 23: none, HS256 with the public key, another algorithm or key, a key in the header."""
    good = back_end.assertion()
    head, body, signature = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    hs256 = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()
    stranger = SigningKey.generate("ES256")
    public = stranger.public().public_jwk()
    for forged in (
        f"{none}.{body}.",
        f"{none}.{body}.{signature}",
        f"{hs256}.{body}.{signature}",
        f"{head}.{body}.{signature[:-4]}AAAA",
        back_end.assertion(key=stranger),
        back_end.assertion(key=stranger, header={"kid": back_end.key.kid if back_end.key else ""}),
        back_end.assertion(key=stranger, header={"jwk": public}),
        back_end.assertion(key=SigningKey.generate("RS256")),
        back_end.assertion(header={"crit": ["exp"]}),
        "a.b.c",
        "",
        "x" * 20_000,
    ):
        refused(await try_assertion(back_end, forged))
    pinned = await world.register(
        method="private_key_jwt",
        jwks={"keys": [SigningKey.generate("PS256").public().public_jwk()]},
        token_endpoint_auth_signing_alg="PS256",
        **BACK_END,
    )
    pinned.key = stranger
    refused(await pinned.client_credentials())


async def test_an_assertion_is_good_once(back_end: RelyingParty) -> None:
    """Case 24; also at another endpoint."""
    assertion = back_end.assertion()
    assert (await try_assertion(back_end, assertion)).status_code == 200
    refused(await try_assertion(back_end, assertion))
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, "token": "x"}
    refused(await back_end.post("/revoke", form, plain=True))


@pytest.mark.parametrize(
    "claims",
    [
        {"jti": DROP},
        {"jti": ""},
        {"jti": 5},
        {"exp": DROP},
        {"iss": "other"},
        {"sub": "other"},
        {"sub": DROP},
        {"aud": DROP},
        {"aud": "https://other.example"},
        {"aud": "https://other.example/token"},
        {"aud": []},
    ],
)
async def test_claims_that_do_not_hold(back_end: RelyingParty, claims: dict[str, Any]) -> None:
    refused(await try_assertion(back_end, back_end.assertion(**claims)))


async def test_times(world: ProviderWorld, fapi: RelyingParty, back_end: RelyingParty) -> None:
    """Cases 25 and 65: past, more than an hour ahead, a day off; `nbf` ten seconds ahead is taken."""
    now = int(world.clock.now().timestamp())
    for party in (fapi, back_end):
        for claims in (
            {"exp": now - 31},
            {"exp": now + 3700},
            {"exp": now + 86_400},
            {"nbf": now + 60},
            {"iat": now + 86_400},
            {"exp": "soon"},
            {"exp": True},
        ):
            refused(await _asked(party, party.assertion(**claims)))
        assert (await _asked(party, party.assertion(nbf=now + 10))).status_code == 200


async def test_who_a_fapi_client_must_speak_to(
    world: ProviderWorld, fapi: RelyingParty, back_end: RelyingParty
) -> None:
    """Case 25: the issuer as a single string; a standard client may name the token endpoint as well."""
    issuer = world.issuer
    for audience in (f"{issuer}/token", f"{issuer}/par", [issuer], [issuer, "https://other.example"], f"{issuer}/"):
        refused(await _asked(fapi, fapi.assertion(aud=audience)))
    refused(await _asked(fapi, fapi.assertion(iat=DROP)))
    assert (await _asked(fapi, fapi.assertion())).status_code == 200
    for audience in (f"{issuer}/token", [issuer], [f"{issuer}/token"]):
        assert (await _asked(back_end, back_end.assertion(aud=audience))).status_code == 200


async def test_an_rsa_key_signs_by_pss_only(world: ProviderWorld) -> None:
    """Case 23: the registered key itself, by the older padding."""
    key = SigningKey.generate("PS256")
    party = await world.register(method="private_key_jwt", jwks={"keys": [key.public().public_jwk()]}, **BACK_END)
    party.key = key
    assert (await party.client_credentials()).status_code == 200
    party.key = SigningKey.from_jwk({**key.private_jwk(), "alg": "RS256"})
    refused(await party.client_credentials())


async def test_keys_for_other_things_prove_nothing(world: ProviderWorld) -> None:
    """RFC 7517 §4.2, §4.3: a key for encryption lies in the set, its holder is not the client."""
    own, reader, odd = (SigningKey.generate("ES256") for _ in range(3))
    public = [own.public().public_jwk(), {**reader.public().public_jwk(), "use": "enc"}]
    bare = {name: value for name, value in odd.public().public_jwk().items() if name != "use"}
    keys = {"keys": [*public, {**bare, "key_ops": ["deriveKey"], "alg": "ECDH-ES"}]}
    party = await world.register(method="private_key_jwt", jwks=keys, **BACK_END)
    for key, status in ((own, 200), (reader, 401), (odd, 401)):
        party.key = key
        assert (await party.client_credentials()).status_code == status


async def test_one_jti_of_two_clients(world: ProviderWorld, back_end: RelyingParty) -> None:
    """The mark is the client's own: nobody can spend another's."""
    other = await world.register(method="private_key_jwt", **BACK_END)
    for party in (back_end, other):
        assert (await try_assertion(party, party.assertion(jti="the same"))).status_code == 200


async def test_an_unknown_client_costs_a_signature_as_well(world: ProviderWorld, back_end: RelyingParty) -> None:
    """Case 21: the same refusal for who does not exist, is suspended, or has another method."""
    secret_holder = await world.register(**BACK_END)
    told = [
        refused(await try_assertion(back_end, back_end.assertion(iss=name, sub=name))).json()
        for name in ("nobody", secret_holder.client_id)
    ]
    await _set_state(world, back_end, "suspended")
    told.append(refused(await try_assertion(back_end, back_end.assertion())).json())
    assert told[0] == told[1] == told[2]


# --- who may not come at all ------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["pending", "suspended", "deleted"])
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"])
async def test_only_active_clients(world: ProviderWorld, state: str, method: str) -> None:
    party = await world.register(method=method, **({} if method == "none" else BACK_END))
    await _set_state(world, party, state)
    refused(await party.post("/token", GRANT))
    refused(await party.post("/par", {"client_id": party.client_id}))
    refused(await party.post("/revoke", {"token": "x"}))


async def test_a_secret_that_has_expired(world: ProviderWorld) -> None:
    """RFC 7591 §3.2.1: client_secret_expires_at is kept, to the second."""
    party = await world.register(**BACK_END)
    now = world.clock.now()
    for expires_at, status in ((now + timedelta(seconds=1), 200), (now, 401), (None, 200)):
        async with world.owner.raw() as tx:
            sql = "UPDATE oidc.clients SET secret_expires_at = $1, changed_at = clock_timestamp() WHERE client_id = $2"
            await tx.conn.execute(sql, expires_at, party.client_id)
        world.provider.foundation.clients.forget(party.client_id)
        assert (await party.client_credentials()).status_code == status


async def test_certificates_are_not_offered_where_no_proxy_hands_them_on(world: ProviderWorld) -> None:
    """RFC 8705: this installation has no such proxy, so what is written in the header says nothing."""
    document = (await world.http().get("/.well-known/openid-configuration")).json()
    assert "mtls_endpoint_aliases" not in document
    assert "tls_client_auth" not in document["token_endpoint_auth_methods_supported"]
    wrong: tuple[dict[str, Any], ...] = (
        {"method": "tls_client_auth", "tls_client_auth_san_dns": "a.example"},
        {
            "method": "self_signed_tls_client_auth",
            "jwks": {"keys": [SigningKey.generate("ES256").public().public_jwk()]},
        },
        {"tls_client_certificate_bound_access_tokens": True},
    )
    for changes in wrong:
        with pytest.raises(Exception, match="invalid-client-metadata"):
            await world.register(**{**BACK_END, **changes})


async def test_a_client_without_authentication_gains_nothing(world: ProviderWorld) -> None:
    """Case 26."""
    app = await world.register(method="none")
    refused(await app.post("/token", {**GRANT, "client_id": app.client_id, "client_secret": "x"}, plain=True))
    answer = await app.client_credentials()
    assert answer.json()["error"] == "unauthorized_client"
    refused(await app.post("/introspect", {"token": "x"}))


async def test_back_end_tokens(world: ProviderWorld, back_end: RelyingParty) -> None:
    for changes, error in (
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "lookup profile"}, "invalid_scope"),
        ({"resource": f"{world.issuer}/userinfo"}, "invalid_target"),
    ):
        assert (await back_end.client_credentials(**changes)).json()["error"] == error
    answer = await back_end.client_credentials(resource=f"{world.issuer}/api/lookup")
    assert answer.json()["token_type"] == "Bearer"
    assert "refresh_token" not in answer.json()
    assert "id_token" not in answer.json()


async def _asked(party: RelyingParty, assertion: str) -> httpx.Response:
    headers = {} if party.proof_key is None else {"DPoP": party.proof("POST", "/token")}
    form = {**GRANT, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    return await party.post("/token", form, headers=headers, plain=True)


async def _set_state(world: ProviderWorld, party: RelyingParty, state: str) -> None:
    """An active client never becomes pending: then it is a copy of it that has not been active yet."""
    async with world.owner.raw() as tx:
        if state == "pending":
            changes = {"client_id": f"{party.client_id}-new", "state": state}
            sql = """INSERT INTO oidc.clients SELECT (jsonb_populate_record(NULL::oidc.clients, to_jsonb(c) || $1)).*
                     FROM oidc.clients c WHERE client_id = $2"""
            await tx.conn.execute(sql, changes, party.client_id)
            party.client_id = changes["client_id"]
            return
        sql = "UPDATE oidc.clients SET state = $1, changed_at = clock_timestamp() WHERE client_id = $2"
        await tx.conn.execute(sql, state, party.client_id)
    world.provider.foundation.clients.forget(party.client_id)

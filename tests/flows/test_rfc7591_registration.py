"""Dynamic client registration (RFC 7591, OpenID Connect Registration 1.0): security cases 6, 45, 47, 49."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from core.errors import BadInput
from core.ids import hash_reference
from core.jose import SigningKey
from oidc.errors import OAuthError
from tests.actors.registering_client import DROP, acts_of, bearer, fapi_client, new_token, post, registered, web_client
from tests.actors.relying_party import RelyingParty
from tests.support.challenges import errors_of
from tests.support.provider_fixture import world as world
from tests.support.provider_world import OPERATOR, SCHOOL, ProviderWorld


def party(world: ProviderWorld, told: dict[str, Any], key: SigningKey | None = None) -> RelyingParty:
    return RelyingParty(
        http=world.http(),
        clock=world.clock,
        issuer=world.issuer,
        client_id=told["client_id"],
        method=told["token_endpoint_auth_method"],
        secret=told.get("client_secret"),
        key=key,
        proof_key=SigningKey.generate("ES256") if told["dpop_bound_access_tokens"] else None,
        redirect_uri=told["redirect_uris"][0],
    )


async def test_a_portal_registers_and_signs_somebody_in(world: ProviderWorld) -> None:
    answer = await post(world.http(), await new_token(world), web_client())
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    told = answer.json()
    assert told["dinhdanh_profile"] == "standard"
    assert told["dinhdanh_state"] == "active"
    assert told["registration_client_uri"] == f"{world.issuer}/register/{told['client_id']}"
    assert told["client_id_issued_at"] == int(world.clock.now().timestamp())
    assert told["client_secret_expires_at"] > told["client_id_issued_at"]
    # OpenID Connect Registration knows no scope: what the agency's policies hold is the default.
    assert told["scope"] == "openid profile email phone address"
    assert await acts_of(world, told["client_id"]) == ["oidc.client-registered"]

    attempt, got = await world.browser().walk(party(world, told))
    answer = await party(world, told).exchange(attempt, got["code"])
    assert answer.status_code == 200, answer.text


async def test_fapi2_is_what_one_gets_without_asking(world: ProviderWorld) -> None:
    answer = await post(world.http(), await new_token(world), fapi_client())
    told = answer.json()
    assert answer.status_code == 201, told
    assert told["dinhdanh_profile"] == "fapi2"
    assert told["require_pushed_authorization_requests"] is True
    assert told["dpop_bound_access_tokens"] is True
    assert "client_secret" not in told
    assert "client_secret_expires_at" not in told


async def test_everything_comes_back_as_it_was_registered(world: ProviderWorld) -> None:
    key = SigningKey.generate("ES256")
    asked = fapi_client(
        dinhdanh_profile="standard",
        **{"client_name#vi": "Cổng", "client_name#en": "Portal"},
        jwks={"keys": [key.public().public_jwk()]},
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        scope=f"openid profile offline_access purpose:{SCHOOL}",
        contacts=["an@rp.example"],
        client_uri="https://rp.example/",
        logo_uri="https://rp.example/logo.png",
        policy_uri="https://rp.example/policy",
        tos_uri="https://rp.example/tos",
        software_id="kit",
        software_version="2.1",
        application_type="web",
        subject_type="pairwise",
        id_token_signed_response_alg="PS256",
        access_token_signing_alg="EdDSA",
        userinfo_signed_response_alg="ES256",
        authorization_signed_response_alg="ES256",
        introspection_signed_response_alg="PS256",
        token_endpoint_auth_signing_alg="ES256",
        request_object_signing_alg="ES256",
        require_signed_request_object=True,
        default_max_age=3600,
        require_auth_time=True,
        dpop_bound_access_tokens=True,
        require_pushed_authorization_requests=True,
        backchannel_logout_session_required=True,
    )
    asked["post_logout_redirect_uris"] = asked["redirect_uris"]
    asked["backchannel_logout_uri"] = asked["redirect_uris"][0]
    asked["frontchannel_logout_uri"] = asked["redirect_uris"][0]
    asked["initiate_login_uri"] = asked["redirect_uris"][0]
    answer = await post(world.http(), await new_token(world), asked)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert {name: told.get(name) for name in asked} == asked


async def test_a_native_app_has_no_secret(world: ProviderWorld) -> None:
    answer = await post(world.http(), await new_token(world), web_client(token_endpoint_auth_method="none"))
    assert answer.status_code == 201, answer.text
    assert answer.json()["application_type"] == "native"
    assert "client_secret" not in answer.json()


async def test_privileged_and_unknown_members_are_ignored(world: ProviderWorld) -> None:
    theirs = {
        "client_id": "portal-of-somebody",
        "client_secret": "chosen by the client",
        "agency_code": "G01",
        "audiences": ["https://id.example/lookup"],
        "sector": "victim.example",
        "state": "active",
        "first_party": True,
        "skip_consent": True,
        "registration_access_token": "chosen",
        "nothing": {"known": ["here"]},
    }
    answer = await post(world.http(), await new_token(world), web_client(**theirs))
    told = answer.json()
    assert answer.status_code == 201, told
    assert told["client_id"] != theirs["client_id"]
    assert told["client_secret"] != theirs["client_secret"]
    assert not {"agency_code", "audiences", "sector", "state", "first_party", "skip_consent", "nothing"} & set(told)
    row = (await world.fetch("SELECT * FROM oidc.clients WHERE client_id = $1", told["client_id"]))[0]
    assert row["agency_id"] == world.agency_id
    assert row["audiences"] == []
    assert row["sector"] in told["redirect_uris"][0]


async def test_nothing_secret_lies_in_the_database(world: ProviderWorld) -> None:
    token = await new_token(world)
    told = (await post(world.http(), token, web_client())).json()
    rows = [
        *await world.fetch("SELECT * FROM oidc.clients WHERE client_id = $1", told["client_id"]),
        *await world.fetch("SELECT * FROM oidc.initial_access_tokens"),
    ]
    seen = " ".join(str(dict(row)) for row in rows)
    assert all(secret not in seen for secret in (token, told["client_secret"], told["registration_access_token"]))
    assert rows[0]["registration_token_hash"] == hash_reference(told["registration_access_token"])


# --- who may ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "DPoP abc"}])
async def test_without_a_token_nobody_registers(world: ProviderWorld, headers: dict[str, str]) -> None:
    """RFC 6750 §3.1: another scheme is no wrong token, but none."""
    answer = await world.http().post("/register", json=web_client(), headers=headers)
    assert answer.status_code == 401
    assert errors_of(answer.headers["www-authenticate"]) == [("Bearer", None)]
    assert answer.headers["cache-control"] == "no-store"


async def test_what_is_not_such_a_token(world: ProviderWorld) -> None:
    told = (await registered(world)).told
    good = await new_token(world)
    for wrong in ("wrong", "x" * 5000, told["registration_access_token"], told["client_secret"], "đ"):
        answer = await world.http().post(
            "/register", json=web_client(), headers=[(b"authorization", f"Bearer {wrong}".encode())]
        )
        assert answer.status_code in {400, 401}, wrong[:20]
    twice = await world.http().post("/register", json=web_client(), headers=[("Authorization", f"Bearer {good}")] * 2)
    assert twice.status_code == 400


async def test_a_token_is_spent_expires_and_is_revoked(world: ProviderWorld) -> None:
    http = world.http()
    token = await new_token(world, uses=2)
    refused = await post(http, token, web_client(redirect_uris=["javascript:alert(1)"]))
    assert refused.status_code == 400  # costs no use
    for _ in range(2):
        assert (await post(http, token, web_client())).status_code == 201
    spent = await post(http, token, web_client())
    assert (spent.status_code, spent.json()["error"]) == (401, "invalid_token")

    token = await new_token(world, life=timedelta(minutes=5))
    world.clock.advance(timedelta(minutes=5))
    assert (await post(http, token, web_client())).status_code == 401


@pytest.mark.parametrize(
    "terms",
    [
        {"profiles": ()},
        {"profiles": ("fapi3",)},
        {"uses": 0},
        {"uses": 101},
        {"life": timedelta(0)},
        {"life": timedelta(days=91)},
        {"note": "x" * 121},
    ],
)
async def test_terms_of_a_token(world: ProviderWorld, terms: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        await new_token(world, **terms)


async def test_a_token_says_which_profiles(world: ProviderWorld) -> None:
    token = await new_token(world, profiles=("fapi2",))
    answer = await post(world.http(), token, web_client(dinhdanh_profile="standard"))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    answer = await post(world.http(), token, web_client(dinhdanh_profile=5))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


async def test_openid_core_waits_for_a_second_person(world: ProviderWorld) -> None:
    alone = await registered(world, web_client(dinhdanh_profile=DROP), profiles=("openid-core",))
    assert alone.told["dinhdanh_profile"] == "openid-core"
    assert alone.told["dinhdanh_state"] == "pending"
    assert await acts_of(world, alone.told["client_id"]) == ["oidc.client-proposed"]
    refused = await party(world, alone.told).exchange(party(world, alone.told).ask(), "code")
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert (await alone.read()).json()["dinhdanh_state"] == "pending"
    assert (await alone.change(client_name="Another")).status_code == 403
    assert (await alone.delete()).status_code == 204

    seconded = await registered(world, web_client(dinhdanh_profile=DROP), profiles=("openid-core",), seconded=True)
    assert seconded.told["dinhdanh_state"] == "active"


# --- what may be registered -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://rp.example/cb#frag"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://rp.example/cb\r\nX: y"]}, "invalid_redirect_uri"),
        ({"post_logout_redirect_uris": ["data:text/html,x"]}, "invalid_redirect_uri"),
        ({"client_uri": "javascript:alert(1)"}, "invalid_client_metadata"),
        ({"logo_uri": "JAVASCRIPT:alert(1)"}, "invalid_client_metadata"),
        ({"policy_uri": "data:text/html,x"}, "invalid_client_metadata"),
        ({"tos_uri": "javascript:alert(1)"}, "invalid_client_metadata"),
        ({"jwks_uri": "https://127.0.0.1/keys"}, "invalid_client_metadata"),
        ({"jwks_uri": "https://[::1]/keys"}, "invalid_client_metadata"),
        ({"sector_identifier_uri": "https://0x7f000001/sector"}, "invalid_client_metadata"),
        ({"sector_identifier_uri": "https://169.254.169.254/"}, "invalid_client_metadata"),
        ({"backchannel_logout_uri": "https://10.0.0.1/logout"}, "invalid_client_metadata"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"grant_types": 0}, "invalid_client_metadata"),
        ({"grant_types": ""}, "invalid_client_metadata"),
        ({"grant_types": {}}, "invalid_client_metadata"),
        ({"response_types": ["code id_token"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "invalid_client_metadata"),
        ({"contacts": "an@rp.example"}, "invalid_client_metadata"),
        ({"software_id": ["kit"]}, "invalid_client_metadata"),
        ({"application_type": "desktop"}, "invalid_client_metadata"),
        ({"client_name": "two\nlines"}, "invalid_client_metadata"),
        ({"client_name": DROP}, "invalid_client_metadata"),
        ({"scope": "openid purpose:benefit-check"}, "invalid_client_metadata"),
        ({"scope": "openid admin"}, "invalid_client_metadata"),
        ({"scope": ["openid"]}, "invalid_client_metadata"),
        ({"software_statement": 5}, "invalid_software_statement"),
        ({"software_statement": "not.a.jwt"}, "invalid_software_statement"),
    ],
)
async def test_what_is_refused(world: ProviderWorld, changes: dict[str, Any], error: str) -> None:
    answer = await post(world.http(), await new_token(world), web_client(**changes))
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.headers["cache-control"] == "no-store"
    assert "javascript" not in answer.text.lower()


async def test_an_agency_without_policies_gets_a_pseudonym_alone(world: ProviderWorld) -> None:
    token = await new_token(world, agency_id=uuid.uuid4())
    answer = await post(world.http(), token, web_client())
    assert answer.json()["scope"] == "openid"
    for scope in ("openid profile", f"openid purpose:{SCHOOL}"):
        refused = await post(world.http(), token, web_client(scope=scope))
        assert refused.json()["error"] == "invalid_client_metadata"
    back_end = fapi_client(
        redirect_uris=DROP, grant_types=["client_credentials"], response_types=[], dinhdanh_profile=DROP
    )
    assert (await post(world.http(), token, back_end)).json()["error"] == "invalid_client_metadata"
    assert (await post(world.http(), await new_token(world), back_end)).json()["scope"] == "lookup"


async def test_another_agencys_host_is_not_given_away(world: ProviderWorld) -> None:
    mine = await registered(world)
    other = await new_token(world, agency_id=uuid.uuid4())
    theirs = web_client(redirect_uris=mine.told["redirect_uris"])
    answer = await post(world.http(), other, theirs)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_redirect_uri")
    with pytest.raises(OAuthError, match="invalid-redirect-uri"):  # the operator does not give it away either
        async with world.database.raw() as tx:
            await world.provider.registrar.register(
                tx, theirs, agency_id=uuid.uuid4(), agency_code="X1", by=OPERATOR, profile="standard"
            )
    assert (await mine.delete()).status_code == 204
    answer = await post(world.http(), other, theirs)  # its people's pseudonyms outlive a client
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"client_name":"a","client_name":"b"}', "application/json", 400),
        (b'{"client_name":"\\u0000"}', "application/json", 400),
        (b'{"client_name":"\\ud800"}', "application/json", 400),
        (b'{"client_name":"a","jwks":{"keys":[{"exp":1' + b"0" * 40 + b"}]}}", "application/json", 400),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, "application/json", 400),
        (b'{"a":"' + b"x" * 70_000 + b'"}', "application/json", 413),
        (b"{" + b",".join(b'"m%d":1' % n for n in range(300)) + b"}", "application/json", 400),
        (b"client_name=x", "application/x-www-form-urlencoded", 400),
    ],
)
async def test_bodies_that_are_no_metadata(world: ProviderWorld, body: bytes, kind: str, status: int) -> None:
    headers = {**bearer(await new_token(world)), "Content-Type": kind}
    answer = await world.http().post("/register", content=body, headers=headers)
    assert answer.status_code == status, answer.text


async def test_other_methods(world: ProviderWorld) -> None:
    http = world.http()
    assert (await http.get("/register")).status_code == 405
    assert (await http.patch("/register/x")).status_code == 405

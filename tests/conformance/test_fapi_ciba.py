"""fapi-ciba-id1-test-plan: plain FAPI, private_key_jwt, tokens bound by mTLS; poll and ping (35 and 40 modules).

Names as in the suite without their common head `fapi-ciba-id1-`. Here: discovery, success, the token endpoint. What is
refused at the first endpoint: test_fapi_ciba_request.py; how ping clients are told: test_fapi_ciba_ping.py.
"""

import re
from typing import Any

import pytest

from core.jose import decode_unverified
from tests.actors.relying_party import DROP
from tests.conformance.called import furnished, suite_server
from tests.conformance.certified import certified_template
from tests.conformance.ciba import CIBA, PASSWORD_ONLY, SCOPE, Ciba
from tests.conformance.ciba_fixture import ciba, other

__all__ = ["certified_template", "ciba", "furnished", "other", "suite_server"]

LONG_BINDING_MESSAGE = "1234 👍🏿 品川 " + "Lorem ipsum dolor sit amet, " * 16
"""Long, and with characters that a small screen may not have: of the kind that the suite tries."""


# --- success --------------------------------------------------------------------------------------------------------


async def test_discovery_end_point_verification(ciba: Ciba) -> None:
    answer = await ciba.http.get("/.well-known/openid-configuration")
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    told = answer.json()
    assert told["issuer"] == ciba.issuer
    assert told["tls_client_certificate_bound_access_tokens"] is True
    assert ciba.mode in told["backchannel_token_delivery_modes_supported"]
    assert "push" not in told["backchannel_token_delivery_modes_supported"]
    assert CIBA in told["grant_types_supported"]
    assert "private_key_jwt" in told["token_endpoint_auth_methods_supported"]
    for name in (
        "id_token_signing_alg_values_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "userinfo_signing_alg_values_supported",
        "backchannel_authentication_request_signing_alg_values_supported",
    ):
        assert {"PS256", "ES256"} & set(told[name]), name
    assert isinstance(told.get("backchannel_user_code_parameter_supported", False), bool)
    for name in ("backchannel_authentication_endpoint", "token_endpoint", "registration_endpoint", "jwks_uri"):
        assert told[name].startswith(f"{ciba.issuer}/"), name
    assert "token_endpoint" in told["mtls_endpoint_aliases"]
    for tag in (*told["ui_locales_supported"], *told.get("claims_locales_supported", [])):
        assert re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", tag), "case as BCP 47 recommends"


async def test_fapi_ciba_id1(ciba: Ciba, other: Ciba) -> None:
    """Two clients with every variation of the request; what one has, the other cannot use."""
    # An assertion may name the issuer or the token endpoint as well (CIBA §7.1).
    auth_req_id = await ciba.asked(assertion=_for(ciba, ciba.issuer))
    await ciba.waits(auth_req_id)
    await ciba.answered()
    await ciba.ping(auth_req_id)
    tokens = await ciba.tokens(auth_req_id)
    await ciba.opens(tokens)
    assert decode_unverified(tokens["access_token"]).claims["cnf"]["x5t#S256"]
    # In the address a token opens nothing; what is accepted may be said in any way that means JSON.
    in_address = await ciba.http.get(
        ciba.endpoints["userinfo_endpoint"],
        params={"access_token": tokens["access_token"]},
        headers={"Client-Cert": ciba.party.certificate or ""},
    )
    assert in_address.status_code in {400, 401}
    for accept in ("application/json;charset=UTF-8", "application/json, application/*+json, */*"):
        answer = await ciba.resource(tokens["access_token"], accept=accept, x_fapi_customer_ip_address="2001:db8::1893")
        assert answer.status_code == 200

    told = other.taken(await other.ask(assertion=_for(other, other.endpoints["token_endpoint"])))
    assert told["expires_in"] == 300
    second = told["auth_req_id"]
    await other.waits(second)
    await other.answered()
    await other.ping(second)
    theirs = await other.tokens(second)
    assert theirs["claims"]["acr"] == PASSWORD_ONLY
    await other.opens(theirs)
    with_my_certificate = await ciba.resource(theirs["access_token"])
    assert 400 <= with_my_certificate.status_code < 500
    assert ciba.refused(await other.collect(second)) == "invalid_grant"


def _for(ciba: Ciba, audience: str) -> str:
    return ciba.party.assertion(aud=audience, nbf=ciba.now())


async def test_user_rejects_authentication(ciba: Ciba) -> None:
    auth_req_id = await ciba.asked()
    await ciba.waits(auth_req_id)
    await ciba.answered("refuse")
    await ciba.ping(auth_req_id)
    assert ciba.refused(await ciba.collect(auth_req_id)) == "access_denied"


async def test_multiple_call_to_token_endpoint(ciba: Ciba) -> None:
    """Too often: first told to wait, then to slow down; and the request stays what it was."""
    auth_req_id = await ciba.asked()
    await ciba.waits(auth_req_id)
    assert {await ciba.is_pending(auth_req_id) for _ in range(20)} == {"slow_down"}
    await ciba.answered()
    await ciba.ping(auth_req_id)
    await ciba.tokens(auth_req_id)


async def test_auth_req_id_expired(ciba: Ciba) -> None:
    """Ten seconds were asked for, and the person does nothing; who is pinged is not told of that."""
    answer = ciba.taken(await ciba.ask({"requested_expiry": 10}))
    assert answer["expires_in"] == 10
    auth_req_id = answer["auth_req_id"]
    await ciba.waits(auth_req_id)
    ciba.wait(answer["expires_in"])
    await ciba.work()
    ciba.wait()
    assert ciba.refused(await ciba.collect(auth_req_id)) == "expired_token"
    assert ciba.pings == []


async def test_ensure_authorization_request_with_binding_message_succeeds(ciba: Ciba) -> None:
    auth_req_id = await ciba.asked({"binding_message": "1234"})
    page = await ciba.show_newest()
    assert re.search(r'id="binding-message">1234<', page.text), "the person compares it with the desk's"
    await ciba.answered()
    await ciba.ping(auth_req_id)
    await ciba.opens(await ciba.tokens(auth_req_id))


async def test_ensure_other_scope_order_succeeds(ciba: Ciba) -> None:
    await ciba.allowed({"scope": " ".join(reversed(SCOPE.split()))})


async def test_ensure_requested_expiry_as_string_succeeds(ciba: Ciba) -> None:
    """CIBA §7.1.1: a number, or its text."""
    answer = ciba.taken(await ciba.ask({"requested_expiry": "30"}))
    assert answer["expires_in"] == 30
    await ciba.answered()
    await ciba.ping(answer["auth_req_id"])
    await ciba.opens(await ciba.tokens(answer["auth_req_id"]))


async def test_ensure_authorization_request_with_potentially_bad_binding_message(ciba: Ciba) -> None:
    """Shown as it is, or refused by the error of its own; here refused."""
    assert ciba.refused(await ciba.ask({"binding_message": LONG_BINDING_MESSAGE})) == "invalid_binding_message"


# --- the token endpoint ----------------------------------------------------------------------------------------------


async def test_ensure_wrong_auth_req_id_in_token_endpoint_request(ciba: Ciba, other: Ciba) -> None:
    """Another client's: answered like one that never was."""
    auth_req_id = await ciba.asked()
    refused = await other.collect(auth_req_id)
    assert ciba.refused(refused) == "invalid_grant"
    assert refused.json() == (await other.collect("never-was")).json()
    await ciba.answered()
    await ciba.ping(auth_req_id)
    await ciba.tokens(auth_req_id)  # nobody took it from its client


async def test_ensure_without_client_assertion_in_token_endpoint_request(ciba: Ciba) -> None:
    answer = await ciba.collect(await ciba.asked(), assertion=DROP)
    assert ciba.token_error(answer) in {"invalid_client", "invalid_request"}


async def test_ensure_client_assertion_with_iss_aud_to_token_endpoint_succeeds(ciba: Ciba) -> None:
    auth_req_id = await ciba.asked()
    # Anything but pending is a warning.
    assert await ciba.is_pending(auth_req_id, assertion=_for(ciba, ciba.issuer)) == "authorization_pending"


@pytest.mark.parametrize(
    "bent",
    [
        {"aud": "https://elsewhere.example/token"},
        {"sub": "somebody-else"},
        {"iss": DROP},
        {"jti": DROP},
        {"exp": DROP},
        {"exp": 1},
        {"nbf": 4_000_000_000},
    ],
    ids=str,
)
async def test_client_assertion_faults(ciba: Ciba, bent: dict[str, Any]) -> None:
    """No module of its own: what FAPI 1.0 Advanced §5.2.2 demands of every assertion, at both endpoints."""
    for address in (ciba.endpoints["backchannel_authentication_endpoint"], ciba.endpoints["token_endpoint"]):
        made = ciba.party.assertion(**{"aud": address, **bent})
        if address == ciba.endpoints["token_endpoint"]:
            answer = await ciba.collect("never-was", assertion=made)
        else:
            answer = await ciba.ask(assertion=made)
        assert (answer.status_code, ciba.token_error(answer)) == (401, "invalid_client")


async def test_ensure_mtls_holder_of_key_required(ciba: Ciba) -> None:
    auth_req_id = await ciba.asked()
    refused = await ciba.collect(auth_req_id, certificate=DROP)
    assert ciba.token_error(refused) in {"invalid_request", "invalid_grant", "invalid_client"}
    await ciba.answered()
    await ciba.ping(auth_req_id)
    refused = await ciba.collect(auth_req_id, certificate=DROP)
    assert ciba.token_error(refused) in {"invalid_request", "invalid_grant", "invalid_client"}


async def test_refresh_token(ciba: Ciba, other: Ciba) -> None:
    """Renewed by its own client, with what stays in the id_token and what changes; by nobody else."""
    assert "refresh_token" in ciba.metadata["grant_types_supported"]
    kept = []
    for client in (ciba, other):
        first = await client.allowed()
        client.wait(1)
        form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        answer = await client.token(form if client.second else {**form, "scope": SCOPE})
        renewed = client.tokens_of(answer)
        assert renewed["access_token"] != first["access_token"]
        renewed["claims"] = await client.told(renewed)
        for name in ("iss", "sub", "aud", "azp", "auth_time"):
            assert renewed["claims"].get(name) == first["claims"].get(name), name
        assert renewed["claims"]["iat"] > first["claims"]["iat"]
        await client.opens(renewed)
        kept.append(renewed.get("refresh_token", first["refresh_token"]))
    stolen = await ciba.token({"grant_type": "refresh_token", "refresh_token": kept[1], "scope": SCOPE})
    assert ciba.refused(stolen) == "invalid_grant"

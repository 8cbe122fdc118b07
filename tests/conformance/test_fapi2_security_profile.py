"""fapi2-security-profile-final-test-plan: plain FAPI, OpenID Connect, private_key_jwt, DPoP (56 modules).

Success and the authorization request; what comes after the code is in test_fapi2_security_profile_tokens.py.
Names as in the suite without their common head `fapi2-security-profile-final-`.
"""

from datetime import timedelta

import orjson
import pytest

from core.jose import SigningKey, decode_unverified
from tests.actors.relying_party import ASSERTION_TYPE
from tests.conformance.fapi import DROP, Fapi
from tests.conformance.fapi_fixture import fapi, other, seconds
from tests.conformance.suite import DISCOVERY

__all__ = ["fapi", "other"]


# --- success --------------------------------------------------------------------------------------------------------


async def test_discovery_end_point_verification(fapi: Fapi) -> None:
    document = (await fapi.http.get(DISCOVERY)).json()
    assert "code" in document["response_types_supported"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["pushed_authorization_request_endpoint"].startswith(fapi.issuer)
    assert isinstance(document.get("require_pushed_authorization_requests", False), bool)
    assert "private_key_jwt" in document["token_endpoint_auth_methods_supported"]
    assert {"PS256", "ES256"} <= set(document["token_endpoint_auth_signing_alg_values_supported"])
    assert {"PS256", "ES256"} <= set(document["dpop_signing_alg_values_supported"])
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert {"authorization_code"} <= set(document["grant_types_supported"])


async def test_happy_flow(fapi: Fapi, other: Fapi) -> None:
    for client in (fapi, other):
        tokens = await client.happy(scope="openid")
        answer = await client.resource(tokens)
        assert answer.status_code == 200
        assert answer.json()["sub"] == tokens["claims"]["sub"]
        assert decode_unverified(tokens["access_token"]).claims["cnf"]["jkt"]


async def test_happy_flow_second_redirect_address(other: Fapi) -> None:
    """The suite's second client returns to an address with a query of its own, which must come back untouched."""
    other.party.redirect_uri = other.client.redirect_uris[1]
    assert "?" in other.party.redirect_uri
    await other.happy()


async def test_user_rejects_authentication(fapi: Fapi) -> None:
    attempt, request = await fapi.pushed(scope="openid profile", prompt="consent")
    page = await fapi.go(attempt)
    page = await fapi.browser.sign_in(fapi.persona)
    page = await fapi.browser.submit("consent-form", button=("decision", "refuse"))
    assert await fapi.error(request, page=page) == "access_denied"


async def test_user_turns_back_at_the_sign_in(fapi: Fapi) -> None:
    attempt, request = await fapi.pushed()
    await fapi.go(attempt)
    page = await fapi.browser.submit("leave-form")
    assert await fapi.error(request, page=page) == "access_denied"


async def test_ensure_authorization_request_without_state_success(fapi: Fapi) -> None:
    attempt, request = await fapi.pushed(state=DROP)
    code = await fapi.code_of(attempt, request)
    assert (await fapi.party.exchange(attempt, code)).status_code == 200


async def test_ensure_authorization_request_without_nonce_success(fapi: Fapi) -> None:
    assert "nonce" not in (await fapi.happy(nonce=DROP))["claims"]


@pytest.mark.parametrize("length", [64, 1000])
async def test_ensure_authorization_request_with_long_nonce(fapi: Fapi, length: int) -> None:
    """…-with-64-char-nonce-success, …-with-long-nonce: a refusal of the long one is a warning."""
    assert (await fapi.happy(nonce="n" * length))["claims"]["nonce"] == "n" * length


async def test_ensure_authorization_request_with_long_state(fapi: Fapi) -> None:
    await fapi.happy(state="s" * 1000)


async def test_ensure_other_scope_order_succeeds(fapi: Fapi) -> None:
    await fapi.happy(scope="profile openid")


async def test_claims_parameter_identity_claims(fapi: Fapi) -> None:
    names = ("name", "birthdate", "gender", "email", "phone_number", "address")
    asked = {"userinfo": dict.fromkeys(names), "id_token": dict.fromkeys(names), "elsewhere": {"name": None}}
    tokens = await fapi.happy(claims=orjson.dumps(asked).decode())
    assert set(names) <= set((await fapi.resource(tokens)).json())


@pytest.mark.parametrize("scheme", ["dPOP", "dpop", "DPOP"])
async def test_access_token_type_header_case_sensitivity(fapi: Fapi, scheme: str) -> None:
    assert (await fapi.resource(await fapi.happy(), scheme=scheme)).status_code == 200


async def test_check_dpop_proof_nbf_exp(fapi: Fapi) -> None:
    """Claims that a proof need not have are no reason to refuse it."""
    tokens = await fapi.happy()
    answer = await fapi.resource(tokens, nbf=seconds(fapi, 0), exp=seconds(fapi, 300))
    assert answer.status_code == 200


@pytest.mark.parametrize("offset", [-10, 10])
async def test_ensure_dpop_proof_with_iat_10_seconds_before_or_after_succeeds(fapi: Fapi, offset: int) -> None:
    tokens = await fapi.happy()
    assert (await fapi.resource(tokens, iat=seconds(fapi, offset))).status_code == 200


async def test_ensure_dpop_proof_at_par_endpoint_binding_success(fapi: Fapi) -> None:
    """A proof at the PAR endpoint binds the code; the same key redeems it."""
    await fapi.happy()  # `push` sends a proof with this key


async def test_ensure_dpop_auth_code_binding_success(fapi: Fapi) -> None:
    assert fapi.party.proof_key is not None
    await fapi.happy(dpop_jkt=fapi.party.proof_key.public().thumbprint)


async def test_ensure_mismatched_dpop_jkt_fails(fapi: Fapi) -> None:
    answer = await fapi.push(fapi.party.ask(dpop_jkt=SigningKey.generate("ES256").public().thumbprint))
    assert fapi.par_error(answer) in {"invalid_dpop_proof", "invalid_request"}


async def test_ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt(fapi: Fapi) -> None:
    attempt, request = await fapi.pushed()
    code = await fapi.code_of(attempt, request)
    fapi.party.proof_key = SigningKey.generate("ES256")
    answer = await fapi.party.exchange(attempt, code)
    assert fapi.token_error(answer) in {"invalid_grant", "invalid_request", "invalid_dpop_proof"}


# --- refusals at the PAR endpoint -----------------------------------------------------------------------------------


async def test_ensure_registered_redirect_uri(fapi: Fapi) -> None:
    """Also tolerate-unregistered-redirect-uri: RFC 9126 §2.4 allows one, we do not."""
    answer = await fapi.push(fapi.party.ask(redirect_uri=f"{fapi.client.redirect_uris[0]}/other"))
    assert fapi.par_error(answer) in {"invalid_request", "invalid_redirect_uri"}


async def test_ensure_redirect_uri_in_authorization_request(fapi: Fapi) -> None:
    assert fapi.par_error(await fapi.push(fapi.party.ask(redirect_uri=DROP))) == "invalid_request"


@pytest.mark.parametrize("response_type", ["code id_token", "token", "id_token"])
async def test_ensure_response_type_fails(fapi: Fapi, response_type: str) -> None:
    """ensure-response-type-code-idtoken-fails, ensure-response-type-token-fails."""
    answer = await fapi.push(fapi.party.ask(response_type=response_type))
    assert fapi.par_error(answer) in {"unsupported_response_type", "invalid_request", "unauthorized_client"}


async def test_par_ensure_pkce_required(fapi: Fapi) -> None:
    attempt = fapi.party.ask(code_challenge=DROP, code_challenge_method=DROP)
    assert fapi.par_error(await fapi.push(attempt)) == "invalid_request"


async def test_par_ensure_plain_pkce_rejected(fapi: Fapi) -> None:
    attempt = fapi.party.ask(code_challenge_method="plain", code_challenge="v" * 43)
    assert fapi.par_error(await fapi.push(attempt)) == "invalid_request"


async def test_par_authorization_request_containing_request_uri_form_param(fapi: Fapi) -> None:
    answer = await fapi.push(fapi.party.ask(request_uri="urn:ietf:params:oauth:request_uri:random"))
    assert fapi.par_error(answer) in {"invalid_request", "invalid_request_object", "request_uri_not_supported"}


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
async def test_par_attempt_invalid_http_method(fapi: Fapi, method: str) -> None:
    form, headers = fapi.party.authentication("/par")
    answer = await fapi.http.request(method, "/par", data={**form, **fapi.party.ask().params}, headers=headers)
    assert answer.status_code == 405


@pytest.mark.parametrize("audience", ["par", "token", "array", "both"])
async def test_par_endpoint_as_audience_fails(fapi: Fapi, audience: str) -> None:
    """par-endpoint-as-array-audience-fails, par-endpoint-as-audience-fails, par-token-endpoint-as-audience-fails."""
    par, token = f"{fapi.issuer}/par", f"{fapi.issuer}/token"
    aud = {"par": par, "token": token, "array": [par], "both": [fapi.issuer, par]}[audience]
    sent = {**fapi.party.ask().params, "client_assertion_type": ASSERTION_TYPE}
    answer = await fapi.party.post("/par", {**sent, "client_assertion": fapi.party.assertion(aud=aud)}, plain=True)
    assert fapi.par_error(answer) == "invalid_client"


@pytest.mark.parametrize(("ahead", "accepted"), [(8, True), (70, False)])
async def test_par_ensure_jwt_client_assertion_with_iat_nbf_in_the_future(
    fapi: Fapi, ahead: int, accepted: bool
) -> None:
    """…-with-iat-nbf-8-seconds-in-the-future-is-accepted, …-over-60-seconds-in-the-future-fails."""
    when = seconds(fapi, ahead)
    sent = {**fapi.party.ask().params, "client_assertion_type": ASSERTION_TYPE}
    assertion = fapi.party.assertion(iat=when, nbf=when, exp=when + 60)
    answer = await fapi.party.post("/par", {**sent, "client_assertion": assertion}, plain=True)
    if accepted:
        assert answer.status_code == 201, answer.text
    else:
        assert fapi.par_error(answer) == "invalid_client"


# --- the pushed request in the browser ------------------------------------------------------------------------------


async def test_par_without_duplicate_parameters(fapi: Fapi) -> None:
    attempt, request = await fapi.pushed()
    assert set(attempt.params) == {"client_id", "request_uri"}
    await fapi.code_of(attempt, request)


async def test_ensure_different_state_and_nonce_outside(fapi: Fapi) -> None:
    """ensure-different-nonce-, -state-inside-and-outside-request-object: what is outside is not looked at."""
    attempt, request = await fapi.pushed()
    page = await fapi.agree(await fapi.go(attempt, state="outside", nonce="outside", scope="openid email"))
    code = fapi.callback(page, request)["code"]
    tokens = await fapi.redeemed(await fapi.party.exchange(attempt, code), request)
    assert tokens["scope"] == "openid"


async def test_state_only_outside_request_object_not_used(fapi: Fapi) -> None:
    attempt, request = await fapi.pushed(state=DROP)
    answer = fapi.callback(await fapi.agree(await fapi.go(attempt, state="outside")), request)
    assert "state" not in answer


async def test_ensure_unsigned_authorization_request_without_using_par_fails(fapi: Fapi) -> None:
    request = fapi.request(pkce=True)
    assert await fapi.error(request) in {"invalid_request", "invalid_request_object"}


async def test_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(fapi: Fapi) -> None:
    attempt, request = await fapi.pushed()
    first = await fapi.go(attempt)
    assert first.path == "/signin"
    await fapi.code_of(attempt, request)


async def test_par_attempt_reuse_request_uri(fapi: Fapi) -> None:
    attempt, request = await fapi.pushed()
    await fapi.code_of(attempt, request)
    page = await fapi.go(attempt)
    assert page.status == 400
    assert "location" not in page.response.headers


async def test_par_attempt_to_use_expired_request_uri(fapi: Fapi) -> None:
    attempt, _ = await fapi.pushed()
    fapi.furnished.clock.advance(timedelta(seconds=601))
    page = await fapi.go(attempt)
    assert page.status == 400
    assert "location" not in page.response.headers


async def test_par_attempt_to_use_request_uri_for_different_client(fapi: Fapi, other: Fapi) -> None:
    attempt, _ = await fapi.pushed()
    page = await fapi.go(attempt, client_id=other.client.client_id)
    assert page.status == 400
    assert "location" not in page.response.headers

"""fapi2-security-profile-final-test-plan, the back channel: the token endpoint, refresh tokens, proofs.

Names as in the suite without their common head `fapi2-security-profile-final-`.
"""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.jose import SigningKey
from tests.actors.relying_party import ASSERTION_TYPE, challenge_of
from tests.conformance.fapi import DROP, Fapi
from tests.conformance.fapi_fixture import fapi, other, seconds

__all__ = ["fapi", "other"]


# --- the token endpoint ---------------------------------------------------------------------------------------------


async def test_ensure_client_id_in_token_endpoint(fapi: Fapi, other: Fapi) -> None:
    """client_id and assertion of the second client, signed with the key of the first."""
    attempt, request = await fapi.pushed()
    code = await fapi.code_of(attempt, request)
    forged = other.party.assertion(key=fapi.party.key)
    params = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": fapi.party.redirect_uri,
        "code_verifier": attempt.verifier,
        "client_id": other.client.client_id,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": forged,
    }
    headers = {"DPoP": fapi.party.proof("POST", "/token")}
    answer = await fapi.party.post("/token", params, headers=headers, plain=True)
    assert fapi.token_error(answer) in {"invalid_client", "invalid_grant"}


async def test_ensure_holder_of_key_required(fapi: Fapi) -> None:
    """No proof at the token endpoint."""
    attempt, request = await fapi.pushed()
    code = await fapi.code_of(attempt, request)
    fapi.party.proof_key = None
    answer = await fapi.party.exchange(attempt, code)
    assert answer.status_code == 400
    assert fapi.token_error(answer) in {"invalid_dpop_proof", "invalid_request", "invalid_grant"}


async def test_ensure_authorization_code_is_bound_to_client(fapi: Fapi, other: Fapi) -> None:
    attempt, request = await fapi.pushed()
    code = await fapi.code_of(attempt, request)
    assert fapi.token_error(await other.party.exchange(attempt, code)) == "invalid_grant"


async def test_attempt_reuse_authorization_code_after_one_second(fapi: Fapi) -> None:
    attempt, request = await fapi.pushed()
    code = await fapi.code_of(attempt, request)
    tokens = await fapi.redeemed(await fapi.party.exchange(attempt, code), request)
    fapi.furnished.clock.advance(timedelta(seconds=1))
    assert fapi.token_error(await fapi.party.exchange(attempt, code)) == "invalid_grant"
    assert (await fapi.resource(tokens)).status_code == 401  # a token that lives on is a warning


async def test_attempt_to_use_expired_auth_code(fapi: Fapi) -> None:
    attempt, request = await fapi.pushed()
    code = await fapi.code_of(attempt, request)
    fapi.furnished.clock.advance(timedelta(seconds=62))
    assert fapi.token_error(await fapi.party.exchange(attempt, code)) == "invalid_grant"


async def test_par_ensure_pkce_code_verifier_required(fapi: Fapi) -> None:
    attempt, request = await fapi.pushed()
    code = await fapi.code_of(attempt, request)
    answer = await fapi.party.exchange(attempt, code, code_verifier=DROP)
    assert fapi.token_error(answer) == "invalid_grant"


async def test_par_incorrect_pkce_code_verifier_rejected(fapi: Fapi) -> None:
    attempt, request = await fapi.pushed()
    code = await fapi.code_of(attempt, request)
    answer = await fapi.party.exchange(attempt, code, code_verifier="w" * 43)
    assert challenge_of("w" * 43) != request.params["code_challenge"]
    assert fapi.token_error(answer) == "invalid_grant"


async def test_ensure_signed_client_assertion_with_rs256_fails(fapi: Fapi) -> None:
    attempt, request = await fapi.pushed()
    code = await fapi.code_of(attempt, request)
    rsa = SigningKey.generate("RS256")
    answer = await exchange_with(fapi, attempt.verifier, code, fapi.party.assertion(key=rsa))
    assert fapi.token_error(answer) == "invalid_client"


async def test_ensure_client_assertion_in_token_endpoint_fails_when_it_is_missing(fapi: Fapi) -> None:
    """ensure-client-assertion-in-token-endpoint."""
    attempt, request = await fapi.pushed()
    code = await fapi.code_of(attempt, request)
    answer = await exchange_with(fapi, attempt.verifier, code, None)
    assert fapi.token_error(answer) in {"invalid_client", "invalid_request"}


@pytest.mark.parametrize("fault", ["expired", "audience", "no-sub"])
async def test_ensure_client_assertion_fails(fapi: Fapi, fault: str) -> None:
    """…-with-exp-is-5-minutes-in-past-fails, …-with-wrong-aud-fails, …-with-no-sub-fails."""
    attempt, request = await fapi.pushed()
    code = await fapi.code_of(attempt, request)
    faults: dict[str, dict[str, Any]] = {
        "expired": {"exp": seconds(fapi, -300)},
        "audience": {"aud": "https://www.example.com"},
        "no-sub": {"sub": DROP},
    }
    changes = faults[fault]
    answer = await exchange_with(fapi, attempt.verifier, code, fapi.party.assertion(**changes))
    assert fapi.token_error(answer) == "invalid_client"


async def exchange_with(fapi: Fapi, verifier: str, code: str, assertion: str | None) -> httpx.Response:
    params = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": fapi.party.redirect_uri,
        "code_verifier": verifier,
        "client_id": fapi.client.client_id,
    }
    if assertion is not None:
        params |= {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    headers = {"DPoP": fapi.party.proof("POST", "/token")}
    return await fapi.party.post("/token", params, headers=headers, plain=True)


# --- refresh and proofs ---------------------------------------------------------------------------------------------


async def test_refresh_token(fapi: Fapi, other: Fapi) -> None:
    """Bound to the client, not rotated, usable with another DPoP key of the same client (RFC 9449 §5)."""
    tokens = await fapi.happy(scope="openid offline_access", prompt="consent")
    request = fapi.requests[-1]
    fapi.furnished.clock.advance(timedelta(seconds=5))
    for _ in range(2):
        fapi.party.proof_key = SigningKey.generate("ES256")
        renewed = await fapi.redeemed(await fapi.party.refresh(tokens["refresh_token"]), request, nonce=False)
        assert renewed.get("refresh_token", tokens["refresh_token"]) == tokens["refresh_token"]
        assert all(renewed["claims"][name] == tokens["claims"][name] for name in ("iss", "sub", "aud", "auth_time"))
        assert (await fapi.resource(renewed)).status_code == 200
    assert fapi.token_error(await other.party.refresh(tokens["refresh_token"])) == "invalid_grant"


@pytest.mark.parametrize("missing", ["jti", "htm", "htu", "iat", "ath"])
async def test_dpop_negative_tests_missing_claims(fapi: Fapi, missing: str) -> None:
    tokens = await fapi.happy()
    assert (await fapi.resource(tokens)).status_code == 200
    assert (await fapi.resource(tokens, **{missing: DROP})).status_code in {400, 401}


@pytest.mark.parametrize("header", [{"typ": DROP}, {"typ": "JWT"}, {"jwk": DROP}, {"alg": "none"}, {"alg": "HS256"}])
async def test_dpop_negative_tests_header(fapi: Fapi, header: dict[str, Any]) -> None:
    tokens = await fapi.happy()
    assert (await fapi.resource(tokens, header=header)).status_code in {400, 401}


@pytest.mark.parametrize(
    "claims",
    [
        {"htm": "POST"},
        {"htu": "https://other.example/userinfo"},
        {"iat": -120},
        {"iat": 120},
        {"ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"},
    ],
)
async def test_dpop_negative_tests_wrong_claims(fapi: Fapi, claims: dict[str, Any]) -> None:
    bent: dict[str, Any] = {
        name: seconds(fapi, value) if isinstance(value, int) else value for name, value in claims.items()
    }
    tokens = await fapi.happy()
    assert (await fapi.resource(tokens, **bent)).status_code in {400, 401}


async def test_dpop_negative_tests_the_rest(fapi: Fapi) -> None:
    """Two headers, no JWT, a broken signature, a private key in it, another key, a replay, as a bearer token."""
    tokens = await fapi.happy()
    token, party = tokens["access_token"], fapi.party
    good = party.proof("GET", "/userinfo", token=token)
    authorization = ("Authorization", f"DPoP {token}")

    async def status(*headers: tuple[str, str]) -> int:
        return (await fapi.http.get("/userinfo", headers=list(headers))).status_code

    two = (
        ("DPoP", party.proof("GET", "/userinfo", token=token)),
        ("DPoP", party.proof("GET", "/userinfo", token=token)),
    )
    assert await status(authorization, *two) in {400, 401}
    assert await status(authorization, ("DPoP", good.rsplit(".", 1)[0])) in {400, 401}
    head, body, signature = party.proof("GET", "/userinfo", token=token).split(".")
    assert await status(authorization, ("DPoP", f"{head}.{body}.{signature[::-1]}")) in {400, 401}
    assert party.proof_key is not None
    private = {"kty": "EC", "crv": "P-256", **{m: party.proof_key.private_jwk()[m] for m in ("x", "y", "d")}}
    assert (await fapi.resource(tokens, header={"jwk": private})).status_code in {400, 401}
    assert (await fapi.resource(tokens, key=SigningKey.generate("ES256"))).status_code in {400, 401}
    assert await status(authorization, ("DPoP", good)) == 200
    assert await status(authorization, ("DPoP", good)) in {400, 401}
    assert await status(("Authorization", f"Bearer {token}")) in {400, 401}
    assert await status(authorization) in {400, 401}
    # The header's name and the URL's case, and query and fragment, make no difference (RFC 9449 §4.3).
    assert await status(authorization, ("DPOP", party.proof("GET", "/userinfo", token=token))) == 200
    upper = fapi.issuer.upper().replace("HTTP", "http") + "/userinfo?query=1#fragment"
    assert (await fapi.resource(tokens, htu=upper)).status_code == 200

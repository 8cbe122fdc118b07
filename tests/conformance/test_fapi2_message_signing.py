"""fapi2-message-signing-final-test-plan: signed request objects through PAR, answers as JWTs (JARM).

Only what is other than in the security profile (test_fapi2_security_profile*.py); names as in the suite.
"""

import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import orjson
import pytest

from core.jose import SigningKey, VerificationKey, decode_unverified, sign_jwt, verify_signature
from tests.actors.browser import Page
from tests.actors.relying_party import Attempt, forged_jwt
from tests.conformance.fapi import DROP, Fapi
from tests.conformance.suite import DISCOVERY, Request
from tests.support.furnished import Furnished

PERSONA = "Tam"
OBJECT_ERRORS = {"invalid_request", "invalid_request_object"}


class Signing(Fapi):
    """Pushes signed objects and reads signed answers."""

    def object(
        self,
        attempt: Attempt,
        *,
        key: SigningKey | None = None,
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """The request object over the attempt's parameters; `claims` bend it."""
        signing = key or self.party.key
        assert signing is not None
        now = int(self.furnished.clock.now().timestamp())
        told = {
            **attempt.params,
            "iss": self.client.client_id,
            "aud": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": secrets.token_urlsafe(16),
            **claims,
        }
        told = {name: value for name, value in told.items() if value is not DROP}
        if header is not None:
            return forged_jwt({"typ": "oauth-authz-req+jwt", "kid": signing.kid, **header}, told, signing)
        return sign_jwt(signing, told, typ="oauth-authz-req+jwt")

    async def push_object(self, object_: str, **beside: str) -> httpx.Response:
        return await self.party.post("/par", {"client_id": self.client.client_id, "request": object_, **beside})

    async def push(self, attempt: Attempt, **changes: Any) -> httpx.Response:
        return await self.push_object(self.object(attempt, **changes))

    async def pushed(self, **changes: Any) -> tuple[Attempt, Request]:
        return await super().pushed(**{"response_mode": "jwt", **changes})

    def callback(self, page: Page, request: Request) -> dict[str, str]:
        """JARM: one parameter, a JWT of ours for this client, soon to expire."""
        assert page.response.is_redirect, (page.url, page.status, page.text[-600:])
        answer = dict(parse_qsl(urlsplit(page.response.headers["location"]).query, strict_parsing=True))
        assert set(answer) == {"response"}, answer
        token = answer["response"]
        header = decode_unverified(token).header
        assert header["alg"] == "ES256"
        key = next(key for key in self.published if key["kid"] == header["kid"])
        claims = dict(verify_signature(token, VerificationKey.from_jwk(key), typ=None).claims)
        now = int(self.furnished.clock.now().timestamp())
        assert claims.pop("iss") == self.issuer
        assert claims.pop("aud") == self.client.client_id
        assert now < claims.pop("exp") <= now + 600  # longer is a warning
        claims.pop("iat", None)
        assert claims.get("state") == request.state
        return claims

    published: list[dict[str, Any]] = []


@pytest.fixture
async def fapi(furnished: Furnished) -> AsyncIterator[Signing]:
    async with furnished.browser() as browser:
        made = Signing.of(furnished, browser, furnished.client("conformance-signing-1"), PERSONA)
        assert isinstance(made, Signing)
        made.published = (await browser.http.get("/jwks")).json()["keys"]
        yield made


def seconds(fapi: Signing, ahead: int) -> int:
    return int(fapi.furnished.clock.now().timestamp()) + ahead


async def test_discovery_end_point_verification(fapi: Signing) -> None:
    document = (await fapi.http.get(DISCOVERY)).json()
    assert {"jwt", "query.jwt", "form_post.jwt"} <= set(document["response_modes_supported"])
    assert {"PS256", "ES256"} & set(document["authorization_signing_alg_values_supported"])
    assert {"PS256", "ES256"} & set(document["request_object_signing_alg_values_supported"])
    assert document["request_parameter_supported"] is True
    for name in ("authorization_encryption_alg_values_supported", "authorization_encryption_enc_values_supported"):
        assert isinstance(document.get(name, []), list)


async def test_happy_flow(fapi: Signing) -> None:
    tokens = await fapi.happy(scope="openid profile")
    assert (await fapi.resource(tokens)).json()["sub"] == tokens["claims"]["sub"]


async def test_user_rejects_authentication(fapi: Signing) -> None:
    """The refusal comes back as a JWT as well."""
    attempt, request = await fapi.pushed(scope="openid email", prompt="consent")
    await fapi.go(attempt)
    await fapi.browser.sign_in(fapi.persona)
    page = await fapi.browser.submit("consent-form", button=("decision", "refuse"))
    assert fapi.callback(page, request)["error"] == "access_denied"


async def test_ensure_request_object_with_multiple_aud_succeeds(fapi: Signing) -> None:
    attempt = fapi.party.ask(response_mode="jwt")
    assert (await fapi.push(attempt, aud=["https://other.example", fapi.issuer])).status_code == 201


async def test_ensure_request_object_with_nbf_8_seconds_in_the_future_is_accepted(fapi: Signing) -> None:
    attempt = fapi.party.ask(response_mode="jwt")
    assert (await fapi.push(attempt, nbf=seconds(fapi, 8))).status_code == 201


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": DROP},
        {"nbf": DROP},
        {"exp": -300},
        {"aud": "https://www.example.com"},
        {"aud": DROP},
        {"exp": 70 * 60},
        {"nbf": -70 * 60},
        {"nbf": 70},
        {"iss": "somebody-else"},
        {"redirect_uri": DROP},
        {"client_id": "somebody-else"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
        {"request": "e30.e30."},
    ],
)
async def test_ensure_request_object_fails(fapi: Signing, claims: dict[str, Any]) -> None:
    """…-without-exp-, -without-nbf-, -expired-, -with-bad-aud-, -with-exp-over-60-, -with-nbf-over-60-,
    -without-redirect-uri-fails, par-authorization-request-containing-request_uri."""
    bent = {name: seconds(fapi, value) if isinstance(value, int) else value for name, value in claims.items()}
    answer = await fapi.push(fapi.party.ask(response_mode="jwt"), **bent)
    assert fapi.par_error(answer) in OBJECT_ERRORS


async def test_ensure_signed_request_object_with_rs256_fails(fapi: Signing) -> None:
    answer = await fapi.push(fapi.party.ask(response_mode="jwt"), key=SigningKey.generate("RS256"))
    assert fapi.par_error(answer) in OBJECT_ERRORS


async def test_ensure_request_object_signature_algorithm_is_not_none(fapi: Signing) -> None:
    answer = await fapi.push(fapi.party.ask(response_mode="jwt"), header={"alg": "none"})
    assert fapi.par_error(answer) in OBJECT_ERRORS


async def test_ensure_request_object_with_invalid_signature_fails(fapi: Signing) -> None:
    attempt = fapi.party.ask(response_mode="jwt")
    head, body, signature = fapi.object(attempt).split(".")
    assert fapi.par_error(await fapi.push_object(f"{head}.{body}.{signature[::-1]}")) in OBJECT_ERRORS


async def test_ensure_matching_key_in_authorization_request(fapi: Signing, furnished: Furnished) -> None:
    """Signed with the other client's key."""
    other = furnished.client("conformance-signing-2").private_jwk
    assert other is not None
    answer = await fapi.push(fapi.party.ask(response_mode="jwt"), key=SigningKey.from_jwk(other))
    assert fapi.par_error(answer) in OBJECT_ERRORS


async def test_ensure_unsigned_request_at_par_endpoint_fails(fapi: Signing) -> None:
    answer = await fapi.party.push(fapi.party.ask(response_mode="jwt"))
    assert fapi.par_error(answer) in OBJECT_ERRORS


async def test_ensure_different_nonce_and_state_inside_and_outside(fapi: Signing) -> None:
    """At the PAR endpoint as at the authorization endpoint: what stands outside the object is not looked at."""
    attempt = fapi.party.ask(response_mode="jwt")
    answer = await fapi.push_object(fapi.object(attempt), state="outside", nonce="outside", scope="openid email")
    assert answer.status_code == 201, answer.text
    request = Request({**attempt.params}, attempt.verifier)
    attempt.params = {"client_id": fapi.client.client_id, "request_uri": answer.json()["request_uri"]}
    page = await fapi.agree(await fapi.go(attempt, state="outside", nonce="outside"))
    code = fapi.callback(page, request)["code"]
    tokens = await fapi.redeemed(await fapi.party.exchange(attempt, code), request)
    assert tokens["claims"]["nonce"] == request.nonce
    assert tokens["scope"] == "openid"


async def test_state_only_outside_request_object_not_used(fapi: Signing) -> None:
    attempt, request = await fapi.pushed(state=DROP)
    assert "state" not in fapi.callback(await fapi.agree(await fapi.go(attempt, state="outside")), request)


async def test_plain_answers_are_refused(fapi: Signing) -> None:
    """A profile of signed answers cannot be talked out of them."""
    for mode in ("query", "form_post", DROP):
        answer = await fapi.push(fapi.party.ask(response_mode=mode))
        assert fapi.par_error(answer) in OBJECT_ERRORS


async def test_claims_parameter_as_an_object(fapi: Signing) -> None:
    """Inside a request object `claims` is JSON, not text (RFC 9101 §4)."""
    attempt = fapi.party.ask(response_mode="jwt")
    answer = await fapi.push(attempt, claims={"userinfo": {"name": None}})
    assert answer.status_code == 201, answer.text
    assert orjson.loads(answer.content)["request_uri"]

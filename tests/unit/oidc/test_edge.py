"""Refusals as OAuth answers: code, status, headers; nothing private goes out (security case 36)."""

import orjson
import pytest
from starlette.responses import Response

from core.errors import NotAllowed, Refusal, TooMany, Unavailable
from core.token import TokenRefused
from oidc.authlib_ import half_hash, is_code_verifier, is_s256_challenge, verifier_matches
from oidc.edge import answer
from oidc.errors import invalid_client, invalid_grant


def told(response: Response) -> tuple[int, str]:
    assert response.headers["cache-control"] == "no-store"
    assert b"secret" not in response.body
    return response.status_code, orjson.loads(response.body)["error"]


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (invalid_grant("Spent.", private="secret"), (400, "invalid_grant")),
        (TokenRefused("insufficient_scope", "No.", status=403, private="secret"), (403, "insufficient_scope")),
        (invalid_client("Who?", basic_realm="https://id.example"), (401, "invalid_client")),
        (TokenRefused("invalid_token", "Revoked."), (401, "invalid_token")),
        (TokenRefused(None, "Missing."), (401, "invalid_token")),
        (TokenRefused("invalid_request", "Two."), (400, "invalid_request")),
        (NotAllowed("not-yours", "No."), (403, "not_yours")),
        (Unavailable("cache-unavailable", "Later.", private="secret"), (503, "temporarily_unavailable")),
        (TooMany("too-many", "Wait.", retry_after=60, private="secret"), (429, "temporarily_unavailable")),
        (Refusal("repeated-parameter", "Twice."), (400, "invalid_request")),
        (Refusal("wrong-content-type", "Form.", status=415), (400, "invalid_request")),
        (Refusal("body-too-large", "Large.", status=413), (413, "invalid_request")),
    ],
)
def test_every_kind_of_refusal(refusal: Refusal, expected: tuple[int, str]) -> None:
    assert told(answer(refusal)) == expected


def test_headers_that_are_due() -> None:
    assert answer(invalid_client("Who?", basic_realm="x")).headers["www-authenticate"].startswith("Basic ")
    assert "www-authenticate" not in answer(invalid_client("Who?")).headers
    assert answer(TokenRefused("invalid_token", "No.", scheme="DPoP")).headers["www-authenticate"].startswith("DPoP ")
    assert answer(Unavailable("x", "y", retry_after=7)).headers["retry-after"] == "7"
    assert answer(TooMany("x", "y", retry_after=60)).headers["retry-after"] == "60"


def test_the_example_of_rfc_7636_appendix_b() -> None:
    verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert is_code_verifier(verifier)
    assert is_s256_challenge(challenge)
    assert verifier_matches(verifier, challenge)
    assert not verifier_matches(challenge, challenge)
    assert not is_code_verifier(verifier + "\n")
    assert not is_s256_challenge(challenge + "=")


def test_half_hashes_have_the_length_of_their_algorithm() -> None:
    assert len(half_hash("token", "ES256")) == 22
    assert half_hash("token", "ES256") == half_hash("token", "RS256")
    assert len(half_hash("token", "Ed25519")) == 43

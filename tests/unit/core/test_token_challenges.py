"""Challenges of resources (RFC 6750 §3, RFC 9449 §7.1): always with a parameter, never with one that breaks out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.token import TokenRefused
from tests.support.challenges import challenges_of, errors_of


@pytest.mark.parametrize("scheme", ["Bearer", "DPoP"])
def test_without_a_token_no_error_is_told(scheme: str) -> None:
    refused = TokenRefused(None, "A token is needed.", scheme=scheme)
    assert errors_of(refused.challenge) == [(scheme, None)]
    assert (refused.status, refused.code) == (401, "token-missing")


def test_all_that_is_taken_is_told() -> None:
    refused = TokenRefused(None, "A token is needed.", scheme="DPoP", others=("Bearer",))
    assert errors_of(refused.challenge) == [("DPoP", None), ("Bearer", None)]


@pytest.mark.parametrize(
    ("error", "given", "status"),
    [
        ("invalid_token", None, 401),
        ("invalid_dpop_proof", None, 401),
        ("invalid_request", None, 400),
        ("insufficient_scope", 403, 403),
    ],
)
def test_an_error_has_its_status(error: str, given: int | None, status: int) -> None:
    """RFC 6750 §3.1."""
    refused = TokenRefused(error, "No.", scheme="DPoP", status=given)
    [(scheme, told)] = challenges_of(refused.challenge)
    assert (scheme, told["error"], told["error_description"], refused.status) == ("DPoP", error, "No.", status)


@given(st.text(max_size=40) | st.text('", \\\r\n=realmBearer', max_size=40))
def test_no_text_breaks_out_of_its_quotes(text: str) -> None:
    [(scheme, told)] = challenges_of(TokenRefused("invalid_token", text).challenge)
    assert (scheme, set(told), told["error"]) == ("Bearer", {"realm", "error", "error_description"}, "invalid_token")
    assert len(told["error_description"]) == len(text)

"""RFC 9449 §4.3: each check by itself (case 39 of the attack list)."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.dpop import MAX_AGE_SECONDS, REPLAY_TTL_SECONDS, access_token_hash, verify_proof
from core.jose import JoseRefused, SigningKey, sign_jwt

NOW = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
URL = "https://id.example/token"
KEY = SigningKey.generate("ES256")


def proof(key: SigningKey = KEY, typ: str = "dpop+jwt", jwk: Any = None, **claims: Any) -> str:
    body = {"jti": "a" * 22, "htm": "POST", "htu": URL, "iat": int(NOW.timestamp()), **claims}
    body = {name: value for name, value in body.items() if value is not None}
    return sign_jwt(key, body, typ=typ, header={"jwk": jwk or key.public().public_jwk()})


def check(token: str, access_token: str | None = None) -> Any:
    return verify_proof(token, method="POST", urls=[URL], now=NOW, access_token=access_token)


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "PS256"])
def test_a_good_proof_gives_its_key(alg: str) -> None:
    key = SigningKey.generate(alg)
    assert check(proof(key)).jkt == key.public().thumbprint


def test_a_key_that_costs_time_to_check_with_is_refused() -> None:
    """An exponent as long as the modulus: the proof is refused before anything is reckoned with it."""
    public = SigningKey.generate("PS256").public().public_jwk()
    with pytest.raises(JoseRefused, match="exponent"):
        check(proof(SigningKey.generate("PS256"), jwk={**public, "e": public["n"]}))


@pytest.mark.parametrize("alg", [b"[]", b"{}", b"7", b"[" * 1_400 + b"]" * 1_400])
def test_an_algorithm_that_is_no_text_is_refused(alg: bytes) -> None:
    header = base64.urlsafe_b64encode(b'{"typ":"dpop+jwt","alg":' + alg + b"}").decode().rstrip("=")
    with pytest.raises(JoseRefused):
        check(f"{header}.{proof().split('.', 1)[1]}")


@pytest.mark.parametrize(
    "claims",
    [
        {"htm": "GET"},
        {"htm": None},
        {"htu": "https://id.example/userinfo"},
        {"htu": "http://id.example/token"},
        {"htu": "https://id.example:444/token"},
        {"htu": "https://evil.example/token"},
        {"htu": 7},
        {"htu": "https://["},
        {"htu": "https://[::1%]/token"},
        {"htu": "https://\u2100/token"},
        {"htu": "https://id.example:port/token"},
        {"htu": None},
        {"jti": None},
        {"jti": "short"},
        {"jti": "x" * 300},
        {"jti": 12345678},
        {"iat": None},
        {"iat": True},
        {"iat": "now"},
        {"iat": int((NOW + timedelta(seconds=MAX_AGE_SECONDS + 1)).timestamp())},
        {"iat": int((NOW - timedelta(seconds=MAX_AGE_SECONDS + 1)).timestamp())},
    ],
)
def test_each_wrong_claim_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(JoseRefused):
        check(proof(**claims))


def test_query_fragment_case_and_default_port_do_not_matter() -> None:
    assert check(proof(htu="HTTPS://ID.example:443/token?x=1#y")).jkt == KEY.public().thumbprint


def test_the_private_key_in_the_header_is_refused() -> None:
    with pytest.raises(JoseRefused, match="private"):
        check(proof(jwk=KEY.private_jwk()))


def test_another_key_than_the_signing_one_is_refused() -> None:
    with pytest.raises(JoseRefused, match="signature"):
        check(proof(jwk=SigningKey.generate("ES256").public().public_jwk()))


def test_rs256_and_a_wrong_type_are_refused() -> None:
    with pytest.raises(JoseRefused):
        check(proof(SigningKey.generate("RS256")))
    with pytest.raises(JoseRefused, match="type"):
        check(proof(typ="jwt"))


def test_the_access_token_must_be_the_one_proved() -> None:
    assert check(proof(ath=access_token_hash("token")), "token").jti == "a" * 22
    for wrong in (None, access_token_hash("other"), 7):
        with pytest.raises(JoseRefused, match="access token"):
            check(proof(ath=wrong), "token")


def test_the_replay_record_outlives_the_window() -> None:
    assert REPLAY_TTL_SECONDS > 2 * MAX_AGE_SECONDS

"""A token that comes again: its signature is remembered, everything else about it is looked at each time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.checked_signatures import CheckedSignatures
from core.jose import JoseRefused, SigningKey, VerificationKey, VerifiedJwt, sign_jwt, verify_jwt

NOW = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
ISSUER = "https://issuer.example"


def token_of(key: SigningKey, **changes: Any) -> str:
    issued = int(NOW.timestamp())
    claims = {"iss": ISSUER, "aud": "lookup", "iat": issued, "exp": issued + 300, **changes}
    return sign_jwt(key, claims, typ="at+jwt")


def check(
    token: str, checked: CheckedSignatures, *keys: VerificationKey, at: datetime = NOW, audience: str = "lookup"
) -> VerifiedJwt:
    return verify_jwt(
        token,
        keys,
        algs={"ES256"},
        typ={"at+jwt"},
        issuer=ISSUER,
        audience=audience,
        now=at,
        leeway_seconds=0,
        checked=checked,
    )


@pytest.fixture
def key() -> SigningKey:
    return SigningKey.generate("ES256")


@pytest.fixture
def checked() -> CheckedSignatures:
    return CheckedSignatures()


def test_the_second_time_it_is_the_same(key: SigningKey, checked: CheckedSignatures) -> None:
    token = token_of(key)
    first = check(token, checked, key.public())
    assert check(token, checked, key.public()) is first


def test_it_expires_all_the_same(key: SigningKey, checked: CheckedSignatures) -> None:
    token = token_of(key)
    check(token, checked, key.public())
    with pytest.raises(JoseRefused, match="expired"):
        check(token, checked, key.public(), at=NOW + timedelta(seconds=300))


def test_another_audience_is_refused_all_the_same(key: SigningKey, checked: CheckedSignatures) -> None:
    token = token_of(key)
    check(token, checked, key.public())
    with pytest.raises(JoseRefused, match="audience"):
        check(token, checked, key.public(), audience="userinfo")


def test_a_retired_key_ends_what_it_signed(key: SigningKey, checked: CheckedSignatures) -> None:
    token = token_of(key)
    check(token, checked, key.public())
    with pytest.raises(JoseRefused, match="no key"):
        check(token, checked, SigningKey.generate("ES256").public())


def test_a_changed_token_is_another_token(key: SigningKey, checked: CheckedSignatures) -> None:
    token = token_of(key)
    check(token, checked, key.public())
    head, _, signature = token.split(".")
    other = token_of(key, aud="everything").split(".")[1]
    with pytest.raises(JoseRefused, match="signature"):
        check(f"{head}.{other}.{signature}", checked, key.public())


def test_what_was_refused_is_not_kept(key: SigningKey, checked: CheckedSignatures) -> None:
    token = token_of(key)
    stranger = SigningKey.generate("ES256").public()
    for _ in range(2):
        with pytest.raises(JoseRefused):
            check(token, checked, stranger)
    assert checked.find(token, [stranger]) is None


def test_the_oldest_go_first(key: SigningKey) -> None:
    checked, public = CheckedSignatures(most=2), key.public()
    tokens = [token_of(key, jti=str(number)) for number in range(3)]
    for token in tokens:
        check(token, checked, public)
    assert [checked.find(token, [public]) is not None for token in tokens] == [False, True, True]

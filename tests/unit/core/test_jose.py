"""RFC 8725 (JWT best practices) and the failures of others: `none`, algorithm confusion, `crit`, header keys."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.jose import JoseRefused, SigningKey, VerificationKey, decode_unverified, sign_jwt, verify_jwt

NOW = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
CLAIMS: dict[str, Any] = {
    "iss": "https://issuer.example",
    "aud": "client",
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 300,
}


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def check(token: str, *keys: VerificationKey, algs: tuple[str, ...] = ("ES256", "PS256", "EdDSA", "Ed25519")) -> Any:
    return verify_jwt(
        token,
        keys,
        algs=algs,
        typ={"at+jwt"},
        issuer="https://issuer.example",
        audience="client",
        now=NOW,
    )


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey.generate("ES256")


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "Ed25519", "PS256", "RS256"])
def test_each_algorithm_round_trips(alg: str) -> None:
    key = SigningKey.generate(alg)
    verified = check(sign_jwt(key, CLAIMS, typ="at+jwt"), key.public(), algs=(alg,))
    assert verified.claims == CLAIMS
    assert verified.kid == key.kid


def test_none_is_refused(key: SigningKey) -> None:  # CVE-2026-28802
    token = f"{b64(json.dumps({'alg': 'none', 'typ': 'at+jwt'}).encode())}.{b64(json.dumps(CLAIMS).encode())}."
    with pytest.raises(JoseRefused):
        check(token, key.public(), algs=("ES256", "none"))


def test_hmac_with_the_public_key_is_refused() -> None:
    rsa = SigningKey.generate("PS256")
    public = json.dumps(rsa.public().public_jwk()).encode()
    head = b64(json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": rsa.kid}).encode())
    body = b64(json.dumps(CLAIMS).encode())
    tag = b64(hmac.new(public, f"{head}.{body}".encode(), hashlib.sha256).digest())
    with pytest.raises(JoseRefused):
        check(f"{head}.{body}.{tag}", rsa.public(), algs=("PS256", "HS256"))


def test_a_key_serves_one_algorithm() -> None:
    """RS256 by a key that is registered for PS256 is refused, though the mathematics would hold."""
    rsa = SigningKey.generate("RS256")
    registered = VerificationKey.from_jwk({**rsa.public().public_jwk(), "alg": "PS256"})
    with pytest.raises(JoseRefused, match="algorithm"):
        check(sign_jwt(rsa, CLAIMS, typ="at+jwt"), registered, algs=("PS256", "RS256"))


def test_a_key_in_the_header_is_not_trusted(key: SigningKey) -> None:  # CVE-2026-27962
    attacker = SigningKey.generate("ES256")
    token = sign_jwt(attacker, CLAIMS, typ="at+jwt", header={"jwk": attacker.public().public_jwk()})
    with pytest.raises(JoseRefused, match="signature"):
        check(token, key.public())


@pytest.mark.parametrize("header", [{"crit": ["exp"], "exp": 1}, {"crit": ["b64"], "b64": False}])
def test_critical_headers_are_refused(key: SigningKey, header: dict[str, Any]) -> None:  # CVE-2025-59420
    head = b64(json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": key.kid, **header}).encode())
    token = f"{head}.{b64(json.dumps(CLAIMS).encode())}.{b64(b'0' * 64)}"
    with pytest.raises(JoseRefused):
        check(token, key.public())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"exp": int(NOW.timestamp()) - 61}, "expired"),
        ({"nbf": int(NOW.timestamp()) + 61}, "future"),
        ({"iat": int(NOW.timestamp()) + 86_400}, "future"),
        ({"exp": "tomorrow"}, "number"),
        ({"exp": True}, "number"),
        ({"iss": "https://other.example"}, "issuer"),
        ({"aud": "someone-else"}, "audience"),
        ({"aud": ["someone", "else"]}, "audience"),
        ({"aud": {"client": 1}}, "audience"),
    ],
)
def test_claims_are_checked(key: SigningKey, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(JoseRefused, match=reason):
        check(sign_jwt(key, {**CLAIMS, **change}, typ="at+jwt"), key.public())


@pytest.mark.parametrize("name", ["exp", "iat"])
def test_required_times_must_be_there(key: SigningKey, name: str) -> None:
    claims = {other: value for other, value in CLAIMS.items() if other != name}
    with pytest.raises(JoseRefused, match=name):
        check(sign_jwt(key, claims, typ="at+jwt"), key.public())


def test_another_type_is_refused(key: SigningKey) -> None:
    with pytest.raises(JoseRefused, match="type"):
        check(sign_jwt(key, CLAIMS, typ="dpop+jwt"), key.public())
    assert check(sign_jwt(key, CLAIMS, typ="application/at+jwt"), key.public()).claims == CLAIMS


def test_a_changed_token_is_refused(key: SigningKey) -> None:
    head, _, tag = sign_jwt(key, CLAIMS, typ="at+jwt").split(".")
    body = b64(json.dumps({**CLAIMS, "sub": "me"}).encode())
    with pytest.raises(JoseRefused, match="signature"):
        check(f"{head}.{body}.{tag}", key.public())


def test_an_unknown_kid_is_refused(key: SigningKey) -> None:
    with pytest.raises(JoseRefused, match="kid"):
        check(sign_jwt(key, CLAIMS, typ="at+jwt"), SigningKey.generate("ES256").public())


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "a.b.c.d.e", "ä.b.c", "x" * 20_000])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(JoseRefused):
        decode_unverified(token)


@pytest.mark.parametrize(
    "change",
    [
        lambda head, body, tag: (head + "=", body, tag),  # padded
        lambda head, body, tag: (head, body, tag[:-4] + "++//"),  # the other alphabet
        lambda head, body, tag: (head, body, f"{tag[:20]} {tag[20:]}"),
        lambda head, body, tag: (b64(b"[]"), body, tag),
        lambda head, body, tag: (b64(b"{}"), body, tag),
        lambda head, body, tag: (head, b64(b"[1]"), tag),
        lambda head, body, tag: (b64(b'{"alg":"ES256","kid":7}'), body, tag),
        lambda head, body, tag: (b64(b'{"alg":["ES256"]}'), body, tag),
        lambda head, body, tag: (b64(b'{"alg":"ES256","x":' + b"[" * 1400 + b"]" * 1400 + b"}"), body, tag),
    ],
)
def test_what_is_not_written_as_a_token_is_refused(
    key: SigningKey, change: Callable[[str, str, str], tuple[str, str, str]]
) -> None:
    with pytest.raises(JoseRefused):
        decode_unverified(".".join(change(*sign_jwt(key, CLAIMS, typ="at+jwt").split("."))))


@pytest.mark.parametrize("signature", [b"", bytes(64), b"\xff" * 64, bytes(63), bytes(65)])
def test_no_signature_of_another_shape_holds(signature: bytes) -> None:
    """CVE-2022-21449: zeroes are no signature; nor is one of another length (RFC 7518 §3.4)."""
    key = SigningKey.generate("ES256")
    head, body, _ = sign_jwt(key, CLAIMS, typ="at+jwt").split(".")
    with pytest.raises(JoseRefused, match="signature"):
        check(f"{head}.{body}.{b64(signature)}", key.public())


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"ES256","x":' + b"[" * 1_400 + b"]" * 1_400 + b"}",
        *(json.dumps({"alg": "ES256", "typ": "at+jwt", name: []}).encode() for name in ("alg", "kid", "typ")),
        b'{"alg":{"ES256":1}}',
        b'{"alg":"ES256","kid":7}',
    ],
)
def test_a_header_of_another_shape_is_refused(key: SigningKey, header: bytes) -> None:
    token = f"{b64(header)}.{b64(json.dumps(CLAIMS).encode())}.{b64(bytes(64))}"
    with pytest.raises(JoseRefused):
        decode_unverified(token)
    with pytest.raises(JoseRefused):
        check(token, key.public())


def test_private_members_are_never_published_or_taken(key: SigningKey) -> None:
    assert "d" not in key.public().public_jwk()
    with pytest.raises(JoseRefused, match="private"):
        VerificationKey.from_jwk(key.private_jwk())
    assert key.private_jwk()["d"] not in repr(key)
    assert key.private_jwk()["d"] not in repr(key)


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"},
        {"kty": "RSA", "n": b64((1 << 1023 | 1).to_bytes(128, "big")), "e": "AQAB"},
        {"kty": "RSA", "n": b64((1 << 1023 | 1).to_bytes(256, "big")), "e": "AQAB"},
        {"kty": "RSA", "n": b64((1 << 2047 | 1).to_bytes(256, "big")), "e": "AQ"},
        {"kty": "RSA", "n": b64((1 << 2047 | 1).to_bytes(256, "big")), "e": "AQAA"},
        {"kty": "RSA", "n": b64((1 << 2047 | 1).to_bytes(256, "big")), "e": b64((1 << 32 | 1).to_bytes(5, "big"))},
        {"kty": "RSA", "n": b64((1 << 3071 | 1).to_bytes(384, "big")), "e": b64(b"\x7f" * 384)},
        {"kty": "nonsense"},
        {**SigningKey.generate("ES256").public().public_jwk(), "alg": ["ES256"]},
        {},
    ],
)
def test_unfit_keys_are_refused(jwk: dict[str, Any]) -> None:
    with pytest.raises(JoseRefused):
        VerificationKey.from_jwk(jwk)


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "PS256", "RS256"])
def test_a_key_of_ours_is_the_same_when_it_comes_back(alg: str) -> None:
    key = SigningKey.generate(alg)
    again = SigningKey.from_jwk(key.private_jwk(), as_kept=True)
    assert again.private_jwk() == key.private_jwk()
    assert check(sign_jwt(again, CLAIMS, typ="at+jwt"), key.public(), algs=(alg,)).claims == CLAIMS


def test_a_key_of_ours_is_read_unexamined_and_nobody_elses() -> None:
    """Each process reads ours at its start, out of their seal; the search for primes takes a while."""
    kept = SigningKey.generate("PS256").private_jwk()
    odd = {**kept, "p": kept["q"], "q": kept["p"]}
    assert SigningKey.from_jwk(odd, as_kept=True).kid == kept["kid"]
    with pytest.raises(JoseRefused):
        SigningKey.from_jwk(odd)


@pytest.mark.parametrize("exponent", ["Aw", "AQAB", b64(((1 << 32) - 1).to_bytes(4, "big"))])
def test_an_exponent_that_costs_little_is_taken(exponent: str) -> None:
    public = {**SigningKey.generate("PS256").public().public_jwk(), "e": exponent}
    assert VerificationKey.from_jwk(public).alg == "PS256"


def test_leeway_is_at_most_a_minute(key: SigningKey) -> None:
    token = sign_jwt(key, {**CLAIMS, "exp": int((NOW - timedelta(seconds=59)).timestamp())}, typ="at+jwt")
    assert check(token, key.public()).claims["aud"] == "client"

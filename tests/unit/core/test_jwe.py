"""RFC 7516, RFC 7518 §4, §5, RFC 8037 §3.2: what we encrypt, an independent reader opens; unfit keys are refused."""

from typing import Any

import pytest

from core.jose import JoseRefused, SigningKey
from core.jwe import CONTENT_ENCRYPTION, KEY_MANAGEMENT, EncryptionKey, encrypt_jwt, encryption_key
from tests.actors.jwe_reader import EncryptionKeyPair

TOKEN = "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmVk"
KINDS = {
    "ECDH-ES": ("P-256", "P-384", "P-521", "X25519"),
    "ECDH-ES+A256KW": ("P-256", "X25519"),
    "RSA-OAEP-256": ("RSA",),
}
CASES = [(alg, kind, enc) for alg in KEY_MANAGEMENT for kind in KINDS[alg] for enc in CONTENT_ENCRYPTION]
EC = EncryptionKeyPair.made("P-256")
RSA = EncryptionKeyPair.made("RSA")


@pytest.mark.parametrize(("alg", "kind", "enc"), CASES)
def test_what_we_encrypt_its_owner_opens(alg: str, kind: str, enc: str) -> None:
    held = RSA if kind == "RSA" else EncryptionKeyPair.made(kind)
    token = encrypt_jwt(TOKEN, EncryptionKey.from_jwk(held.jwk, alg), enc=enc)
    opened = held.open(token)
    assert opened.content.decode() == TOKEN
    told = {name: opened.header[name] for name in ("alg", "enc", "cty", "kid")}
    assert told == {"alg": alg, "enc": enc, "cty": "JWT", "kid": "enc-1"}
    assert "zip" not in opened.header


def test_plain_claims_have_no_content_type() -> None:
    opened = EC.open(encrypt_jwt(b'{"sub":"a"}', EncryptionKey.from_jwk(EC.jwk, "ECDH-ES"), enc="A256GCM", cty=None))
    assert opened.content == b'{"sub":"a"}'
    assert "cty" not in opened.header


def test_no_two_messages_share_a_key() -> None:
    key = EncryptionKey.from_jwk(EC.jwk, "ECDH-ES")
    made = [encrypt_jwt(TOKEN, key, enc="A128GCM") for _ in range(3)]
    assert len({EC.open(each).header["epk"]["x"] for each in made}) == 3
    assert len({each.split(".")[3] for each in made}) == 3


def test_another_cannot_open_it() -> None:
    token = encrypt_jwt(TOKEN, EncryptionKey.from_jwk(EC.jwk, "ECDH-ES"), enc="A128CBC-HS256")
    with pytest.raises(ValueError, match="tag"):
        EncryptionKeyPair.made("P-256").open(token)


@pytest.mark.parametrize(
    ("jwk", "alg"),
    [
        ({**EC.jwk, "use": "sig"}, "ECDH-ES"),
        ({**EC.jwk, "key_ops": ["verify"]}, "ECDH-ES"),
        ({**EC.jwk, "key_ops": 5}, "ECDH-ES"),
        ({**EC.jwk, "alg": "ES256"}, "ECDH-ES"),
        ({**EC.jwk, "alg": "ECDH-ES"}, "ECDH-ES+A256KW"),
        ({**EC.jwk, "d": EC.jwk["x"]}, "ECDH-ES"),
        ({**EC.jwk, "y": EC.jwk["x"]}, "ECDH-ES"),
        (EC.jwk, "RSA-OAEP-256"),
        (RSA.jwk, "ECDH-ES"),
        (RSA.jwk, "RSA1_5"),
        (RSA.jwk, "RSA-OAEP"),
        (EC.jwk, "dir"),
        ({"kty": "oct", "k": "c2VjcmV0"}, "dir"),
        ({**RSA.jwk, "n": "AQAB"}, "RSA-OAEP-256"),
        (SigningKey.generate("EdDSA").public().public_jwk(), "ECDH-ES"),
        ({}, "ECDH-ES"),
    ],
)
def test_keys_that_are_not_taken(jwk: dict[str, Any], alg: str) -> None:
    with pytest.raises(JoseRefused):
        EncryptionKey.from_jwk(jwk, alg)
    assert encryption_key([jwk], alg) is None


def test_of_a_set_the_key_that_says_so() -> None:
    silent = {name: value for name, value in EncryptionKeyPair.made("P-256", kid="silent").jwk.items() if name != "use"}
    signing = SigningKey.generate("ES256").public().public_jwk()
    found = encryption_key([5, signing, silent, EC.jwk], "ECDH-ES")
    assert found is not None
    assert found.kid == "enc-1"
    only = encryption_key([signing, silent], "ECDH-ES")
    assert only is not None
    assert only.kid == "silent"


def test_nothing_endless_and_no_other_names() -> None:
    key = EncryptionKey.from_jwk(EC.jwk, "ECDH-ES")
    with pytest.raises(JoseRefused):
        encrypt_jwt("x" * 40_000, key, enc="A256GCM")
    with pytest.raises(JoseRefused):
        encrypt_jwt(TOKEN, key, enc="A192GCM")

"""Published examples of RFC 7515, 7518, 7520, 7638, 8037, 8705, 9440, 9449; where each is from stands in jose.json."""

import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from core.client_certificate import read_certificate
from core.dpop import access_token_hash, verify_proof
from core.jose import VerificationKey, public_der, verify_signature
from tests.actors.jwe_reader import EncryptionKeyPair, cbc_hmac, concat_kdf, decode, encode, key_size

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("jose.json").read_text("utf-8"))


def _source(example: dict[str, Any]) -> str:
    return str(example["source"])


@pytest.mark.parametrize("example", VECTORS["encrypted"], ids=_source)
def test_the_reader_opens_what_others_encrypted(example: dict[str, Any]) -> None:
    """What it then opens of ours (tests/unit/core/test_jwe.py) is what others can open."""
    opened = EncryptionKeyPair.from_jwk(example["key"]).open(example["compact"])
    assert opened.content.decode() == example["plaintext"]


def test_the_agreed_key() -> None:
    example = VECTORS["key_agreement"]
    held = EncryptionKeyPair.from_jwk(example["private"])
    shared = held._agreed(example["ephemeral"])
    size, parties = key_size(example["enc"]), {name: example[name].encode() for name in ("apu", "apv")}
    assert encode(concat_kdf(shared, example["enc"], size, **parties)) == example["derived"]


@pytest.mark.parametrize("example", VECTORS["cbc_hmac"], ids=_source)
def test_authenticated_encryption(example: dict[str, Any]) -> None:
    raw = {name: bytes.fromhex(example[name]) for name in ("key", "iv", "ciphertext", "tag")}
    assert cbc_hmac(**raw, aad=example["aad"].encode()).decode() == example["plaintext"]


@pytest.mark.parametrize("example", VECTORS["thumbprints"], ids=_source)
def test_thumbprints(example: dict[str, Any]) -> None:
    assert VerificationKey.from_jwk(example["key"], alg=example["alg"]).thumbprint == example["thumbprint"]
    told = {**example["key"], "kid": "a name", "use": "sig", "ext": True}
    assert VerificationKey.from_jwk(told, alg=example["alg"]).thumbprint == example["thumbprint"]


def test_a_signature() -> None:
    example = VECTORS["signed"]
    verified = verify_signature(example["compact"], VerificationKey.from_jwk(example["key"]), typ=None)
    assert verified.claims == example["claims"]


def test_a_proof() -> None:
    example = VECTORS["dpop"]
    proof = verify_proof(
        example["proof"],
        method=example["method"],
        urls=[example["url"]],
        now=datetime.fromtimestamp(example["issued_at"], UTC),
    )
    assert (proof.jkt, proof.jti, proof.issued_at) == (example["jkt"], example["jti"], example["issued_at"])
    assert access_token_hash(example["access_token"]) == example["ath"]


def test_a_certificate() -> None:
    example = VECTORS["certificate"]
    found = read_certificate(f":{example['der']}:")
    assert found.x5t_s256 == example["x5t_s256"]
    assert found.spki == public_der(example["jwk"])
    assert len(decode(found.x5t_s256)) == 32


def test_a_certificate_and_its_chain_in_headers() -> None:
    example = VECTORS["certificate_headers"]
    found = read_certificate(example["client_cert"], example["client_cert_chain"])
    certificates = [found.leaf, *found.chain]
    assert [each.subject.rfc4514_string() for each in certificates] == example["names"]
    for lower, upper in pairwise(certificates):
        lower.verify_directly_issued_by(upper)

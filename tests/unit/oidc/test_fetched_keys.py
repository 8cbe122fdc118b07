"""Key sets as clients publish them: judged as a whole."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.jose import SigningKey
from oidc.fetched_keys import MAX_KEYS, KeySetRefused, read_key_set

KEY = SigningKey.generate("ES256")
PUBLIC = KEY.public().public_jwk()


def document(*keys: Any) -> bytes:
    return json.dumps({"keys": list(keys)}).encode()


def test_a_good_set() -> None:
    encryption = {**PUBLIC, "use": "enc", "alg": "ECDH-ES"}  # the same kid for another use
    foreign = {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "k"}
    nameless = {name: value for name, value in PUBLIC.items() if name != "kid"}
    assert read_key_set(document(PUBLIC, encryption, foreign, nameless, nameless)) == (
        PUBLIC,
        encryption,
        foreign,
        nameless,
        nameless,
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a JWK set"),
        (b"{}", "not a JWK set"),
        (b'{"keys": {}}', "not a JWK set"),
        (b'{"keys": ["a"]}', "not a JWK set"),
        (b'{"keys": []}', "1 to"),
        (document(*[{"kty": "EC", "kid": str(n)} for n in range(MAX_KEYS + 1)]), "1 to"),
        (document(PUBLIC, KEY.private_jwk()), "private or symmetric"),
        (document(PUBLIC, {"kty": "oct"}), "private or symmetric"),
        (document({"kty": "RSA", "n": "A", "e": "AQAB", "oth": []}), "private or symmetric"),
        (document(PUBLIC, {"kty": "x", "k": "AAAA"}), "private or symmetric"),
        (document(PUBLIC, PUBLIC), "same kid"),
        (document({**PUBLIC, "kid": 1}), "not a text"),
    ],
)
def test_sets_that_are_refused(body: bytes, why: str) -> None:
    with pytest.raises(KeySetRefused, match=why):
        read_key_set(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.binary() | JSON.map(lambda value: json.dumps({"keys": value}).encode()))
def test_anything_else_is_refused_or_read(body: bytes) -> None:
    with suppress(KeySetRefused):
        assert 0 < len(read_key_set(body)) <= MAX_KEYS

"""The headers in which clients and proxies tell who is there: any text is read or refused, never repaired."""

import base64
import warnings
from contextlib import suppress
from typing import Any
from urllib.parse import quote_plus

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from core.client_certificate import CertificateUnreadable, read_certificate
from core.dpop import verify_proof
from core.jose import JoseRefused, SigningKey, decode_unverified, verify_jwt
from oidc.certificates import CertificateAuthorities, is_named
from oidc.client_authentication import read_basic
from tests.support.client_certificates import NOW, Held, authority, every_san, issue, name

HELD = issue()
ROOT = authority()
SEEN = (issue(by=ROOT, sans=every_san()), issue(name("a", country="VN"), by=ROOT))
AUTHORITIES = CertificateAuthorities([ROOT.certificate])
header_text = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=300)
words = st.text(min_size=0, max_size=60).filter(lambda text: "\x00" not in text and text.isprintable())


def shuffled(text: str, at: int, put: str) -> str:
    return text[:at] + put + text[at + 1 :]


@given(header_text, header_text)
def test_any_certificate_header_is_read_or_refused(value: str, chain: str) -> None:
    with suppress(CertificateUnreadable):
        read_certificate(value, chain)
    with suppress(CertificateUnreadable):
        read_certificate(f":{base64.b64encode(value.encode('latin-1')).decode()}:", chain)


@given(st.integers(0, len(HELD.header) - 1), st.characters(min_codepoint=33, max_codepoint=126))
@settings(max_examples=300)
def test_a_certificate_with_one_character_changed_is_never_taken_for_the_same(at: int, put: str) -> None:
    changed = shuffled(HELD.header, at, put)
    try:
        found = read_certificate(changed)
    except CertificateUnreadable:
        return
    same = found.leaf == HELD.certificate
    # Another text of the same octets: a bit that base64 does not use, or padding left out.
    assert same == (found.x5t_s256 == read_certificate(HELD.header).x5t_s256)
    assert same or changed != HELD.header


@given(st.integers(0, len(HELD.escaped_pem) - 1), st.characters(min_codepoint=33, max_codepoint=126))
@settings(max_examples=300)
def test_an_escaped_certificate_with_one_character_changed(at: int, put: str) -> None:
    with suppress(CertificateUnreadable):
        read_certificate(shuffled(HELD.escaped_pem, at, put))


@given(st.sampled_from(SEEN), st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 255)), min_size=1, max_size=4))
@settings(max_examples=400)
def test_a_certificate_with_any_octets_changed_stands_for_nobody(held: Held, changes: list[tuple[int, int]]) -> None:
    """Whatever the library says of it, the answer is no, and nothing else is raised."""
    der = bytearray(held.der)
    for at, octet in changes:
        der[at % len(der)] = octet
    if bytes(der) == held.der:
        return
    try:
        found = read_certificate(f":{base64.b64encode(bytes(der)).decode()}:")
    except CertificateUnreadable:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are too long and the like
        assert not AUTHORITIES.vouch_for(found, NOW)
        assert not is_named(found, ("tls_client_auth_subject_dn", "CN=nobody"))
        assert not is_named(found, ("tls_client_auth_san_dns", "nobody.example"))
        found.is_valid_at(NOW)


@given(words, words)
def test_what_a_client_wrote_by_the_rule_comes_back(client_id: str, secret: str) -> None:
    """RFC 6749 §2.3.1: both halves form-encoded, so that a colon or a letter beyond ASCII does no harm."""
    written = base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()
    for scheme in ("Basic", "basic", "BASIC"):
        assert read_basic(f"{scheme} {written}") == (client_id, secret)


@given(header_text)
def test_any_authorization_header_is_read_or_refused(value: str) -> None:
    for header in (value, f"Basic {value}", f"Basic {base64.b64encode(value.encode('latin-1')).decode()}"):
        found = read_basic(header)
        assert found is None or (isinstance(found[0], str) and isinstance(found[1], str))


@given(st.binary(max_size=60))
def test_octets_that_are_no_text_are_refused(raw: bytes) -> None:
    found = read_basic(f"Basic {base64.b64encode(raw).decode()}")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        assert found is None
        return
    assert found is None or ":" in text


def test_a_header_without_end_is_refused() -> None:
    assert read_basic("Basic " + "QTpi" * 2_000) is None


# --- JWTs ---------------------------------------------------------------------------------------------------

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
_MEMBERS = st.sampled_from(["alg", "kid", "typ", "jwk", "crit", "b64", "x"])
_HELD_KEY = SigningKey.generate("ES256")
_JWK = _HELD_KEY.public().public_jwk()


@given(st.dictionaries(_MEMBERS, _JSON | st.sampled_from(["ES256", "dpop+jwt", _JWK, {**_JWK, "alg": []}]), max_size=5))
@settings(max_examples=300)
def test_a_jwt_of_any_header_is_read_or_refused(header: dict[str, Any]) -> None:
    """Each way a stranger's token is looked at: by itself, with a key, as a proof that brings its own key."""
    body = orjson.dumps({"alg": "ES256", "typ": "dpop+jwt", "jwk": _JWK, **header})
    token = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (body, b"{}", bytes(64))).decode()
    with suppress(JoseRefused):
        decode_unverified(token)
    with suppress(JoseRefused):
        verify_jwt(token, [_HELD_KEY.public()], algs={"ES256"}, typ=None, issuer="a", audience="b", now=NOW)
    with suppress(JoseRefused):
        verify_proof(token, method="POST", urls=["https://id.example/token"], now=NOW)

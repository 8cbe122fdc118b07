"""RFC 8705 §2 and RFC 4514: names read exactly, keys compared as keys, bundles read at start."""

from pathlib import Path
from typing import Any

import pytest

from core.client_certificate import ClientCertificate, read_certificate
from core.settings import SettingsError
from oidc.certificates import CertificateAuthorities, NameUnreadable, distinguished_name, is_key_of, is_named
from tests.support.client_certificates import NOW, Held, authority, bundle, every_san, issue, name

SUBJECT = name("backend, the first", country="VN", organization="Bộ Công an")


def seen(held: Held) -> ClientCertificate:
    return read_certificate(held.header)


@pytest.mark.parametrize(
    "text",
    [
        "CN=backend\\, the first,O=Bộ Công an,C=VN",
        "cn=backend\\, the first,o=Bộ Công an,c=VN",
        "2.5.4.3=backend\\, the first,2.5.4.10=Bộ Công an,2.5.4.6=VN",
        "CN=backend\\2c the first,O=B\\e1\\bb\\99 Công an,C=VN",
    ],
)
def test_spellings_of_one_name(text: str) -> None:
    assert is_named(seen(issue(SUBJECT)), ("tls_client_auth_subject_dn", text))


@pytest.mark.parametrize(
    "text",
    [
        "CN=backend\\, the first",
        "C=VN,O=Bộ Công an,CN=backend\\, the first",
        "CN=Backend\\, the first,O=Bộ Công an,C=VN",
        "CN=backend\\, the first,O=Bộ Công an,C=VN,C=VN",
        "CN=backend\\, the first+O=Bộ Công an,C=VN",
        "CN=backend\\, the first ,O=Bộ Công an,C=VN",
        "CN=backend\\, the first, O=Bộ Công an, C=VN",
    ],
)
def test_names_that_are_not_it(text: str) -> None:
    assert not is_named(seen(issue(SUBJECT)), ("tls_client_auth_subject_dn", text))


@pytest.mark.parametrize("text", ["backend", "CN", "=x", "XX=y", "CN=#0c0161", "CN=a,,O=b", "CN=a\\", "CN=a;O=b"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(NameUnreadable):
        distinguished_name(text)


def test_types_that_agencies_use() -> None:
    read = distinguished_name("organizationIdentifier=VN-7,serialNumber=1,emailAddress=a@b.example,CN=x")
    assert [attribute.oid.dotted_string for attribute in read] == [
        "2.5.4.3",
        "1.2.840.113549.1.9.1",
        "2.5.4.5",
        "2.5.4.97",
    ]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("tls_client_auth_san_dns", "*.agency.example"),
        ("tls_client_auth_san_dns", "agency.example"),
        ("tls_client_auth_san_dns", "https://agency.example/backend"),
        ("tls_client_auth_san_uri", "https://agency.example/"),
        ("tls_client_auth_san_uri", "HTTPS://agency.example/backend"),
        ("tls_client_auth_san_email", "Backend@agency.example"),
        ("tls_client_auth_san_ip", "2001:db8::8"),
        ("tls_client_auth_san_ip", "no address"),
        ("tls_client_auth_something", "backend.agency.example"),
    ],
)
def test_other_names_are_compared_exactly(kind: str, value: str) -> None:
    assert not is_named(seen(issue(sans=every_san())), (kind, value))
    assert not is_named(seen(issue()), (kind, value))


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "EC"},
        {"kty": "oct", "k": "AAAA"},
        {"x5c": issue().jwk["x5c"]},
        {**issue().jwk, "x5c": ["AAAA"]},
        {**issue().jwk, "d": "AAAA"},
    ],
)
def test_keys_that_are_not_the_certificates(jwk: dict[str, Any]) -> None:
    held = issue()
    assert not is_key_of(seen(held), [jwk])
    assert is_key_of(seen(held), [jwk, held.jwk])
    assert not is_key_of(seen(held), [{**held.jwk, "use": "enc"}])
    assert not is_key_of(seen(held), [{**jwk, "x5c": held.jwk["x5c"]}])


def test_an_issuing_authority_may_stand_in_the_bundle(tmp_path: Path) -> None:
    """For a proxy that cannot hand on the chain."""
    root = authority()
    middle = issue(name("Issuing authority"), by=root, authority=True)
    held = seen(issue(by=middle))
    for authorities, holds in (((root,), False), ((middle,), True), ((root, middle), True)):
        found = CertificateAuthorities.from_file(bundle(tmp_path / "bundle.pem", *authorities))
        assert found is not None
        assert found.vouch_for(held, NOW) is holds


def test_bundles_that_cannot_be_read(tmp_path: Path) -> None:
    assert CertificateAuthorities.from_file(None) is None
    for content in (b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        path = tmp_path / "bundle.pem"
        path.write_bytes(content)
        with pytest.raises(SettingsError, match="DINHDANH_CLIENT_CA_FILE"):
            CertificateAuthorities.from_file(path)
    with pytest.raises(SettingsError):
        CertificateAuthorities.from_file(tmp_path / "nowhere.pem")

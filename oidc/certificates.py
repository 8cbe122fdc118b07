"""Whom a client's certificate stands for: PKI certificates by name, self-signed ones by key (RFC 8705 §2).

A certificate of an authority counts when the chain to one of *our* configured authorities holds: the proxy in
front takes every certificate and vouches for the private key only. There is no revocation list: a client whose
certificate was lost is suspended, or registers another name.

Sources: RFC 8705 §2.1, §2.2; RFC 4514; RFC 5280 §4.2, §6.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from core.client_certificate import ClientCertificate
from core.jose import JoseRefused, public_der
from core.settings import SettingsError

_KEYWORDS = {
    "CN": "2.5.4.3",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "C": "2.5.4.6",
    "STREET": "2.5.4.9",
    "DC": "0.9.2342.19200300.100.1.25",
    "UID": "0.9.2342.19200300.100.1.1",
    "emailAddress": "1.2.840.113549.1.9.1",
    "serialNumber": "2.5.4.5",
    "SN": "2.5.4.4",
    "GN": "2.5.4.42",
    "givenName": "2.5.4.42",
    "surname": "2.5.4.4",
    "title": "2.5.4.12",
    "businessCategory": "2.5.4.15",
    "postalCode": "2.5.4.17",
    "organizationIdentifier": "2.5.4.97",
    "jurisdictionCountryName": "1.3.6.1.4.1.311.60.2.1.3",
}
"""Attribute types of RFC 4514 §3, and others that certificates of agencies hold. Upper and lower case mean the same."""
_OIDS = {
    spelt: ObjectIdentifier(oid)
    for keyword, oid in _KEYWORDS.items()
    for spelt in (keyword, keyword.lower(), keyword.upper())
}


class NameUnreadable(ValueError):
    """Not a distinguished name as RFC 4514 writes it."""


def distinguished_name(text: str) -> x509.Name:
    """Reads `CN=a,O=b,C=VN`. Raises NameUnreadable, also for values written in hex (`#0c0f…`): text is wanted."""
    if "=#" in text:
        raise NameUnreadable("a value in hex")
    try:
        return x509.Name.from_rfc4514_string(text, _OIDS)
    except (ValueError, KeyError):
        raise NameUnreadable("not an RFC 4514 name") from None


def is_named(certificate: ClientCertificate, subject: tuple[str, str]) -> bool:
    """Whether the certificate bears the one registered name (RFC 8705 §2.1.2), compared exactly.

    subject: a `tls_client_auth_…` member and its value. A wildcard in the certificate is only itself.
    """
    kind, wanted = subject
    try:
        if kind == "tls_client_auth_subject_dn":
            return certificate.leaf.subject == distinguished_name(wanted)
        names = certificate.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if kind == "tls_client_auth_san_dns":
            return wanted.lower() in {name.lower() for name in names.get_values_for_type(x509.DNSName)}
        if kind == "tls_client_auth_san_uri":
            return wanted in names.get_values_for_type(x509.UniformResourceIdentifier)
        if kind == "tls_client_auth_san_email":
            return wanted in names.get_values_for_type(x509.RFC822Name)
        if kind == "tls_client_auth_san_ip":
            return ip_address(wanted) in names.get_values_for_type(x509.IPAddress)
    except Exception:
        # The library reads names when they are asked for, and has many words for those that are malformed.
        return False
    return False


def is_key_of(certificate: ClientCertificate, key_set: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the certificate's key is one of the client's own (RFC 8705 §2.2). Keys for encryption do not count.

    The members of the key decide; `x5c` beside them must say the same (RFC 7517 §4.7), so it adds nothing.
    """
    for each in key_set:
        if each.get("use", "sig") != "sig":
            continue
        try:
            if public_der(each) == certificate.spki:
                return True
        except JoseRefused:
            continue
    return False


class CertificateAuthorities:
    """The authorities whose certificates may authenticate clients."""

    def __init__(self, certificates: Iterable[x509.Certificate]) -> None:
        self._store = verification.Store(list(certificates))
        anything = verification.Criticality.AGNOSTIC
        authority = verification.ExtensionPolicy.permit_all()
        authority = authority.require_present(x509.BasicConstraints, anything, _must_be_authority)
        authority = authority.may_be_present(x509.KeyUsage, anything, _must_sign_certificates)
        client = verification.ExtensionPolicy.permit_all()
        client = client.may_be_present(x509.BasicConstraints, anything, _must_not_be_authority)
        client = client.may_be_present(x509.ExtendedKeyUsage, anything, _must_be_for_clients)
        self._policy = verification.PolicyBuilder().store(self._store).max_chain_depth(4)
        self._policy = self._policy.extension_policies(ca_policy=authority, ee_policy=client)

    @classmethod
    def from_file(cls, path: Path | None) -> "CertificateAuthorities | None":
        """From a PEM bundle, at start; None when none is configured. Raises SettingsError."""
        if path is None:
            return None
        try:
            return cls(x509.load_pem_x509_certificates(path.read_bytes()))
        except (OSError, ValueError):
            raise SettingsError("DINHDANH_CLIENT_CA_FILE: holds no certificates (PEM) that can be read") from None

    def vouch_for(self, certificate: ClientCertificate, now: datetime) -> bool:
        """Whether the chain holds at `now` (signatures, times, constraints, purpose)."""
        verifier = self._policy.time(now).build_client_verifier()
        try:
            verifier.verify(certificate.leaf, list(certificate.chain))
        except Exception:  # likewise: VerificationError, and whatever a malformed extension raises
            return False
        return True


# The rules of the web's authorities (a SAN in every leaf, both key identifiers) are not those of an agency's own:
# what RFC 5280 asks of an authority and of a certificate for clients is looked at here.


def _must_be_authority(_: object, __: object, found: x509.BasicConstraints) -> None:
    if not found.ca:
        raise ValueError("not an authority")


def _must_sign_certificates(_: object, __: object, found: x509.KeyUsage | None) -> None:
    if found is not None and not found.key_cert_sign:
        raise ValueError("not for signing certificates")


def _must_not_be_authority(_: object, __: object, found: x509.BasicConstraints | None) -> None:
    if found is not None and found.ca:
        raise ValueError("an authority is no client")


def _must_be_for_clients(_: object, __: object, found: x509.ExtendedKeyUsage | None) -> None:
    allowed = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    if found is not None and not any(each in found for each in allowed):
        raise ValueError("not for clients")

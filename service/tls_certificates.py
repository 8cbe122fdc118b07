"""Certificates of our own making, for the sandbox: its authority, the server's, and those of test clients.

X.509 (RFC 5280), P-256 keys; the server's is RSA, since the cipher suites that every version of FAPI permits
under TLS 1.2 are those with RSA (FAPI 1.0 Part 2 §8.5; FAPI 2.0 §5.2.1 with RFC 9325 §4.2). Nobody outside a
sandbox is asked to trust any of them.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=397)
"""What browsers take at the most from a public authority (CA/Browser Forum, Baseline Requirements §6.3.2)."""
CLIENT_LIFE = timedelta(days=3650)
RENEWED_AHEAD = timedelta(days=7)
BACKDATED = timedelta(days=1)
"""For clocks that are behind ours."""


RSA_BITS = 2048
_Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_Public = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


@dataclass(frozen=True, slots=True)
class Identified:
    """A certificate and its private key; `repr` shows the subject alone."""

    certificate: x509.Certificate
    key: _Private

    def __repr__(self) -> str:
        return f"Identified({self.certificate.subject.rfc4514_string()!r})"

    @property
    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        """PKCS#8, not encrypted: for a file of mode 0600, or to be printed by the sandbox."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    @classmethod
    def from_pem(cls, certificate: str, key: str) -> "Identified":
        """Raises ValueError when one of them is something else, or they do not belong together."""
        read = serialization.load_pem_private_key(key.encode(), password=None)
        found = x509.load_pem_x509_certificate(certificate.encode())
        if not isinstance(read, _Private) or found.public_key() != read.public_key():
            raise ValueError("the key is not the one of the certificate")
        return cls(found, read)


def make_authority(common_name: str, now: datetime) -> Identified:
    """A self-signed authority that signs leaves only."""
    key = _new_key()
    builder = _begun(_name(common_name), _name(common_name), key.public_key(), now, AUTHORITY_LIFE)
    usage = _usage(key_cert_sign=True, crl_sign=True)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(usage, critical=True)
    return Identified(builder.sign(key, hashes.SHA256()), key)


def issue_server(authority: Identified, hosts: Sequence[str], now: datetime) -> Identified:
    """A server certificate for host names and addresses (RFC 9525: names stand in the SAN)."""
    key = rsa.generate_private_key(65537, RSA_BITS)
    builder = _begun(_name(hosts[0]), authority.certificate.subject, key.public_key(), now, SERVER_LIFE)
    builder = builder.add_extension(
        x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False
    )
    return _leaf(builder, key, authority, ExtendedKeyUsageOID.SERVER_AUTH)


def issue_client(authority: Identified, common_name: str, now: datetime) -> Identified:
    """A client certificate of the authority (RFC 8705 §2.1)."""
    key = _new_key()
    builder = _begun(_name(common_name), authority.certificate.subject, key.public_key(), now, CLIENT_LIFE)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(common_name)]), critical=False)
    return _leaf(builder, key, authority, ExtendedKeyUsageOID.CLIENT_AUTH)


def self_signed_client(common_name: str, now: datetime) -> Identified:
    """A client certificate that rests on itself (RFC 8705 §2.2)."""
    key = _new_key()
    builder = _begun(_name(common_name), _name(common_name), key.public_key(), now, CLIENT_LIFE)
    return _leaf(builder, key, None, ExtendedKeyUsageOID.CLIENT_AUTH)


def still_good(certificate_pem: str, authority: Identified, hosts: Sequence[str], now: datetime) -> bool:
    """Whether a server certificate of ours still serves: same authority, same hosts, a week of life."""
    try:
        found = x509.load_pem_x509_certificate(certificate_pem.encode())
        found.verify_directly_issued_by(authority.certificate)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    wanted = {_general_name(host) for host in hosts}
    return set(names) == wanted and found.not_valid_before_utc <= now < found.not_valid_after_utc - RENEWED_AHEAD


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Dinh Danh sandbox"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _leaf(
    builder: x509.CertificateBuilder,
    key: _Private,
    authority: Identified | None,
    purpose: x509.ObjectIdentifier,
) -> Identified:
    signer = authority.key if authority else key
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(digital_signature=True), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    builder = builder.add_extension(identifier, critical=False)
    return Identified(builder.sign(signer, hashes.SHA256()), key)


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)

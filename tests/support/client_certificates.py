"""Client certificates in every kind a test needs: of an authority, self-signed, expired, for another purpose."""

import base64
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

NOW = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
"""Where the tests' clocks stand."""

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Held:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def header(self) -> str:
        """As RFC 9440 writes it."""
        return f":{base64.b64encode(self.der).decode()}:"

    @property
    def escaped_pem(self) -> str:
        """As nginx writes it."""
        return quote(self.certificate.public_bytes(Encoding.PEM).decode(), safe="")

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as a JWK, with the certificate in x5c (RFC 7517 §4.7)."""
        numbers = self.key.public_key().public_numbers()
        shared = {"x5c": [base64.b64encode(self.der).decode()]}
        if isinstance(numbers, rsa.RSAPublicNumbers):
            return {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e), **shared}
        size = (self.key.key_size + 7) // 8
        curve = {256: "P-256", 384: "P-384", 521: "P-521"}[self.key.key_size]
        return {"kty": "EC", "crv": curve, "x": _number(numbers.x, size), "y": _number(numbers.y, size), **shared}


def name(common_name: str = "backend.agency.example", **more: str) -> x509.Name:
    """CN last, as most authorities write it: RFC 4514 turns it round."""
    oids = {"country": NameOID.COUNTRY_NAME, "organization": NameOID.ORGANIZATION_NAME}
    attributes = [x509.NameAttribute(oids[kind], value) for kind, value in more.items()]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def issue(
    subject: x509.Name | None = None,
    *,
    by: Held | None = None,
    authority: bool = False,
    purposes: Sequence[ObjectIdentifier] = (ExtendedKeyUsageOID.CLIENT_AUTH,),
    sans: Sequence[x509.GeneralName] = (),
    starts: timedelta = timedelta(days=-30),
    ends: timedelta = timedelta(days=30),
    key: Key | None = None,
) -> Held:
    """A certificate. by: who signs it; nobody means itself. starts, ends: from the tests' now."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = subject or name()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + starts)
        .not_valid_after(NOW + ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if purposes and not authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(purposes)), critical=False)
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(sans)), critical=False)
    return Held(builder.sign(by.key if by else key, hashes.SHA256()), key)


def authority(common_name: str = "An authority") -> Held:
    return issue(name(common_name), authority=True)


def bundle(path: Path, *authorities: Held) -> Path:
    """A PEM file of authorities."""
    path.write_bytes(b"".join(each.certificate.public_bytes(Encoding.PEM) for each in authorities))
    return path


def every_san() -> list[x509.GeneralName]:
    return [
        x509.DNSName("backend.agency.example"),
        x509.UniformResourceIdentifier("https://agency.example/backend"),
        x509.IPAddress(ipaddress.ip_address("2001:db8::7")),
        x509.RFC822Name("backend@agency.example"),
    ]


def _number(value: int, size: int = 0) -> str:
    raw = value.to_bytes(size or (value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

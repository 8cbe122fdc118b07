"""The certificate that a client showed in its TLS handshake, as a trusted proxy hands it on in a header.

The proxy ends TLS, has seen the proof of possession, and writes the certificate into the header named by the
setting `client_certificate_header`, having removed whatever the caller wrote there (RFC 9440 §4). From anybody
who is not a trusted proxy the header is not looked at. Whom the certificate stands for is decided elsewhere.

Sources: RFC 9440, RFC 8941 §3.3.5 (byte sequences), RFC 8705 §3.1.
"""

import base64
import binascii
import hashlib
import re
import warnings
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from urllib.parse import unquote

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.requests import Request

from core import base64url
from core.runtime import part
from core.settings import Settings
from core.web.client_address import is_trusted_peer

MAX_HEADER = 16 * 1024
MAX_CHAIN = 4
"""Certificates between the client's and the authority's."""

log = structlog.get_logger(__name__)

_BYTES = re.compile(r":([A-Za-z0-9+/]*={0,2}):", re.ASCII)
_UNREADABLE = (ValueError, Warning, x509.InvalidVersion)
"""What the library says of octets that are no certificate; UnicodeError is a ValueError."""
_ESCAPED_PEM = "-----BEGIN%20CERTIFICATE-----"


class CertificateUnreadable(Exception):
    """What stands in the header is no certificate."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate whose private key the caller holds. x5t_s256: SHA-256 of its DER, base64url (RFC 8705 §3.1).

    spki: DER of its SubjectPublicKeyInfo. chain: the certificates that came along with it, unverified.
    """

    x5t_s256: str
    spki: bytes
    leaf: x509.Certificate = field(repr=False)
    chain: tuple[x509.Certificate, ...] = field(default=(), repr=False)

    def is_valid_at(self, now: datetime) -> bool:
        """Whether `now` lies within its own times."""
        return self.leaf.not_valid_before_utc <= now <= self.leaf.not_valid_after_utc


def client_certificate(request: Request) -> ClientCertificate | None:
    """The certificate of the caller; None without one, without the setting, or from an untrusted peer.

    A header that cannot be read, or comes twice, is a fault of the proxy: logged, and taken for no certificate.
    """
    name = part(request, Settings).client_certificate_header
    if not name:
        return None
    sent = request.headers.getlist(name)
    if not sent or not is_trusted_peer(request):
        return None
    try:
        if len(sent) > 1:
            raise CertificateUnreadable("the header came twice")
        return read_certificate(sent[0], ",".join(request.headers.getlist(f"{name}-Chain")))
    except CertificateUnreadable as unreadable:
        log.warning("client_certificate", reason=str(unreadable))
        return None


@lru_cache(maxsize=1_024)
def read_certificate(value: str, chain: str = "") -> ClientCertificate:
    """Reads `Client-Cert` and `Client-Cert-Chain` (RFC 9440 §2.2, §2.3). Raises CertificateUnreadable.

    value: a byte sequence with the DER between colons; or the PEM escaped for a URL, which is all that nginx
    can write (`$ssl_client_escaped_cert`). Remembered, since one caller sends it with every request.
    """
    if len(value) + len(chain) > MAX_HEADER:
        raise CertificateUnreadable("the header is too long")
    links = [link.strip() for link in chain.split(",") if link.strip()]
    if len(links) > MAX_CHAIN:
        raise CertificateUnreadable("the chain is too long")
    der = _der(value.strip())
    leaf = read_der(der)
    try:
        spki = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except Exception as error:  # an algorithm that the library does not know, or a broken key
        raise CertificateUnreadable("its key cannot be read") from error
    digest = hashlib.sha256(der).digest()
    return ClientCertificate(
        x5t_s256=base64url.encode(digest),
        spki=spki,
        leaf=leaf,
        chain=tuple(read_der(_byte_sequence(link)) for link in links),
    )


def _der(value: str) -> bytes:
    if not value.startswith(_ESCAPED_PEM):
        return _byte_sequence(value)
    try:
        pem = unquote(value, errors="strict").encode("ascii")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    except _UNREADABLE:
        raise CertificateUnreadable("the escaped PEM cannot be read") from None


def _byte_sequence(value: str) -> bytes:
    found = _BYTES.fullmatch(value)
    if found is None:
        raise CertificateUnreadable("not a byte sequence")
    digits = found[1].rstrip("=")
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except binascii.Error:
        raise CertificateUnreadable("not a byte sequence") from None


def read_der(der: bytes) -> x509.Certificate:
    """Raises CertificateUnreadable, whatever the library raises of octets that are no certificate."""
    try:
        with warnings.catch_warnings():
            # What the library only warns of (a serial number that is not positive, say) breaks RFC 5280 as well.
            warnings.simplefilter("error")
            return x509.load_der_x509_certificate(der)
    except _UNREADABLE:
        raise CertificateUnreadable("not a certificate") from None

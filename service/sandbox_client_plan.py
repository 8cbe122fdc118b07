"""A client of the sandbox as planned: what it registers, and with which keys and certificate."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.jose import SigningKey
from service.tls_certificates import Identified

CODE_FLOW = ("authorization_code", "refresh_token")
CERTIFICATE_METHODS = frozenset({"tls_client_auth", "self_signed_tls_client_auth"})


@dataclass(frozen=True, slots=True)
class ClientPlan:
    """A client to register.

    auth_method: as in `token_endpoint_auth_method`. bound_by: "dpop", "mtls", or "" for the profile's default.
    further: more metadata by its registered names.
    """

    client_id: str
    agency: str
    profile: str
    name_vi: str
    name_en: str
    auth_method: str
    scopes: tuple[str, ...]
    grant_types: tuple[str, ...]
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    bound_by: str = ""
    further: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_key(self) -> bool:
        """Whether it signs: assertions, DPoP proofs or request objects."""
        return self.auth_method in {"private_key_jwt", *CERTIFICATE_METHODS}

    @property
    def has_certificate(self) -> bool:
        return self.bound_by == "mtls" or self.auth_method in CERTIFICATE_METHODS

    def fits(self, server: Mapping[str, Any]) -> bool:
        """Whether the provider of these metadata offers what the client needs: mTLS only behind a TLS front."""
        methods, grants = server["token_endpoint_auth_methods_supported"], server["grant_types_supported"]
        if self.auth_method not in methods or not set(self.grant_types) <= set(grants):
            return False
        if "request_object_signing_alg" in self.further and not server.get("request_parameter_supported"):
            return False
        return self.bound_by != "mtls" or bool(server.get("tls_client_certificate_bound_access_tokens"))

    def metadata(self, key: SigningKey | None, certificate: Identified | None) -> dict[str, Any]:
        """RFC 7591, OpenID Connect Registration, RFC 8705 §2."""
        told: dict[str, Any] = {
            "client_name": self.name_en,
            "client_name#vi": self.name_vi,
            "client_name#en": self.name_en,
            "scope": " ".join(self.scopes),
            "grant_types": list(self.grant_types),
            "response_types": ["code"] if "authorization_code" in self.grant_types else [],
            "token_endpoint_auth_method": self.auth_method,
            **self.further,
        }
        if self.redirect_uris:
            told["redirect_uris"] = list(self.redirect_uris)
        if self.post_logout_redirect_uris:
            told["post_logout_redirect_uris"] = list(self.post_logout_redirect_uris)
        keys = [key.public().public_jwk()] if key else []
        if certificate and self.auth_method == "self_signed_tls_client_auth":
            keys.append(certificate_jwk(certificate))
        if keys:
            told["jwks"] = {"keys": keys}
        if certificate and self.auth_method == "tls_client_auth":
            told["tls_client_auth_subject_dn"] = certificate.certificate.subject.rfc4514_string()
        if self.bound_by == "dpop":
            told["dpop_bound_access_tokens"] = True
        if self.bound_by == "mtls":
            told["tls_client_certificate_bound_access_tokens"] = True
        return told


def certificate_jwk(certificate: Identified) -> dict[str, Any]:
    """The certificate's key with the certificate in `x5c` (RFC 7517 §4.7), as RFC 8705 §2.2.2 wants it."""
    point = certificate.certificate.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": _base64url(point[1:33]),
        "y": _base64url(point[33:]),
        "use": "sig",
        "alg": "ES256",
        "kid": f"{certificate.certificate.serial_number:x}",
        "x5c": [base64.b64encode(certificate.certificate.public_bytes(Encoding.DER)).decode()],
    }


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()

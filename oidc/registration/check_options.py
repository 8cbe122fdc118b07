"""The rarer members of client metadata, against our rules and the profile. Pure."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from core.jwe import encryption_key
from oidc.certificates import NameUnreadable, distinguished_name
from oidc.client_options import ClientOptions
from oidc.encryption_names import CONTENT_ENCRYPTION, DEFAULT_CONTENT_ENCRYPTION, KEY_MANAGEMENT
from oidc.errors import OAuthError
from oidc.profiles import ASSERTION_ALGORITHMS, SIGNING_ALGORITHMS, Profile
from oidc.redirect_uris import is_registrable

ENCRYPTED = ("id_token", "userinfo", "introspection", "authorization")
TLS_SUBJECTS = (
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
)
CIBA = "urn:openid:params:grant-type:ciba"
DELIVERY_MODES = ("poll", "ping")
AUTHORIZATION_DETAILS_TYPES = ("consented_lookup",)
MAX_SUBJECT = 512
_NOT_OFFERED = ("request_object_encryption_alg", "request_object_encryption_enc", "request_uris")


def check_options(
    metadata: Mapping[str, Any],
    profile: Profile,
    *,
    method: str,
    grant_types: tuple[str, ...],
    redirects: tuple[str, ...],
    sandbox: bool,
) -> ClientOptions:
    """Raises OAuthError invalid_client_metadata."""
    for name in _NOT_OFFERED:
        if metadata.get(name):
            raise refused(name, "is not offered here")
    return ClientOptions(
        **_encryption(metadata),
        # As id_tokens: FAPI 2.0 §5.4.1 knows no RS256, and a portal that wants it there wants it here.
        userinfo_signed_response_alg=_alg(metadata, "userinfo_signed_response_alg", profile.id_token_algs),
        introspection_signed_response_alg=_alg(metadata, "introspection_signed_response_alg", SIGNING_ALGORITHMS),
        authorization_signed_response_alg=_alg(metadata, "authorization_signed_response_alg", SIGNING_ALGORITHMS),
        request_object_signing_alg=_alg(metadata, "request_object_signing_alg", profile.request_object_algs),
        require_signed_request_object=_flag(metadata, "require_signed_request_object")
        or profile.requires_signed_request,
        tls_subject=_tls_subject(metadata, method),
        sector_identifier_uri=_uri(metadata, "sector_identifier_uri", sandbox=sandbox),
        initiate_login_uri=_uri(metadata, "initiate_login_uri", sandbox=sandbox),
        backchannel_logout_uri=_uri(metadata, "backchannel_logout_uri", sandbox=sandbox),
        backchannel_logout_session_required=_flag(metadata, "backchannel_logout_session_required"),
        frontchannel_logout_uri=_frontchannel(metadata, redirects, sandbox=sandbox),
        frontchannel_logout_session_required=_flag(metadata, "frontchannel_logout_session_required"),
        **_ciba(metadata, grant_types, sandbox=sandbox),
        authorization_details_types=_details_types(metadata),
        require_auth_time=_flag(metadata, "require_auth_time"),
    )


def _encryption(metadata: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for what in ENCRYPTED:
        alg_name, enc_name = f"{what}_encrypted_response_alg", f"{what}_encrypted_response_enc"
        alg = _alg(metadata, alg_name, KEY_MANAGEMENT)
        enc = _alg(metadata, enc_name, CONTENT_ENCRYPTION)
        if enc is not None and alg is None:
            raise refused(enc_name, f"needs {alg_name}")
        if alg is not None and metadata.get("jwks") is None and metadata.get("jwks_uri") is None:
            raise refused(alg_name, "needs a key in jwks or jwks_uri")
        if alg is not None and metadata.get("jwks") and encryption_key(metadata["jwks"]["keys"], alg) is None:
            raise refused(alg_name, "needs a key in jwks that fits it")
        found[alg_name] = alg
        found[enc_name] = None if alg is None else enc or DEFAULT_CONTENT_ENCRYPTION
    return found


def _tls_subject(metadata: Mapping[str, Any], method: str) -> tuple[str, str] | None:
    """Exactly one (RFC 8705 §2.1.2)."""
    named = [(name, metadata[name]) for name in TLS_SUBJECTS if metadata.get(name) is not None]
    if method != "tls_client_auth":
        if named:
            raise refused(named[0][0], "goes with token_endpoint_auth_method tls_client_auth")
        return None
    if len(named) != 1:
        raise refused("tls_client_auth", "needs exactly one of the tls_client_auth_... members")
    name, value = named[0]
    if not isinstance(value, str) or not 0 < len(value) <= MAX_SUBJECT or not value.isprintable():
        raise refused(name, "is not a usable name")
    if name == "tls_client_auth_subject_dn":
        try:
            distinguished_name(value)
        except NameUnreadable:
            raise refused(name, "must be a name as RFC 4514 writes it, CN=...,O=...,C=VN, its values as text") from None
    if name == "tls_client_auth_san_ip":
        try:
            value = str(ipaddress.ip_address(value))
        except ValueError:
            raise refused(name, "is not an address") from None
    return name, value


def _ciba(metadata: Mapping[str, Any], grant_types: tuple[str, ...], *, sandbox: bool) -> dict[str, Any]:
    mode = _alg(metadata, "backchannel_token_delivery_mode", DELIVERY_MODES)
    endpoint = _uri(metadata, "backchannel_client_notification_endpoint", sandbox=sandbox)
    if (CIBA in grant_types) != (mode is not None):
        raise refused("backchannel_token_delivery_mode", f"and the grant type {CIBA} go together")
    if (mode == "ping") != (endpoint is not None):
        raise refused("backchannel_client_notification_endpoint", "goes with the delivery mode ping")
    if metadata.get("backchannel_user_code_parameter", False) is not False:
        raise refused("backchannel_user_code_parameter", "is not offered here")
    signing = "backchannel_authentication_request_signing_alg"
    return {
        "backchannel_token_delivery_mode": mode,
        "backchannel_client_notification_endpoint": endpoint,
        signing: _alg(metadata, signing, ASSERTION_ALGORITHMS),
    }


def _frontchannel(metadata: Mapping[str, Any], redirects: tuple[str, ...], *, sandbox: bool) -> str | None:
    """Domain, port and scheme of a registered redirect address (Front-Channel Logout §2)."""
    uri = _uri(metadata, "frontchannel_logout_uri", sandbox=sandbox)
    origins = {urlsplit(each)[:2] for each in redirects}
    if uri is not None and urlsplit(uri)[:2] not in origins:
        raise refused("frontchannel_logout_uri", "must have the origin of a redirect address")
    return uri


def _details_types(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    types = metadata.get("authorization_details_types", [])
    if not isinstance(types, list) or any(each not in AUTHORIZATION_DETAILS_TYPES for each in types):
        raise refused("authorization_details_types", f"may hold {', '.join(AUTHORIZATION_DETAILS_TYPES)}")
    return tuple(dict.fromkeys(types))


def _alg(metadata: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str | None:
    value = metadata.get(name)
    if value is not None and value not in allowed:
        raise refused(name, f"must be one of {', '.join(allowed)}")
    return value


def _uri(metadata: Mapping[str, Any], name: str, *, sandbox: bool) -> str | None:
    value = metadata.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not is_registrable(value, sandbox=sandbox):
        raise refused(name, "must be an https address without fragment, user or odd characters")
    return value


def _flag(metadata: Mapping[str, Any], name: str) -> bool:
    value = metadata.get(name, False)
    if not isinstance(value, bool):
        raise refused(name, "must be true or false")
    return value


def refused(name: str, why: str) -> OAuthError:
    """The error for one member; it names it, never its content."""
    named = name if re.fullmatch(r"[a-zA-Z_#]+", name) else "metadata"
    return OAuthError("invalid_client_metadata", f"{named} {why}.")

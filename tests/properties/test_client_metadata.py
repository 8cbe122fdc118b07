"""Client metadata of any shape at all: a refusal with a reason, or a client that reads back as it was registered."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.jose import SigningKey
from oidc.errors import OAuthError
from oidc.metadata import provider_metadata
from oidc.profiles import PROFILES
from oidc.registration.as_metadata import as_metadata
from oidc.registration.check import CheckedMetadata, check_metadata
from oidc.registration.check_details import DETAILS
from oidc.registration.limits import default_scope, refuse_beyond
from oidc.registration.register import row_values

SERVER = provider_metadata("https://id.example", ["full_name", "children"])
JWKS = {"keys": [SigningKey.generate("ES256").public().public_jwk()]}
GOOD: dict[str, Any] = {
    "client_name": "Cổng dịch vụ công",
    "redirect_uris": ["https://rp.example/cb"],
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks": JWKS,
}
MEMBERS = [
    *DETAILS,
    "redirect_uris",
    "post_logout_redirect_uris",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "grant_types",
    "response_types",
    "scope",
    "jwks",
    "jwks_uri",
    "subject_type",
    "sector_identifier_uri",
    "id_token_signed_response_alg",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "userinfo_signed_response_alg",
    "userinfo_encrypted_response_alg",
    "introspection_signed_response_alg",
    "authorization_signed_response_alg",
    "request_object_signing_alg",
    "require_signed_request_object",
    "default_max_age",
    "default_acr_values",
    "require_auth_time",
    "initiate_login_uri",
    "request_uris",
    "frontchannel_logout_uri",
    "backchannel_logout_uri",
    "backchannel_token_delivery_mode",
    "backchannel_client_notification_endpoint",
    "backchannel_user_code_parameter",
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_ip",
    "tls_client_certificate_bound_access_tokens",
    "dpop_bound_access_tokens",
    "require_pushed_authorization_requests",
    "authorization_details_types",
    "access_token_signing_alg",
    "dinhdanh_profile",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
LIKELY = st.sampled_from(
    [
        "https://rp.example/cb",
        "javascript:alert(1)",
        "http://[::1",
        "ES256",
        "RS256",
        "none",
        "openid",
        "code",
        "native",
        ["https://rp.example/cb", {}],
        ["com.example.app:/cb", "http://127.0.0.1/cb"],
        ["com.example.app:/out"],
        ["authorization_code", "refresh_token"],
        ["client_credentials"],
        [["authorization_code"]],
        [{}],
        0,
        False,
        "",
        [],
        {},
        {"keys": [{}]},
        {"keys": [{"kty": "EC", "crv": "P-256", "x": 5, "y": []}]},
        {"keys": [{"kty": "RSA", "n": "AQAB", "e": {}}]},
        {"keys": JWKS["keys"] * 2},
        JWKS,
    ]
)
METADATA = st.dictionaries(st.sampled_from(MEMBERS) | st.text(max_size=12), JSON | LIKELY, max_size=8)


@settings(max_examples=250, deadline=None)
@given(changes=METADATA, profile=st.sampled_from(sorted(PROFILES)), sandbox=st.booleans())
def test_any_metadata(changes: dict[str, Any], profile: str, sandbox: bool) -> None:
    metadata = {**GOOD, **changes}
    try:
        checked = _checked(metadata, profile, sandbox)
    except OAuthError as error:
        refused = error
    else:
        assert _again(checked, profile, sandbox) == checked
        return
    assert refused.error in {"invalid_client_metadata", "invalid_redirect_uri"}
    assert refused.status == 400
    assert refused.description.isascii()
    assert not {'"', "\\"} & set(refused.description)


def _checked(metadata: dict[str, Any], profile: str, sandbox: bool) -> CheckedMetadata:
    held = {"sign-in": frozenset({"full_name", "email"})}
    scope = default_scope(metadata, held, "sign-in")
    asked = metadata if scope is None else {**metadata, "scope": scope}
    checked = check_metadata(asked, PROFILES[profile], SERVER, sandbox=sandbox)
    refuse_beyond(checked.scopes, checked.options.authorization_details_types, held, "sign-in")
    return checked


def _again(checked: CheckedMetadata, profile: str, sandbox: bool) -> CheckedMetadata:
    row = {**row_values(checked), "profile": profile, "state": "active"}
    return check_metadata(as_metadata(row), PROFILES[profile], SERVER, sandbox=sandbox)

"""The provider's metadata (OpenID Connect Discovery, RFC 8414): exactly what is supported, no more."""

from collections.abc import Iterable
from typing import Any

from core.dpop import PROOF_ALGORITHMS
from oidc import verified_claims
from oidc.acr import ACR_VALUES
from oidc.authorization_details import TYPES
from oidc.authorize.checks.levels import PROMPTS
from oidc.authorize.checks.redirect import RESPONSE_MODES
from oidc.claims import claims_supported
from oidc.encryption_names import CONTENT_ENCRYPTION, KEY_MANAGEMENT
from oidc.profiles import ASSERTION_ALGORITHMS, REQUEST_OBJECT_ALGORITHMS, SIGNING_ALGORITHMS
from oidc.registration.check_options import DELIVERY_MODES
from oidc.scopes import CLAIM_SCOPES, LOOKUP, OFFLINE, OPENID
from oidc.tables import KEY_ALGORITHMS
from oidc.token.endpoint import GRANT_TYPES

CONFIDENTIAL_METHODS = ("private_key_jwt", "client_secret_basic", "client_secret_post")
_OF_PROGRAMS = (
    "token_endpoint",
    "userinfo_endpoint",
    "pushed_authorization_request_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "backchannel_authentication_endpoint",
    "device_authorization_endpoint",
)
"""Where a client authenticates or shows a bound token."""


def provider_metadata(
    issuer: str, fields: Iterable[str], *, certificates: bool = False, authorities: bool = False, mtls_base: str = ""
) -> dict[str, Any]:
    """The document. fields: codes of the registry's field catalogue.

    certificates: whether a proxy hands on client certificates (RFC 8705). authorities: whether there are some whose
    certificates authenticate. mtls_base: the origin that asks for certificates, when it is another.
    """
    confidential = _confidential_methods(certificates=certificates, authorities=authorities)
    signing = list(ASSERTION_ALGORITHMS)
    document: dict[str, Any] = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks",
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "introspection_endpoint": f"{issuer}/introspect",
        "revocation_endpoint": f"{issuer}/revoke",
        "end_session_endpoint": f"{issuer}/logout",
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
        "registration_endpoint": f"{issuer}/register",
        "backchannel_authentication_endpoint": f"{issuer}/bc-authorize",
        "backchannel_token_delivery_modes_supported": list(DELIVERY_MODES),
        "backchannel_authentication_request_signing_alg_values_supported": signing,
        "backchannel_user_code_parameter_supported": False,
        "device_authorization_endpoint": f"{issuer}/device_authorization",
        "scopes_supported": [OPENID, *CLAIM_SCOPES, OFFLINE, LOOKUP],
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(GRANT_TYPES),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": list(KEY_ALGORITHMS),
        "acr_values_supported": list(ACR_VALUES),
        "claims_supported": claims_supported(fields),
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        **verified_claims.metadata(),
        "request_parameter_supported": True,
        "request_object_signing_alg_values_supported": list(REQUEST_OBJECT_ALGORITHMS),
        "require_signed_request_object": False,
        "authorization_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
        "authorization_encryption_alg_values_supported": list(KEY_MANAGEMENT),
        "authorization_encryption_enc_values_supported": list(CONTENT_ENCRYPTION),
        "authorization_details_types_supported": list(TYPES),
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
        "require_pushed_authorization_requests": False,
        "prompt_values_supported": list(PROMPTS),
        "ui_locales_supported": ["vi", "en"],
        "claims_locales_supported": ["vi"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "dpop_signing_alg_values_supported": sorted(PROOF_ALGORITHMS),
        "token_endpoint_auth_methods_supported": [*confidential, "none"],
        "token_endpoint_auth_signing_alg_values_supported": signing,
    }
    for endpoint, methods in (("introspection", confidential), ("revocation", (*confidential, "none"))):
        document[f"{endpoint}_endpoint_auth_methods_supported"] = list(methods)
        document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = signing
    # What RFC 9701 gives has claims of a token, which RS256 does not sign here.
    for what, algs in (("userinfo", (*SIGNING_ALGORITHMS, "RS256")), ("introspection", SIGNING_ALGORITHMS)):
        document[f"{what}_signing_alg_values_supported"] = list(algs)
    for what in ("id_token", "userinfo", "introspection"):
        document[f"{what}_encryption_alg_values_supported"] = list(KEY_MANAGEMENT)
        document[f"{what}_encryption_enc_values_supported"] = list(CONTENT_ENCRYPTION)
    if certificates:
        document["tls_client_certificate_bound_access_tokens"] = True
    if certificates and mtls_base:
        document["mtls_endpoint_aliases"] = {
            name: mtls_base + document[name].removeprefix(issuer) for name in _OF_PROGRAMS if name in document
        }
    return document


def _confidential_methods(*, certificates: bool, authorities: bool) -> tuple[str, ...]:
    """Certificates of an authority only where we know one (RFC 8705 §2.1)."""
    by_certificate = (("self_signed_tls_client_auth", certificates), ("tls_client_auth", certificates and authorities))
    return (*CONFIDENTIAL_METHODS, *(method for method, offered in by_certificate if offered))

"""A registered client as the metadata it has: the names of RFC 7591 and its companions. Pure.

What `check_metadata` takes comes out here again, so that a client that sends back what it got changes nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from oidc.client_options import ClientOptions
from oidc.registration.check_details import DETAILS

PROFILE = "dinhdanh_profile"
STATE = "dinhdanh_state"
"""Extension members (RFC 7591 §2): which set of rules holds, and whether somebody still has to agree."""


def as_metadata(row: Mapping[str, Any]) -> dict[str, Any]:
    """row: a row of oidc.clients. Without identifier, secret and registration token."""
    code = "authorization_code" in row["grant_types"]
    metadata: dict[str, Any] = {
        "client_name": row["name_vi"],
        "token_endpoint_auth_method": row["auth_method"],
        "token_endpoint_auth_signing_alg": row["assertion_alg"],
        "jwks": row["jwks"],
        "jwks_uri": row["jwks_uri"],
        "redirect_uris": list(row["redirect_uris"]),
        "post_logout_redirect_uris": list(row["post_logout_redirect_uris"]),
        "response_types": ["code"] if code else [],
        "grant_types": list(row["grant_types"]),
        "scope": " ".join(row["scopes"]),
        "subject_type": "pairwise",
        "id_token_signed_response_alg": row["id_token_alg"],
        "access_token_signing_alg": row["access_token_alg"],
        "dpop_bound_access_tokens": row["dpop_bound"],
        "tls_client_certificate_bound_access_tokens": row["mtls_bound"],
        "require_pushed_authorization_requests": row["requires_par"],
        "default_max_age": row["default_max_age"],
        "default_acr_values": list(row["default_acr_values"]),
        **_options(ClientOptions.from_json(row["options"])),
        **{name: value for name, value in row["details"].items() if name in DETAILS},
        PROFILE: row["profile"],
        STATE: row["state"],
    }
    return {name: value for name, value in metadata.items() if value is not None and value != []}


def _options(options: ClientOptions) -> dict[str, Any]:
    told = asdict(options)
    subject = told.pop("tls_subject")
    told["authorization_details_types"] = list(told["authorization_details_types"])
    return {**told, **({subject[0]: subject[1]} if subject else {})}

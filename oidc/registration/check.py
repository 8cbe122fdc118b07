"""Client metadata against our rules. Pure: a mapping comes in, the values of a row go out.

Authlib's metadata classes check the shapes; the rules of the profile, and of addresses and keys, are ours.
Members that nobody here knows are ignored (RFC 7591 §2); members of a thing we do not offer are refused, so
that no developer believes in an encryption that does not happen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.jose import JoseRefused, VerificationKey
from oidc import scopes
from oidc.acr import ACR_VALUES
from oidc.authlib_ import MetadataRefused, validated_client_metadata
from oidc.errors import OAuthError
from oidc.profiles import ASSERTION_ALGORITHMS, PROFILES, Profile
from oidc.redirect_uris import is_registrable, is_web_page, sector_of
from oidc.tables import KEY_ALGORITHMS

MAX_URIS = 20
MAX_KEYS = 10
MAX_NAME = 120
_NOT_OFFERED = (
    "jwks_uri",
    "sector_identifier_uri",
    "request_uris",
    "request_object_signing_alg",
    "request_object_encryption_alg",
    "id_token_encrypted_response_alg",
    "userinfo_signed_response_alg",
    "userinfo_encrypted_response_alg",
    "backchannel_logout_uri",
    "frontchannel_logout_uri",
    "tls_client_certificate_bound_access_tokens",
    "software_statement",
)
_LINKS = ("client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri")


@dataclass(frozen=True, slots=True)
class CheckedMetadata:
    """Values for the row; see tables.ClientRow. sector: None when the addresses have several hosts."""

    name_vi: str
    name_en: str
    auth_method: str
    assertion_alg: str | None
    jwks: dict[str, Any] | None
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    grant_types: tuple[str, ...]
    scopes: tuple[str, ...]
    sector: str | None
    id_token_alg: str
    dpop_bound: bool
    requires_par: bool
    default_max_age: int | None
    default_acr_values: tuple[str, ...]
    details: dict[str, Any]


def check_metadata(
    metadata: Mapping[str, Any], profile: Profile, server: Mapping[str, Any], *, sandbox: bool
) -> CheckedMetadata:
    """Raises OAuthError invalid_client_metadata or invalid_redirect_uri. server: our metadata document."""
    for name in _NOT_OFFERED:
        if metadata.get(name) is not None:
            raise _refused(name, "is not offered here")
    redirects = _uris(metadata, "redirect_uris", sandbox=sandbox)
    for name in _LINKS:
        link = metadata.get(name)
        if link is not None and not (isinstance(link, str) and is_web_page(link, sandbox=sandbox)):
            raise _refused(name, "must be an https address")
    jwks = _jwks(metadata)
    method = str(_shapes(metadata, server)["token_endpoint_auth_method"])
    if method == "private_key_jwt" and jwks is None:
        raise _refused("jwks", "is needed for private_key_jwt")
    grant_types = _grant_types(metadata, profile, method, redirects)
    wanted_dpop = _flag(metadata, "dpop_bound_access_tokens", default="client_credentials" in grant_types)
    wanted_par = _flag(metadata, "require_pushed_authorization_requests", default=False)
    return CheckedMetadata(
        name_vi=_name(metadata, "client_name#vi", "client_name"),
        name_en=_name(metadata, "client_name#en", "client_name"),
        auth_method=method,
        assertion_alg=_assertion_alg(metadata),
        jwks=jwks,
        redirect_uris=redirects,
        post_logout_redirect_uris=_uris(metadata, "post_logout_redirect_uris", sandbox=sandbox),
        grant_types=grant_types,
        scopes=_scopes(metadata, grant_types),
        sector=sector_of(redirects),
        id_token_alg=_one_of(metadata, "id_token_signed_response_alg", KEY_ALGORITHMS, KEY_ALGORITHMS[0]),
        # Tightening is the client's right; loosening the profile is nobody's.
        dpop_bound=profile.requires_dpop or wanted_dpop,
        requires_par=profile.requires_par or wanted_par,
        default_max_age=_max_age(metadata),
        default_acr_values=_acr_values(metadata),
        details={name: metadata[name] for name in (*_LINKS, "contacts", "software_id") if name in metadata},
    )


def profile_named(name: str) -> Profile:
    """Raises OAuthError invalid_client_metadata."""
    if name not in PROFILES:
        raise _refused("profile", f"must be one of {', '.join(PROFILES)}")
    return PROFILES[name]


def _shapes(metadata: Mapping[str, Any], server: Mapping[str, Any]) -> dict[str, Any]:
    # Scopes are checked here by rule: purposes are not listed in the server's metadata.
    against = {name: value for name, value in server.items() if name != "scopes_supported"}
    try:
        return validated_client_metadata(metadata, against)
    except MetadataRefused as refused:
        raise _refused(refused.field, "does not have a value that is taken here") from None


def _uris(metadata: Mapping[str, Any], name: str, *, sandbox: bool) -> tuple[str, ...]:
    found = metadata.get(name, [])
    if not isinstance(found, list) or len(found) > MAX_URIS:
        raise _redirect_refused(name)
    if any(not isinstance(uri, str) or not is_registrable(uri, sandbox=sandbox) for uri in found):
        raise _redirect_refused(name)
    return tuple(dict.fromkeys(found))


def _grant_types(
    metadata: Mapping[str, Any], profile: Profile, method: str, redirects: tuple[str, ...]
) -> tuple[str, ...]:
    if method not in profile.auth_methods:
        raise _refused("token_endpoint_auth_method", f"is not allowed in the profile {profile.name}")
    grant_types = tuple(dict.fromkeys(metadata.get("grant_types", ["authorization_code"])))
    if ("authorization_code" in grant_types) != bool(redirects):
        raise _refused("redirect_uris", "and the grant type authorization_code go together")
    if "refresh_token" in grant_types and "authorization_code" not in grant_types:
        raise _refused("grant_types", "refresh_token needs authorization_code")
    if method == "none" and "client_credentials" in grant_types:
        raise _refused("grant_types", "client_credentials needs a client that authenticates")
    return grant_types


def _scopes(metadata: Mapping[str, Any], grant_types: tuple[str, ...]) -> tuple[str, ...]:
    default = scopes.OPENID if "authorization_code" in grant_types else scopes.LOOKUP
    raw = metadata.get("scope", default)
    found = tuple(dict.fromkeys(raw.split())) if isinstance(raw, str) else ()
    if not all(scopes.may_be_registered(scope) for scope in found):
        raise _refused("scope", "holds a scope that does not exist")
    if scopes.LOOKUP in found and "client_credentials" not in grant_types:
        raise _refused("scope", "lookup needs the grant type client_credentials")
    return found


def _jwks(metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    jwks = metadata.get("jwks")
    if jwks is None:
        return None
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not 0 < len(keys) <= MAX_KEYS:
        raise _refused("jwks", f"must be a key set of 1 to {MAX_KEYS} keys")
    try:
        read = [VerificationKey.from_jwk(key) for key in keys if isinstance(key, dict)]
    except JoseRefused as refused:
        raise _refused("jwks", refused.reason) from None
    if len(read) != len(keys) or any(key.alg not in ASSERTION_ALGORITHMS for key in read):
        raise _refused("jwks", f"keys must be for {', '.join(ASSERTION_ALGORITHMS)}")
    if len({key.kid for key in read}) != len(read):
        raise _refused("jwks", "names two keys alike")
    return {"keys": keys}


def _assertion_alg(metadata: Mapping[str, Any]) -> str | None:
    named = metadata.get("token_endpoint_auth_signing_alg")
    if named is not None and named not in ASSERTION_ALGORITHMS:
        raise _refused("token_endpoint_auth_signing_alg", f"must be one of {', '.join(ASSERTION_ALGORITHMS)}")
    return named


def _name(metadata: Mapping[str, Any], *members: str) -> str:
    name = next((metadata[member] for member in members if metadata.get(member)), None)
    if not isinstance(name, str) or len(name) > MAX_NAME or not name.isprintable() or not name.strip():
        raise _refused("client_name", f"must be a name of at most {MAX_NAME} characters")
    return name.strip()


def _one_of(metadata: Mapping[str, Any], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = metadata.get(name, default)
    if value not in allowed:
        raise _refused(name, f"must be one of {', '.join(allowed)}")
    return str(value)


def _flag(metadata: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = metadata.get(name, default)
    if not isinstance(value, bool):
        raise _refused(name, "must be true or false")
    return value


def _max_age(metadata: Mapping[str, Any]) -> int | None:
    value = metadata.get("default_max_age")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31):
        raise _refused("default_max_age", "must be a number of seconds")
    return value


def _acr_values(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    values = metadata.get("default_acr_values", [])
    if not isinstance(values, list) or any(value not in ACR_VALUES for value in values):
        raise _refused("default_acr_values", "holds a value that is not offered here")
    return tuple(values)


def _refused(name: str, why: str) -> OAuthError:
    return OAuthError("invalid_client_metadata", f"{name} {why}.")


def _redirect_refused(name: str) -> OAuthError:
    return OAuthError(
        "invalid_redirect_uri",
        f"{name} must be a list of at most {MAX_URIS} https addresses without fragment, user or odd characters.",
    )

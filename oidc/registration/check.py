"""Client metadata against our rules. Pure: a mapping comes in, the values of a row go out.

Authlib's metadata classes check the shapes; the rules of the profile, and of addresses and keys, are ours.
Members that nobody here knows are ignored (RFC 7591 §2); members of a thing we do not offer are refused, so
that no developer believes in an encryption that does not happen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from core.jose import JoseRefused, VerificationKey, import_public, is_for_signing
from oidc import scopes
from oidc.acr import ACR_VALUES
from oidc.authlib_ import MetadataRefused, validated_client_metadata
from oidc.client_options import ClientOptions
from oidc.clients import keys_of
from oidc.encryption_names import KEY_MANAGEMENT
from oidc.errors import OAuthError
from oidc.profiles import ASSERTION_ALGORITHMS, PROFILES, SIGNING_ALGORITHMS, Profile
from oidc.redirect_uris import is_registrable, sector_of
from oidc.registration.check_details import check_details, checked_name
from oidc.registration.check_options import CIBA, check_options
from oidc.registration.check_redirects import REDIRECTS, is_app, post_logout_redirect_uris, redirect_uris

MAX_KEYS = 10
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_WITHOUT_REDIRECT = frozenset({CIBA, DEVICE})


@dataclass(frozen=True, slots=True)
class SectorDocument:
    """A `sector_identifier_uri`, and the addresses that stand in the document there if the sector is the client's."""

    uri: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckedMetadata:
    """Values for the row; see tables.ClientRow. sector: None when the addresses have several hosts."""

    name_vi: str
    name_en: str
    auth_method: str
    assertion_alg: str | None
    jwks: dict[str, Any] | None
    jwks_uri: str | None
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    grant_types: tuple[str, ...]
    scopes: tuple[str, ...]
    sector: str | None
    id_token_alg: str
    access_token_alg: str
    dpop_bound: bool
    mtls_bound: bool
    requires_par: bool
    default_max_age: int | None
    default_acr_values: tuple[str, ...]
    options: ClientOptions
    details: dict[str, Any]

    @property
    def sector_document(self) -> SectorDocument | None:
        """What has to be read before the sector is believed."""
        uri = self.options.sector_identifier_uri
        return None if uri is None else SectorDocument(uri, _to_list(self.redirect_uris, self.jwks_uri, self.options))


def check_metadata(
    metadata: Mapping[str, Any], profile: Profile, server: Mapping[str, Any], *, sandbox: bool
) -> CheckedMetadata:
    """Raises OAuthError invalid_client_metadata or invalid_redirect_uri. server: our metadata document."""
    # RFC 7592 §2.2: null is as good as left out.
    metadata = {name: value for name, value in metadata.items() if value is not None}
    app = is_app(metadata, profile)
    redirects = redirect_uris(metadata, app=app, sandbox=sandbox)
    jwks, jwks_uri = _jwks(metadata, profile), _jwks_uri(metadata, sandbox=sandbox)
    if jwks is not None and jwks_uri is not None:
        raise _refused("jwks_uri", "and jwks exclude each other")
    method = str(_shapes(metadata, server)["token_endpoint_auth_method"])
    if method in {"private_key_jwt", "self_signed_tls_client_auth"} and jwks is None and jwks_uri is None:
        raise _refused("jwks", f"or jwks_uri is needed for {method}")
    if method == "private_key_jwt" and jwks is not None and not keys_of(jwks):
        raise _refused("jwks", f"has no key that {method} could be checked with")
    grant_types = _grant_types(metadata, profile, method, redirects)
    mtls_bound = _flag(metadata, "tls_client_certificate_bound_access_tokens", default=False)
    if mtls_bound and not server.get("tls_client_certificate_bound_access_tokens"):
        raise _refused("tls_client_certificate_bound_access_tokens", "is not offered here")
    # A profile that wants bound tokens gets them by DPoP, unless the client chose its certificate.
    bound_by_default = "client_credentials" in grant_types or profile.requires_bound_tokens
    wanted_dpop = _flag(metadata, "dpop_bound_access_tokens", default=bound_by_default and not mtls_bound)
    wanted_par = _flag(metadata, "require_pushed_authorization_requests", default=False)
    options = check_options(
        metadata, profile, method=method, grant_types=grant_types, redirects=redirects, sandbox=sandbox
    )
    return CheckedMetadata(
        name_vi=checked_name(metadata, "client_name#vi", "client_name"),
        name_en=checked_name(metadata, "client_name#en", "client_name"),
        auth_method=method,
        assertion_alg=_assertion_alg(metadata),
        jwks=jwks,
        jwks_uri=jwks_uri,
        redirect_uris=redirects,
        post_logout_redirect_uris=post_logout_redirect_uris(metadata, app=app, sandbox=sandbox),
        grant_types=grant_types,
        scopes=_scopes(metadata, grant_types),
        sector=_sector(options, redirects, jwks_uri),
        id_token_alg=_one_of(metadata, "id_token_signed_response_alg", profile.id_token_algs, profile.id_token_algs[0]),
        access_token_alg=_one_of(metadata, "access_token_signing_alg", SIGNING_ALGORITHMS, SIGNING_ALGORITHMS[0]),
        # Tightening is the client's right; loosening the profile is nobody's.
        dpop_bound=wanted_dpop or (profile.requires_bound_tokens and not mtls_bound),
        mtls_bound=mtls_bound,
        requires_par=profile.requires_par or wanted_par,
        default_max_age=_max_age(metadata),
        default_acr_values=_acr_values(metadata),
        options=options,
        details=check_details(metadata, sandbox=sandbox),
    )


def profile_named(name: str) -> Profile:
    """Raises OAuthError invalid_client_metadata."""
    if name not in PROFILES:
        raise _refused("profile", f"must be one of {', '.join(PROFILES)}")
    return PROFILES[name]


def _sector(options: ClientOptions, redirects: tuple[str, ...], jwks_uri: str | None) -> str | None:
    """The host of the sector's document, else the one host of all addresses (OpenID Connect Core §8.1)."""
    if options.sector_identifier_uri is not None:
        if not _to_list(redirects, jwks_uri, options):
            raise _refused("sector_identifier_uri", "needs an address of the client that its document can list")
        return urlsplit(options.sector_identifier_uri).hostname
    return sector_of(redirects)


def _to_list(redirects: tuple[str, ...], jwks_uri: str | None, options: ClientOptions) -> tuple[str, ...]:
    """What ties a client to a sector: its redirect addresses (Registration §5), else an address it is found at
    (CIBA Core §4). An empty list would stand in any document of anybody."""
    found = [uri for uri in (jwks_uri, options.backchannel_client_notification_endpoint) if uri is not None]
    return redirects or tuple(found[:1])


def _shapes(metadata: Mapping[str, Any], server: Mapping[str, Any]) -> dict[str, Any]:
    # Scopes are checked here by rule: purposes are not listed in the server's metadata.
    against = {name: value for name, value in server.items() if name != "scopes_supported"}
    # So are redirect addresses: the library knows no private-use schemes.
    shaped = {name: value for name, value in metadata.items() if name not in REDIRECTS}
    try:
        return validated_client_metadata(shaped, against)
    except MetadataRefused as refused:
        raise _refused(refused.field, "does not have a value that is taken here") from None


def _grant_types(
    metadata: Mapping[str, Any], profile: Profile, method: str, redirects: tuple[str, ...]
) -> tuple[str, ...]:
    if method not in profile.auth_methods:
        raise _refused("token_endpoint_auth_method", f"is not allowed in the profile {profile.name}")
    sent = metadata.get("grant_types", ["authorization_code"])
    if not isinstance(sent, list) or any(not isinstance(each, str) for each in sent):
        raise _refused("grant_types", "must be a list of texts")  # the library skips what is empty in any type
    grant_types = tuple(dict.fromkeys(sent))
    if ("authorization_code" in grant_types) != bool(redirects):
        raise _refused("redirect_uris", "and the grant type authorization_code go together")
    if "refresh_token" in grant_types and not _WITHOUT_REDIRECT.union({"authorization_code"}) & set(grant_types):
        raise _refused("grant_types", "refresh_token needs a grant type that a person takes part in")
    if method == "none" and CIBA in grant_types:
        raise _refused("grant_types", "CIBA needs a client that authenticates")
    if method == "none" and "client_credentials" in grant_types:
        raise _refused("grant_types", "client_credentials needs a client that authenticates")
    return grant_types


def _scopes(metadata: Mapping[str, Any], grant_types: tuple[str, ...]) -> tuple[str, ...]:
    default = scopes.LOOKUP if set(grant_types) == {"client_credentials"} else scopes.OPENID
    raw = metadata.get("scope", default)
    found = tuple(dict.fromkeys(raw.split())) if isinstance(raw, str) else ()
    if not found or not all(scopes.may_be_registered(scope) for scope in found):
        raise _refused("scope", "holds a scope that does not exist")
    if scopes.LOOKUP in found and "client_credentials" not in grant_types:
        raise _refused("scope", "lookup needs the grant type client_credentials")
    return found


def _jwks(metadata: Mapping[str, Any], profile: Profile) -> dict[str, Any] | None:
    jwks = metadata.get("jwks")
    if jwks is None:
        return None
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not 0 < len(keys) <= MAX_KEYS:
        raise _refused("jwks", f"must be a key set of 1 to {MAX_KEYS} keys")
    signing: list[VerificationKey] = []
    for key in keys:
        if not isinstance(key, dict):
            raise _refused("jwks", "holds something that is no key")
        try:
            import_public(key)
            if is_for_signing(key) and not _serves_otherwise(key):
                signing.append(VerificationKey.from_jwk(key))
        except JoseRefused as refused:
            raise _refused("jwks", refused.reason) from None
    if any(key.alg not in profile.request_object_algs for key in signing):
        raise _refused("jwks", f"signing keys must be for {', '.join(profile.request_object_algs)}")
    if len({key.kid for key in signing}) != len(signing):
        raise _refused("jwks", "names two keys alike")
    return {"keys": keys}


def _serves_otherwise(key: Mapping[str, Any]) -> bool:
    """A key that says of itself, without `use`, that it encrypts or belongs to a certificate (RFC 8705 §2.2.2)."""
    return key.get("alg") in KEY_MANAGEMENT or key.get("crv") == "X25519" or "x5c" in key


def _jwks_uri(metadata: Mapping[str, Any], *, sandbox: bool) -> str | None:
    uri = metadata.get("jwks_uri")
    if uri is not None and not (isinstance(uri, str) and is_registrable(uri, sandbox=sandbox)):
        raise _refused("jwks_uri", "must be an https address")
    return uri


def _assertion_alg(metadata: Mapping[str, Any]) -> str | None:
    named = metadata.get("token_endpoint_auth_signing_alg")
    if named is not None and named not in ASSERTION_ALGORITHMS:
        raise _refused("token_endpoint_auth_signing_alg", f"must be one of {', '.join(ASSERTION_ALGORITHMS)}")
    return named


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

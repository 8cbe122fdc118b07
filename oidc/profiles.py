"""Profiles of clients: a named set of rules, as data. The client's profile decides, no setting can weaken it.

`standard` is for portals with ordinary libraries, `fapi2` (FAPI 2.0 Security Profile) for everything new
that can. A metadata value of a client may only tighten its profile (`Client.requires_par`, `dpop_bound`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

ASSERTION_ALGORITHMS = ("ES256", "PS256", "EdDSA", "Ed25519")
"""RFC 8725 §3.1: no RS256 (PKCS #1 v1.5) and nothing symmetric in what clients sign for us."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a client of this profile must do.

    auth_methods: `token_endpoint_auth_method` values it may register. endpoint_audience: whether a client
    assertion may name the endpoint's URL instead of the issuer. assertion_needs_iat: whether `iat` must be
    there. requires_par: whether requests must be pushed. requires_dpop: whether tokens must be bound.
    """

    name: str
    auth_methods: frozenset[str]
    endpoint_audience: bool
    assertion_needs_iat: bool
    requires_par: bool
    requires_dpop: bool


STANDARD = Profile(
    name="standard",
    # "none" is a native app: it cannot keep a secret, and is held by PKCE and rotating refresh tokens.
    auth_methods=frozenset({"private_key_jwt", "client_secret_basic", "client_secret_post", "none"}),
    # OpenID Connect Core §9 says the token endpoint's URL; libraries of before 2025 do so.
    endpoint_audience=True,
    assertion_needs_iat=False,
    requires_par=False,
    requires_dpop=False,
)

FAPI2 = Profile(
    name="fapi2",
    auth_methods=frozenset({"private_key_jwt"}),
    # FAPI 2.0 §5.3.2.1: the issuer as a single string, against audience injection.
    endpoint_audience=False,
    assertion_needs_iat=True,
    requires_par=True,
    requires_dpop=True,
)

PROFILES: Mapping[str, Profile] = MappingProxyType({each.name: each for each in (STANDARD, FAPI2)})

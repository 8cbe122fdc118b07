"""Profiles of clients: a named set of rules, as data. The client's profile decides, no setting can weaken it.

`fapi2` (FAPI 2.0 Security Profile) is for everything new, `fapi2-message-signing` for those who need signed
requests and answers as evidence, `standard` for portals with ordinary libraries, `openid-core` for the
certification of OpenID Connect Core and for listed legacy clients: it needs a second person's approval.
A metadata value of a client may only tighten its profile (`Client.requires_par`, `dpop_bound`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

ASSERTION_ALGORITHMS = ("ES256", "PS256", "EdDSA", "Ed25519")
"""RFC 8725 §3.1: no RS256 (PKCS #1 v1.5) and nothing symmetric in what clients sign for us."""

REQUEST_OBJECT_ALGORITHMS = (*ASSERTION_ALGORITHMS, "RS256")
"""For request objects RS256 as well (OpenID Connect Discovery §3), of clients of `openid-core` alone."""

SIGNING_ALGORITHMS = ("ES256", "PS256", "EdDSA")
"""What we sign with, the best liked first; RS256 beside them for id_tokens and userinfo outside the FAPI profiles."""

CERTIFICATE_METHODS = frozenset({"tls_client_auth", "self_signed_tls_client_auth"})
SECRET_METHODS = frozenset({"client_secret_basic", "client_secret_post"})


@dataclass(frozen=True, slots=True)
class Profile:
    """What a client of this profile must do.

    auth_methods: `token_endpoint_auth_method` values it may register. endpoint_audience: whether a client
    assertion may name the endpoint's URL instead of the issuer. assertion_needs_iat: whether `iat` must be
    there. requires_par: whether requests must be pushed. requires_pkce: whether a challenge must be sent (one
    that is sent is always verified). requires_bound_tokens: whether access tokens must be bound to a key, by
    DPoP or by a certificate. requires_nonce: whether a DPoP proof to the provider must bear a nonce of ours.
    requires_signed_request: whether requests must be signed objects (RFC 9101).
    strict_request_object: whether a request object needs its times and its client_id (FAPI 2.0 Message Signing
    §5.3.1). request_object_algs: what may sign them. requires_signed_response: whether answers must be asked for as
    JWTs (JARM). id_token_algs: what may sign its id_tokens and, when it asks for them signed, its
    userinfo answers; the default first.
    needs_second_person: whether registering takes two people. takes_apps: whether its clients may have redirect
    addresses of apps on a device (RFC 8252), which other apps there can claim too.
    """

    name: str
    auth_methods: frozenset[str]
    endpoint_audience: bool
    assertion_needs_iat: bool
    requires_par: bool
    requires_pkce: bool
    requires_bound_tokens: bool
    requires_nonce: bool
    requires_signed_request: bool
    strict_request_object: bool
    request_object_algs: tuple[str, ...]
    requires_signed_response: bool
    id_token_algs: tuple[str, ...]
    needs_second_person: bool
    takes_apps: bool


STANDARD = Profile(
    name="standard",
    # "none" is an app or a page in a browser: it cannot keep a secret, and is held by PKCE, a page that asks each
    # time, and refresh tokens that rotate or are bound.
    auth_methods=frozenset({"private_key_jwt", *CERTIFICATE_METHODS, *SECRET_METHODS, "none"}),
    # OpenID Connect Core §9 says the token endpoint's URL; libraries of before 2025 do so.
    endpoint_audience=True,
    assertion_needs_iat=False,
    requires_par=False,
    requires_pkce=True,
    requires_bound_tokens=False,
    requires_nonce=False,
    requires_signed_request=False,
    strict_request_object=False,
    request_object_algs=ASSERTION_ALGORITHMS,
    requires_signed_response=False,
    id_token_algs=(*SIGNING_ALGORITHMS, "RS256"),
    needs_second_person=False,
    takes_apps=True,
)

OPENID_CORE = Profile(
    name="openid-core",
    # RFC 9700 §2.1.1: without PKCE only clients that prove themselves, held by their nonce.
    auth_methods=frozenset({"private_key_jwt", *SECRET_METHODS}),
    endpoint_audience=True,
    assertion_needs_iat=False,
    requires_par=False,
    requires_pkce=False,
    requires_bound_tokens=False,
    requires_nonce=False,
    requires_signed_request=False,
    strict_request_object=False,
    request_object_algs=REQUEST_OBJECT_ALGORITHMS,
    requires_signed_response=False,
    # OpenID Connect Registration §2: the default is RS256, and the modules of the plan rely on it.
    id_token_algs=("RS256", *SIGNING_ALGORITHMS),
    needs_second_person=True,
    takes_apps=False,
)

FAPI2 = Profile(
    name="fapi2",
    auth_methods=frozenset({"private_key_jwt", *CERTIFICATE_METHODS}),
    # FAPI 2.0 §5.3.2.1: the issuer as a single string, against audience injection.
    endpoint_audience=False,
    assertion_needs_iat=True,
    requires_par=True,
    requires_pkce=True,
    requires_bound_tokens=True,
    requires_nonce=False,
    requires_signed_request=False,
    strict_request_object=True,
    request_object_algs=ASSERTION_ALGORITHMS,
    requires_signed_response=False,
    id_token_algs=SIGNING_ALGORITHMS,
    needs_second_person=False,
    takes_apps=False,
)

FAPI2_MESSAGE_SIGNING = Profile(
    name="fapi2-message-signing",
    auth_methods=FAPI2.auth_methods,
    endpoint_audience=False,
    assertion_needs_iat=True,
    requires_par=True,
    requires_pkce=True,
    requires_bound_tokens=True,
    # Its messages are evidence: a proof of possession that was made beforehand is none (RFC 9449 §11.2).
    requires_nonce=True,
    # FAPI 2.0 Message Signing §5.3, §5.4.
    requires_signed_request=True,
    strict_request_object=True,
    request_object_algs=ASSERTION_ALGORITHMS,
    requires_signed_response=True,
    id_token_algs=SIGNING_ALGORITHMS,
    needs_second_person=False,
    takes_apps=False,
)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {each.name: each for each in (FAPI2, FAPI2_MESSAGE_SIGNING, STANDARD, OPENID_CORE)}
)

"""Client metadata: what a profile allows, what is refused with which code (security cases 3, 6, 27, 45)."""

from typing import Any

import pytest

from core.jose import SigningKey
from oidc.errors import OAuthError
from oidc.metadata import provider_metadata
from oidc.profiles import FAPI2, FAPI2_MESSAGE_SIGNING, OPENID_CORE, STANDARD, Profile
from oidc.registration.check import CheckedMetadata, check_metadata

SERVER = provider_metadata("https://id.example", ["full_name", "children"])
KEY = SigningKey.generate("ES256")
JWKS = {"keys": [KEY.public().public_jwk()]}
PORTAL: dict[str, Any] = {
    "client_name": "Cổng dịch vụ công",
    "redirect_uris": ["https://rp.example/cb"],
    "token_endpoint_auth_method": "client_secret_basic",
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid profile purpose:school offline_access",
}


def check(profile: Profile = STANDARD, *, sandbox: bool = False, **changes: Any) -> CheckedMetadata:
    metadata = {**PORTAL, **changes}
    return check_metadata(
        {name: value for name, value in metadata.items() if value is not ...}, profile, SERVER, sandbox=sandbox
    )


def refusal(profile: Profile = STANDARD, **changes: Any) -> str:
    with pytest.raises(OAuthError) as refused:
        check(profile, **changes)
    return refused.value.error


def test_an_ordinary_portal() -> None:
    checked = check()
    assert checked.auth_method == "client_secret_basic"
    assert checked.scopes == ("openid", "profile", "purpose:school", "offline_access")
    assert checked.id_token_alg == "ES256"
    assert checked.sector == "rp.example"
    assert not checked.requires_par
    assert not checked.dpop_bound


def test_a_fapi_client_is_bound_whatever_it_asks_for() -> None:
    checked = check(
        FAPI2,
        token_endpoint_auth_method="private_key_jwt",
        jwks=JWKS,
        dpop_bound_access_tokens=False,
        require_pushed_authorization_requests=False,
    )
    assert checked.dpop_bound
    assert checked.requires_par


@pytest.mark.parametrize("what", ["id_token", "userinfo", "introspection", "authorization"])
@pytest.mark.parametrize("profile", [FAPI2, FAPI2_MESSAGE_SIGNING])
def test_nothing_is_signed_for_a_fapi_client_by_rs256(profile: Profile, what: str) -> None:  # FAPI 2.0 §5.4.1
    named = {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS, f"{what}_signed_response_alg": "RS256"}
    assert refusal(profile, **named) == "invalid_client_metadata"


@pytest.mark.parametrize("profile", [STANDARD, OPENID_CORE])
def test_userinfo_is_signed_as_id_tokens_are(profile: Profile) -> None:
    checked = check(profile, id_token_signed_response_alg="RS256", userinfo_signed_response_alg="RS256")
    assert (checked.id_token_alg, checked.options.userinfo_signed_response_alg) == ("RS256", "RS256")


def test_a_back_end_gets_bound_tokens_by_default() -> None:
    back_end: dict[str, Any] = {
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": JWKS,
        "redirect_uris": ...,
        "grant_types": ["client_credentials"],
        "scope": ...,
    }
    assert check(**back_end).dpop_bound
    assert check(**back_end).scopes == ("lookup",)
    # The lookup API takes bound tokens only, whatever a client registered (tests/flows/test_lookup.py).
    assert not check(**back_end, dpop_bound_access_tokens=False).dpop_bound


@pytest.mark.parametrize(
    "uris",
    [
        ["https://rp.example/cb#frag"],
        ["javascript:alert(1)"],
        ["data:text/html,x"],
        ["https://rp.example@evil.test/"],
        ["http://rp.example/cb"],
        "https://rp.example/cb",
        [1],
        ["https://rp.example/cb"] * 2 + [f"https://rp.example/{n}" for n in range(20)],
    ],
)
@pytest.mark.parametrize("member", ["redirect_uris", "post_logout_redirect_uris"])
def test_odd_redirect_addresses(member: str, uris: Any) -> None:
    assert refusal(**{member: uris}) == "invalid_redirect_uri"


@pytest.mark.parametrize("member", ["client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri"])
@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "JAVASCRIPT:x", "http://rp.example/", 5])
def test_links_that_could_run_a_script(member: str, link: Any) -> None:
    assert refusal(**{member: link}) == "invalid_client_metadata"


@pytest.mark.parametrize(
    "changes",
    [
        {"jwks_uri": "http://169.254.169.254/keys"},  # nothing is fetched, so no address is taken
        {"request_uris": ["https://rp.example/request"]},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [KEY.private_jwk()]}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": JWKS["keys"] * 2}},
        {"token_endpoint_auth_signing_alg": "HS256"},
        {"token_endpoint_auth_signing_alg": "none"},
        {"token_endpoint_auth_signing_alg": "RS256"},
        {"id_token_signed_response_alg": "none"},
        {"id_token_signed_response_alg": "HS256"},
        {"id_token_encrypted_response_alg": "RSA-OAEP"},
        {"subject_type": "public"},
        {"grant_types": ["implicit"]},
        {"grant_types": ["password"]},
        {"grant_types": 5},
        {"response_types": 5},
        {"token_endpoint_auth_method": ["none"]},
        {"grant_types": ["client_credentials"]},  # with redirect addresses
        {"response_types": ["token"]},
        {"response_types": ["code id_token"]},
        {"redirect_uris": ...},
        {"redirect_uris": []},
        {"token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "client_credentials"]},
        {"scope": "openid admin"},
        {"scope": "openid purpose:"},
        {"scope": "openid lookup"},
        {"client_name": ...},
        {"client_name": "x" * 121},
        {"client_name": "two\nlines"},
        {"default_acr_values": ["phr"]},
        {"default_max_age": -1},
        {"dpop_bound_access_tokens": "yes"},
    ],
)
def test_what_is_not_offered_is_refused(changes: dict[str, Any]) -> None:
    assert refusal(**changes) == "invalid_client_metadata"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_a_fapi_client_needs_a_key(method: str) -> None:
    assert refusal(FAPI2, token_endpoint_auth_method=method) == "invalid_client_metadata"


def test_unknown_members_are_ignored() -> None:
    assert check(privileged=True, first_party=True) == check()


def test_the_sandbox_takes_the_loopback_host() -> None:
    uris = ["http://localhost:8001/callback"]
    assert check(redirect_uris=uris, sandbox=True).redirect_uris == tuple(uris)
    assert refusal(redirect_uris=uris) == "invalid_redirect_uri"


APP: dict[str, Any] = {
    "application_type": "native",
    "token_endpoint_auth_method": "none",
    "redirect_uris": ["com.example.app:/cb", "http://127.0.0.1/cb", "http://[::1]/cb", "https://app.example/cb"],
    "post_logout_redirect_uris": ["com.example.app:/out", "https://app.example/out"],
}


@pytest.mark.parametrize("sandbox", [True, False])
@pytest.mark.parametrize(
    "changes", [{}, {"application_type": ...}, {"token_endpoint_auth_method": "client_secret_post"}]
)
def test_an_app_has_its_three_kinds_of_addresses_in_every_mode(changes: dict[str, Any], *, sandbox: bool) -> None:
    """RFC 8252 §7; also one that registers itself and gets a secret of its own (§8.4)."""
    checked = check(sandbox=sandbox, **{**APP, **changes})
    assert checked.redirect_uris == tuple(APP["redirect_uris"])
    assert checked.post_logout_redirect_uris == tuple(APP["post_logout_redirect_uris"])
    assert checked.details["application_type"] == "native"
    assert checked.sector == "app.example"  # its own addresses name nobody's host
    assert check(**{**APP, "redirect_uris": APP["redirect_uris"][:3]}).sector is None


@pytest.mark.parametrize("uri", APP["redirect_uris"][:3])
@pytest.mark.parametrize(
    ("profile", "changes"),
    [
        (STANDARD, {"application_type": "web"}),
        (STANDARD, {"application_type": "web", "token_endpoint_auth_method": "client_secret_post"}),
        (STANDARD, {"application_type": ..., "token_endpoint_auth_method": "client_secret_post"}),
        (OPENID_CORE, {"token_endpoint_auth_method": "client_secret_post"}),
        (FAPI2, {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS}),
        (FAPI2_MESSAGE_SIGNING, {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS}),
    ],
)
def test_whoever_is_no_app_has_none_of_its_addresses(profile: Profile, changes: dict[str, Any], uri: str) -> None:
    assert check(profile, **{**APP, **changes, **HTTPS}).redirect_uris == ("https://app.example/cb",)
    assert refusal(profile, **{**APP, **changes, **HTTPS, "redirect_uris": [uri]}) == "invalid_redirect_uri"


HTTPS = {"redirect_uris": ["https://app.example/cb"], "post_logout_redirect_uris": []}


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uris": ["myapp:/cb"]},
        {"redirect_uris": ["com.example.app:/cb#x"]},
        {"redirect_uris": ["http://localhost/cb"]},  # §8.3
        {"redirect_uris": ["http://rp.example/cb"]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"post_logout_redirect_uris": ["myapp:/out"]},
        {"post_logout_redirect_uris": ["http://127.0.0.1/out"]},  # RP-Initiated Logout §2
    ],
)
def test_odd_addresses_of_an_app(changes: dict[str, Any]) -> None:
    assert refusal(**{**APP, **changes}) == "invalid_redirect_uri"


SECTOR = "https://sector.example/list.json"
KIOSK: dict[str, Any] = {
    "redirect_uris": ...,
    "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"],
    "response_types": [],
    "sector_identifier_uri": SECTOR,
}


def test_what_a_sectors_document_has_to_list() -> None:
    assert check().sector_document is None
    portal = check(sector_identifier_uri=SECTOR, jwks_uri="https://rp.example/keys").sector_document
    assert portal is not None
    assert (portal.uri, portal.addresses) == (SECTOR, ("https://rp.example/cb",))
    kiosk = check(**KIOSK, jwks_uri="https://kiosk.example/keys")
    assert kiosk.sector == "sector.example"
    assert kiosk.sector_document is not None
    assert kiosk.sector_document.addresses == ("https://kiosk.example/keys",)


def test_without_an_address_no_document_stands_for_a_client() -> None:
    """An empty list is in every document: anybody's sector could be had."""
    assert refusal(**KIOSK) == "invalid_client_metadata"
    assert refusal(**KIOSK, jwks=JWKS) == "invalid_client_metadata"

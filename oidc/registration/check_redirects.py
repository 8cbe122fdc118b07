"""Redirect and post-logout addresses of a client, by what kind of thing it is: a web service, or an app. Pure."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from oidc.errors import OAuthError
from oidc.profiles import Profile
from oidc.redirect_uris import is_app_address, is_private_use, is_registrable

REDIRECTS = ("redirect_uris", "post_logout_redirect_uris")
MAX_URIS = 20
_OF_THE_ANSWER = frozenset({"code", "state", "iss", "error", "error_description", "response"})
"""What we add to a redirect address; RFC 6749 §3.1: no parameter twice, RFC 9207 §4: no second issuer."""


def is_app(metadata: Mapping[str, Any], profile: Profile) -> bool:
    """Whether it may register addresses of an app (RFC 8252 §7). Only in profiles that know apps, PKCE always."""
    return profile.takes_apps and application_type(metadata) == "native"


def application_type(metadata: Mapping[str, Any]) -> object:
    """As it was sent. OpenID Connect Registration §2: the default is web; a client without authentication lives on a
    device."""
    default = "native" if metadata.get("token_endpoint_auth_method") == "none" else "web"
    return metadata.get("application_type") or default


def redirect_uris(metadata: Mapping[str, Any], *, app: bool, sandbox: bool) -> tuple[str, ...]:
    """https for everybody; for apps private-use schemes and listeners on this machine too. Raises OAuthError
    invalid_redirect_uri."""
    found = _addresses(metadata, "redirect_uris", lambda uri: app and is_app_address(uri), sandbox=sandbox)
    if any(not _OF_THE_ANSWER.isdisjoint(_parameters_of(uri)) for uri in found):
        raise OAuthError(
            "invalid_redirect_uri", f"redirect_uris must not have {', '.join(sorted(_OF_THE_ANSWER))} in their query."
        )
    return found


def post_logout_redirect_uris(metadata: Mapping[str, Any], *, app: bool, sandbox: bool) -> tuple[str, ...]:
    """https for everybody; for apps private-use schemes too. Raises OAuthError invalid_redirect_uri.

    No listeners: RP-Initiated Logout §2 knows plain http for confidential clients alone, and compares ports as well.
    """
    return _addresses(metadata, "post_logout_redirect_uris", lambda uri: app and is_private_use(uri), sandbox=sandbox)


def _addresses(
    metadata: Mapping[str, Any], name: str, is_own: Callable[[str], bool], *, sandbox: bool
) -> tuple[str, ...]:
    found = metadata.get(name, [])
    if not isinstance(found, list) or len(found) > MAX_URIS:
        raise _refused(name)
    if any(not isinstance(uri, str) or not (is_registrable(uri, sandbox=sandbox) or is_own(uri)) for uri in found):
        raise _refused(name)
    return tuple(dict.fromkeys(found))


def _parameters_of(uri: str) -> frozenset[str]:
    return frozenset(unquote_plus(field.partition("=")[0]) for field in urlsplit(uri).query.split("&"))


def _refused(name: str) -> OAuthError:
    return OAuthError(
        "invalid_redirect_uri",
        f"{name} must be a list of at most {MAX_URIS} https addresses without fragment, user or odd characters; "
        "apps (application_type native, profile standard) may also have com.example.app:/path and, to sign in, "
        "http://127.0.0.1/path or http://[::1]/path.",
    )

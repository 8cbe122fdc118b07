"""Resource indicators (RFC 8707): which audiences a person's tokens may have, and which one a token gets. Pure.

Userinfo for everybody; the lookup API where `authorization_details` were asked for as well. A token has one
audience, so that what one resource server sees opens nothing at another.
"""

from collections.abc import Sequence

from oidc.audiences import lookup_audience, userinfo_audience
from oidc.errors import OAuthError


def joined(values: Sequence[str]) -> str:
    """Several values of `resource` as one text with spaces between.

    An address holds no space (RFC 3986); one that does is kept apart by its escape, and is then none of ours.
    """
    return " ".join(value.replace(" ", "%20") for value in values if value)


def asked_resources(raw: str | None, *, issuer: str, with_lookup: bool) -> tuple[str, ...]:
    """The resources of a request, each once, in order. with_lookup: whether it has something to look up.

    Raises OAuthError invalid_target for what we give no token for.
    """
    asked = tuple(dict.fromkeys((raw or "").split(" "))) if raw else ()
    if lookup_audience(issuer) in asked and not with_lookup:
        raise invalid_target("A person's token for the lookup API needs authorization_details.")
    if not set(asked) <= {userinfo_audience(issuer), lookup_audience(issuer)}:
        raise invalid_target("A token for a person is given for userinfo, or with authorization_details for lookups.")
    return asked


def token_audience(granted: Sequence[str], asked: str | None, *, issuer: str) -> str:
    """The one audience of a token. granted: what the grant holds; nothing means userinfo. asked: at the token
    endpoint; without it the first granted one. Raises OAuthError invalid_target for one that is not granted."""
    open_to = tuple(granted) or (userinfo_audience(issuer),)
    if asked is None:
        return open_to[0]
    if asked not in open_to:
        raise invalid_target("resource is not one that was asked for in the authorization request.")
    return asked


def invalid_target(description: str) -> OAuthError:
    return OAuthError("invalid_target", description)

"""Requests by reference or by value: pushed ones yes (RFC 9126), others not yet (RFC 9101)."""

from oidc.authorize.asking import Asking
from oidc.errors import OAuthError, invalid_request
from oidc.pushed import URI_PREFIX


def refuse_nested_request_uri(asking: Asking) -> None:
    """A pushed request cannot point to another (RFC 9126 §2.1)."""
    if "request_uri" in asking.params:
        raise invalid_request("request_uri must not be pushed.")


async def load_pushed_request(asking: Asking) -> None:
    """Replaces the parameters by those the same client pushed; whatever else stands in the URL is not read.

    It may be opened again until the sign-in is done, never after (FAPI 2.0 §5.3.2.2).
    """
    uri = asking.params.get("request_uri", "")
    if not uri.startswith(URI_PREFIX):
        return
    params = await asking.pushed.find(uri, asking.client.client_id)
    if params is None:
        raise OAuthError("invalid_request_uri", "The request_uri is unknown, expired, used, or another client's.")
    asking.params = params
    asking.pushed_uri = uri


def refuse_foreign_request_uri(asking: Asking) -> None:
    """Nothing is fetched from an address in a request: no request forgery by the server."""
    if "request_uri" in asking.params:
        raise OAuthError("request_uri_not_supported", "Push the request to the PAR endpoint instead.")


def refuse_request_object(asking: Asking) -> None:
    """Signed request objects come with the message-signing profile."""
    if "request" in asking.params:
        raise OAuthError("request_not_supported", "Push the request to the PAR endpoint instead.")
    if "registration" in asking.params:
        raise OAuthError("registration_not_supported", "Clients are registered by their agency.")


def require_pushed_request(asking: Asking) -> None:
    """A client whose profile demands PAR cannot ask in the open."""
    if asking.client.requires_par and asking.pushed_uri is None:
        raise invalid_request("This client must push its request to the PAR endpoint first.")

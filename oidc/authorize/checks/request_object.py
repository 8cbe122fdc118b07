"""Requests by reference or by value: pushed ones (RFC 9126) and signed ones (RFC 9101)."""

from oidc.authorize.asking import Asking
from oidc.errors import OAuthError, invalid_request
from oidc.pushed import URI_PREFIX
from oidc.request_objects import claimed_kid, keys_for_rs256, verify_request_object

_BESIDE = ("response_type", "scope")
"""OpenID Connect Core §6.1 wants these beside the object, and allows to leave them out of it."""


def refuse_nested_request_uri(asking: Asking) -> None:
    """A pushed request cannot point to another (RFC 9126 §2.1)."""
    if "request_uri" in asking.params:
        raise invalid_request("request_uri must not be pushed.")


def refuse_two_requests(asking: Asking) -> None:
    """By value or by reference, not both (RFC 9101 §5)."""
    if "request" in asking.params and "request_uri" in asking.params:
        raise invalid_request("request and request_uri exclude each other.")


async def load_pushed_request(asking: Asking) -> None:
    """Replaces the parameters by those the same client pushed; whatever else stands in the URL is not read.

    It may be opened again until the sign-in is done, never after (FAPI 2.0 §5.3.2.2).
    """
    uri = asking.params.get("request_uri", "")
    if not uri.startswith(URI_PREFIX):
        return
    pushed = await asking.pushed.find(uri, asking.client.client_id)
    if pushed is None:
        raise OAuthError("invalid_request_uri", "The request_uri is unknown, expired, used, or another client's.")
    asking.again(pushed)
    asking.pushed_uri = uri


async def load_request_object(asking: Asking) -> None:
    """Replaces the parameters by those of a signed object; what stands beside it is not read (RFC 9101 §5).

    It comes before the redirect address is looked at: an object that does not hold proves no address, so its
    error goes nowhere. Only where OpenID Connect Core §6.1 may be followed (by value, and not by a client that
    must sign) the response_type and scope beside it stand in for missing ones, and the two must agree.
    """
    unverified_jwt = asking.params.get("request")
    if unverified_jwt is None:
        return
    if asking.client_keys is None:
        raise OAuthError("request_not_supported", "This endpoint takes no request object.")
    client, outside = asking.client, asking.params
    keys = await asking.client_keys.verification(client, kid=claimed_kid(unverified_jwt))
    if "RS256" in client.profile.request_object_algs:
        keys = (*keys, *keys_for_rs256(unverified_jwt, await asking.client_keys.key_set(client)))
    inside = verify_request_object(unverified_jwt, client, keys, issuer=asking.issuer, now=asking.now)
    if asking.endpoint == "authorize" and not must_sign(asking):
        if inside.get("response_type", outside.get("response_type")) != outside.get("response_type", "code"):
            raise invalid_request("response_type is another one inside the request object than outside.")
        inside = {**{name: outside[name] for name in _BESIDE if name in outside}, **inside}
    asking.params = {**inside, "client_id": client.client_id}
    asking.signed = True


def refuse_foreign_request_uri(asking: Asking) -> None:
    """Nothing is fetched from an address in a request: no request forgery by the server."""
    if "request_uri" in asking.params:
        raise OAuthError("request_uri_not_supported", "Push the request to the PAR endpoint instead.")


def refuse_registration(asking: Asking) -> None:
    """No client describes itself in a request (OpenID Connect Core §7.2.1)."""
    if "registration" in asking.params:
        raise OAuthError("registration_not_supported", "Clients are registered by their agency.")


def must_sign(asking: Asking) -> bool:
    """Whether the client's requests must be signed objects: by its profile, or by its own wish (RFC 9101 §10.5)."""
    return asking.client.profile.requires_signed_request or asking.client.options.require_signed_request_object


def require_signed_request(asking: Asking) -> None:
    """A client that signs its requests is not asked for by others with bare parameters."""
    if must_sign(asking) and not asking.signed:
        raise invalid_request("This client must send its request as a signed request object.")


def require_pushed_request(asking: Asking) -> None:
    """A client whose profile demands PAR cannot ask in the open."""
    if asking.client.requires_par and asking.pushed_uri is None:
        raise invalid_request("This client must push its request to the PAR endpoint first.")

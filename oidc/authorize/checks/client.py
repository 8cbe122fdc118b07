"""Who asks."""

from oidc.authorize.asking import Asking
from oidc.errors import OAuthError, invalid_request


async def check_client(asking: Asking) -> None:
    """The client exists and is not suspended. Nothing tells the two apart."""
    client_id = asking.params.get("client_id")
    if client_id is None:
        raise invalid_request("The parameter client_id is missing.")
    client = await asking.clients.get(client_id)
    if client is None or not client.active:
        raise OAuthError("invalid_client", "The client is not known here.")
    asking.known_client = client


def check_authenticated_client(asking: Asking) -> None:
    """A pushed request is the authenticated client's own (RFC 9126 §2.1)."""
    if asking.params.get("client_id", asking.client.client_id) != asking.client.client_id:
        raise invalid_request("client_id is not the one that authenticates.")
    asking.params["client_id"] = asking.client.client_id

"""What is to come back."""

from oidc.authorize.asking import Asking
from oidc.errors import OAuthError, invalid_request


def check_response_type(asking: Asking) -> None:
    """`code` and nothing else: no token ever travels through a browser's address (RFC 9700 §2.1.2)."""
    if "response_type" not in asking.params:
        raise invalid_request("The parameter response_type is missing.")
    if asking.params["response_type"] != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code.")


def check_grant_type(asking: Asking) -> None:
    """The client is registered for the code flow."""
    if "authorization_code" not in asking.client.grant_types:
        raise OAuthError("unauthorized_client", "The client is not registered for authorization_code.")


def check_nonce(asking: Asking) -> None:
    """Kept as it is, for the id_token."""
    asking.nonce = asking.params.get("nonce")

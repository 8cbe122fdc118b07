"""Where the answer goes."""

from dataclasses import replace

from oidc.authorize.asking import Asking, Target
from oidc.errors import invalid_request
from oidc.redirect_uris import matches

RESPONSE_MODES = ("query", "form_post")


def check_redirect_uri(asking: Asking) -> None:
    """Present, and one of the registered ones, character by character (RFC 9700 §2.1).

    It is always required, also of clients with one address: the token request repeats it.
    """
    asked = asking.params.get("redirect_uri")
    if asked is None:
        raise invalid_request("The parameter redirect_uri is missing.")
    if not matches(asked, asking.client.redirect_uris):
        raise invalid_request("The redirect_uri is not registered for this client.")
    asking.target = Target(asked, state=asking.params.get("state"))


def check_response_mode(asking: Asking) -> None:
    """`query` unless `form_post` is asked for."""
    mode = asking.params.get("response_mode", "query")
    if mode not in RESPONSE_MODES:
        raise invalid_request("response_mode must be query or form_post.")
    asking.target = replace(asking.answer_to, response_mode=mode)

"""Where the answer goes."""

from dataclasses import replace

from oidc.authorize.asking import Asking, Target
from oidc.errors import invalid_request
from oidc.redirect_uris import matches

PLAIN_MODES = ("query", "form_post")
JWT_MODES = ("jwt", "query.jwt", "form_post.jwt")
"""JARM §2.3; nothing goes into a fragment, since only codes are given (OAuth 2.0 Multiple Response Types §2.1)."""
RESPONSE_MODES = (*PLAIN_MODES, *JWT_MODES)


def check_redirect_uri(asking: Asking) -> None:
    """Present, and one of the registered ones, character by character (RFC 9700 §2.1) but for a listener's port.

    It is always required, also of clients with one address: the token request repeats it.
    """
    asked = asking.params.get("redirect_uri")
    if asked is None:
        raise invalid_request("The parameter redirect_uri is missing.")
    if not matches(asked, asking.client.redirect_uris):
        raise invalid_request("The redirect_uri is not registered for this client.")
    # Whoever must be answered in signed form is told so even of what is wrong with the rest.
    mode = "jwt" if asking.client.profile.requires_signed_response else "query"
    asking.target = Target(asking.client, asked, mode, asking.params.get("state"))


def check_response_mode(asking: Asking) -> None:
    """`query` unless another is asked for; a JWT for those who must be answered so (JARM)."""
    mode = asking.params.get("response_mode", "query")
    if mode not in RESPONSE_MODES:
        raise invalid_request(f"response_mode must be one of {', '.join(RESPONSE_MODES)}.")
    if asking.client.profile.requires_signed_response and mode not in JWT_MODES:
        raise invalid_request(f"This client must ask for a signed answer: response_mode {', '.join(JWT_MODES)}.")
    asking.target = replace(asking.answer_to, response_mode=mode)

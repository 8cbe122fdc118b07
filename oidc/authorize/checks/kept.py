"""What of a request is kept until the person has signed in and answered: what a check reads, and not too much of it.

Whoever asks in the open has proved nothing, and the cache holds every request for half an hour.
"""

from collections.abc import Mapping
from types import MappingProxyType

import orjson

from oidc import authorization_details, claims_parameter, redirect_uris
from oidc.authorize.asking import Asking
from oidc.errors import invalid_request

LONGEST: Mapping[str, int] = MappingProxyType(
    {
        "client_id": 100,
        "redirect_uri": redirect_uris.MAX_LENGTH,
        "response_type": 20,
        "response_mode": 20,
        "state": 2048,
        "nonce": 2048,
        "code_challenge": 43,
        "code_challenge_method": 4,
        "dpop_jkt": 43,
        "scope": 3072,
        "claims": claims_parameter.MAX_LENGTH,
        "authorization_details": authorization_details.MAX_LENGTH,
        "resource": 1024,
        "acr_values": 1024,
        "prompt": 100,
        "max_age": 10,
        "ui_locales": 100,
    }
)
"""Every parameter that is still read after the checks, with its greatest length in characters."""
READ = frozenset({*LONGEST, "id_token_hint", "registration", "request", "request_uri"})
"""And those that a check replaces or refuses. All others are ignored (OpenID Connect Core §3.1.2.1)."""
MAX_BYTES = 8192
"""Of all parameters together, as they lie in the cache."""


def check_state(asking: Asking) -> None:
    """Before the redirect address is proven: every answer there would have to carry it."""
    _check_length(asking, "state")


def check_lengths(asking: Asking) -> None:
    """Each parameter by itself, and all that is kept of them together."""
    kept = {name: value for name, value in asking.params.items() if name in LONGEST}
    for name in kept:
        _check_length(asking, name)
    if len(orjson.dumps([kept, asking.hint_subject])) > MAX_BYTES:
        raise invalid_request(f"The request is larger than {MAX_BYTES} bytes.")


def drop_what_is_not_read(asking: Asking) -> None:
    """Taken without complaint, and forgotten: parameters that we do not know, secrets that were sent by mistake, a
    login_hint, which would be a personal number (OpenID Connect Core §3.1.2.1 leaves its use to us)."""
    asking.params = {name: value for name, value in asking.params.items() if name in LONGEST}


def _check_length(asking: Asking, name: str) -> None:
    if len(asking.params.get(name, "")) > LONGEST[name]:
        raise invalid_request(f"{name} is longer than {LONGEST[name]} characters.")

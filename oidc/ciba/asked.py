"""A backchannel authentication request while it is being checked, and the checks, as a list. Pure but for finding
the person, which is the endpoint's last step.

The checks that authorization requests have as well are theirs (oidc/authorize/checks).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from oidc.asked_elsewhere import LASTING
from oidc.authorize.asking import Asking
from oidc.clients import Client
from oidc.errors import OAuthError, invalid_request
from oidc.registration.check_options import CIBA

DEFAULT_LIFETIME_SECONDS = 600
MAX_LIFETIME_SECONDS = 1800
PING = "ping"
MAX_BINDING_MESSAGE = 64
MAX_NOTIFICATION_TOKEN = 1024
MIN_NOTIFICATION_TOKEN = 22
"""§7.1: 128 bits of randomness at the least; in the characters of a bearer token that is 22."""

HINTS = ("login_hint", "id_token_hint", "login_hint_token")
KNOWN = frozenset(
    {
        *HINTS,
        *LASTING,
        "client_notification_token",
        "binding_message",
        "user_code",
        "requested_expiry",
    }
)
_KEPT = LASTING | {"binding_message"}
"""What the person's page and the walk need. A hint is not kept: it may be a personal number."""
_BEARER = re.compile(r"[A-Za-z0-9\-._~+/]+=*", re.ASCII)
_LETTERS = ("L", "N", "P", "S")


@dataclass(frozen=True, slots=True)
class Hint:
    """Who is meant."""

    kind: Literal["login_hint", "id_token_hint"]
    value: str

    def __repr__(self) -> str:
        return f"Hint({self.kind!r}, …)"


def check_grant_type(client: Client) -> None:
    """Registered for it, and able to prove itself."""
    if CIBA not in client.grant_types or client.public:
        raise OAuthError("unauthorized_client", "The client is not registered for this grant type.")


def read_hint(params: Mapping[str, str]) -> Hint:
    """Exactly one (§7.1), of a kind that is understood here."""
    sent = [name for name in HINTS if name in params]
    if len(sent) != 1:
        raise invalid_request("Exactly one of login_hint and id_token_hint is needed.")
    if sent[0] == "login_hint_token":
        raise invalid_request("login_hint_token is not supported here: send login_hint or id_token_hint.")
    return Hint("login_hint" if sent[0] == "login_hint" else "id_token_hint", params[sent[0]])


def check_binding_message(asking: Asking) -> None:
    """A short text that can be read on a small screen: letters, digits, marks, single spaces. FAPI clients send one
    (FAPI-CIBA §5.2.2): comparing it is what ties this screen to that desk."""
    message = asking.params.get("binding_message")
    if message is None:
        if asking.client.profile.strict_request_object:
            raise _bad_message("is needed from this client")
        return
    message = unicodedata.normalize("NFC", message)
    if not message.strip() or len(message) > MAX_BINDING_MESSAGE:
        raise _bad_message(f"must have 1 to {MAX_BINDING_MESSAGE} characters")
    if any(char != " " and unicodedata.category(char)[0] not in _LETTERS for char in message):
        raise _bad_message("must be of letters, digits, punctuation and spaces")
    asking.params["binding_message"] = message


def requested_lifetime(params: Mapping[str, str]) -> int:
    """Seconds; what is asked beyond the most we give is cut to that (§7.1)."""
    raw = params.get("requested_expiry")
    if raw is None:
        return DEFAULT_LIFETIME_SECONDS
    if not (raw.isascii() and raw.isdigit()) or len(raw) > 10 or int(raw) == 0:
        raise invalid_request("requested_expiry must be a positive number of seconds.")
    return min(int(raw), MAX_LIFETIME_SECONDS)


def notification_token(client: Client, params: Mapping[str, str]) -> str | None:
    """The token we show when we ping; needed by ping clients, of no use to others (§7.1)."""
    if client.options.backchannel_token_delivery_mode != PING:
        return None
    token = params.get("client_notification_token")
    if token is None:
        raise invalid_request("The parameter client_notification_token is missing.")
    if not MIN_NOTIFICATION_TOKEN <= len(token) <= MAX_NOTIFICATION_TOKEN or _BEARER.fullmatch(token) is None:
        raise invalid_request(
            f"client_notification_token must be a bearer token of {MIN_NOTIFICATION_TOKEN} to "
            f"{MAX_NOTIFICATION_TOKEN} characters."
        )
    return token


def kept(params: Mapping[str, str]) -> dict[str, str]:
    """The parameters that are stored."""
    return {name: value for name, value in params.items() if name in _KEPT}


def _bad_message(why: str) -> OAuthError:
    return OAuthError("invalid_binding_message", f"binding_message {why}.")

"""What the form of a client offers: profiles, ways to authenticate, uses, data. Texts in English; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consent.api import Purpose
from oidc.claims import SCOPE_FIELDS
from oidc.registration.limits import Held
from oidc.registration.register import DEFAULT_PURPOSE
from oidc.scopes import CLAIM_SCOPES, PURPOSE_PREFIX


@dataclass(frozen=True, slots=True)
class Choice:
    """One possibility. label, hint: English msgids, unless own: then texts in the reader's language already."""

    value: str
    label: str
    hint: str = ""
    own: bool = False


PROFILES = (
    Choice("fapi2", "FAPI 2.0", "For everything new: pushed requests, keys in the place of secrets, bound tokens."),
    Choice(
        "fapi2-message-signing",
        "FAPI 2.0 with message signing",
        "As above, and every request and answer is signed: for those who need evidence.",
    ),
    Choice("standard", "Standard", "For portals with ordinary OpenID Connect libraries; PKCE is needed."),
    Choice(
        "openid-core",
        "OpenID Connect Core",
        "For certification, and for old systems that cannot do PKCE. Weaker: it is marked on every page.",
    ),
)
AUTH_METHODS = (
    Choice("private_key_jwt", "Signed assertion (private_key_jwt)", "The client signs with a key that only it has."),
    Choice("tls_client_auth", "Certificate of an authority (tls_client_auth)"),
    Choice("self_signed_tls_client_auth", "Certificate of its own (self_signed_tls_client_auth)"),
    Choice("client_secret_basic", "Secret in the header (client_secret_basic)"),
    Choice("client_secret_post", "Secret in the form (client_secret_post)"),
    Choice("none", "None: an app or a page in the browser", "It cannot keep a secret and is held by PKCE."),
)
USES = (
    Choice("sign-in", "Sign people in"),
    Choice("stay", "Keep people signed in while they are away"),
    Choice("back-end", "Look up data as a back end"),
    Choice("device", "Sign people in at a kiosk", "The person goes on with his own phone."),
    Choice("ciba", "Ask people on their own device", "Needs backchannel_token_delivery_mode below."),
)
CLAIMS: Mapping[str, str] = {
    "profile": "Name, birth date, sex",
    "email": "E-mail address",
    "phone": "Telephone number",
    "address": "Permanent residence",
}


def scope_choices(held: Held, purposes: Mapping[str, Purpose], locale: str) -> Sequence[Choice]:
    """What the agency's policies stand behind: standard data, then its purposes with their titles."""
    own = held.get(DEFAULT_PURPOSE, frozenset())
    claims = [
        Choice(scope, CLAIMS.get(scope, scope)) for scope in CLAIM_SCOPES if own.intersection(SCOPE_FIELDS[scope])
    ]
    named = [
        Choice(PURPOSE_PREFIX + code, purposes[code].texts(locale).title if code in purposes else code, code, own=True)
        for code in sorted(held)
        if code != DEFAULT_PURPOSE
    ]
    return [*claims, *named]

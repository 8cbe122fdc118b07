"""Signed authentication requests (CIBA §7.1.1, FAPI-CIBA §5.2.2): the pure check.

Whoever registered an algorithm for them, and every client of a FAPI profile, sends nothing but signed ones. CIBA has
no error of its own for them: what does not hold is `invalid_request` (§13).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.jose import JoseRefused, VerificationKey, verify_jwt
from oidc.clients import Client
from oidc.errors import OAuthError, invalid_request
from oidc.profiles import ASSERTION_ALGORITHMS
from oidc.replay import Mark
from oidc.request_objects import LEEWAY_SECONDS, OBJECT_TYPES, parameters_of

MAX_LIFETIME_SECONDS = 3600
"""FAPI-CIBA §5.2.2: from `nbf` to `exp`, and how far `nbf` may lie back."""
_MAX_JTI = 256
AUTHENTICATION = frozenset({"client_id", "client_secret", "client_assertion", "client_assertion_type"})
"""What stays beside a signed request: it proves the client, and is no part of what is asked."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request that holds. mark: its single use, still to be claimed."""

    params: Mapping[str, str]
    mark: Mark


def must_sign(client: Client) -> bool:
    """Whether an unsigned request of this client is refused."""
    named = client.options.backchannel_authentication_request_signing_alg
    return named is not None or client.profile.strict_request_object


def refuse_parameters_beside(sent: Mapping[str, str], known: frozenset[str]) -> None:
    """What is asked stands inside the signed request, and only there (§7.1.1). Raises OAuthError."""
    if known & set(sent):
        raise invalid_request("With a signed request, all of its parameters must stand inside.")


def verify_signed_request(
    unverified_jwt: str, client: Client, keys: Sequence[VerificationKey], *, issuer: str, now: datetime
) -> SignedRequest:
    """Checks everything but the single use. Raises OAuthError invalid_request."""
    named = client.options.backchannel_authentication_request_signing_alg
    try:
        verified = verify_jwt(
            unverified_jwt,
            keys,
            algs=ASSERTION_ALGORITHMS if named is None else (named,),
            typ=OBJECT_TYPES,
            issuer=client.client_id,
            audience=issuer,  # §7.1.1: the issuer must be among them
            now=now,
            leeway_seconds=LEEWAY_SECONDS,
            require=("exp", "iat", "nbf", "jti"),
        )
    except JoseRefused as refused:
        raise _refused(refused.reason) from None
    claims = verified.claims
    _check_lifetime(claims, now)
    if claims.get("client_id", client.client_id) != client.client_id:
        raise _refused("client_id is not the client that authenticates")
    if any(name in claims for name in ("request", "request_uri")):
        raise _refused("a request must not hold another")
    jti = claims["jti"]
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI:
        raise _refused(f"jti must be a string of at most {_MAX_JTI} characters")
    ttl_seconds = max(int(claims["exp"] - now.timestamp()), 0) + 2 * LEEWAY_SECONDS + 10
    used = _refused("the jti was used before")
    return SignedRequest(_parameters(claims), Mark("ciba-request", f"{client.client_id}\x1f{jti}", ttl_seconds, used))


def _parameters(claims: Mapping[str, Any]) -> dict[str, str]:
    """As `parameters_of`; numbers become their text, so requested_expiry may be either (§7.1.1)."""
    try:
        return parameters_of(claims)
    except OAuthError as error:
        raise invalid_request(error.description) from None


def _check_lifetime(claims: Mapping[str, Any], now: datetime) -> None:
    if claims["exp"] - claims["nbf"] > MAX_LIFETIME_SECONDS:
        raise _refused("exp lies more than 60 minutes after nbf")
    if now.timestamp() - claims["nbf"] > MAX_LIFETIME_SECONDS:
        raise _refused("nbf lies more than 60 minutes back")


def _refused(reason: str) -> OAuthError:
    return invalid_request(f"Signed request: {reason}.")

"""Client assertions, private_key_jwt (RFC 7523, OpenID Connect Core §9): the pure check."""

from collections.abc import Collection, Sequence
from datetime import datetime

from core.jose import JoseRefused, UnverifiedJwt, VerificationKey, decode_unverified, verify_jwt
from core.record import record
from oidc.clients import Client
from oidc.errors import OAuthError, invalid_client
from oidc.profiles import ASSERTION_ALGORITHMS
from oidc.replay import Mark

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LEEWAY_SECONDS = 30
"""FAPI 2.0 §5.3.2.1: `nbf` 10 seconds ahead must be taken, 60 seconds ahead must not."""
MAX_LIFETIME_SECONDS = 3600
_MAX_JTI = 256


@record
class VerifiedAssertion:
    """An assertion that holds. mark: its single use, still to be claimed."""

    client_id: str
    mark: Mark


def read_assertion(assertion: str) -> tuple[str, UnverifiedJwt]:
    """Who the assertion says it is, only to find the keys; and what it says. Raises OAuthError invalid_client."""
    try:
        unverified = decode_unverified(assertion)
    except JoseRefused:
        raise _refused("client_assertion is not a signed JWT") from None
    issuer = unverified.claims.get("iss")
    if not isinstance(issuer, str) or issuer != unverified.claims.get("sub"):
        raise _refused("iss and sub of the client_assertion must both be the client_id")
    return issuer, unverified


def verify_assertion(
    unverified_jwt: UnverifiedJwt,
    client: Client,
    keys: Sequence[VerificationKey],
    *,
    issuer: str,
    endpoints: Collection[str],
    now: datetime,
) -> VerifiedAssertion:
    """Checks everything but the single use. Raises OAuthError invalid_client.

    endpoints: URLs of the endpoint it was sent to and of the token endpoint; they stand beside the issuer as
    audience where the profile allows.
    """
    algs: Collection[str] = ASSERTION_ALGORITHMS if client.assertion_alg is None else (client.assertion_alg,)
    audiences = {issuer, *endpoints} if client.profile.endpoint_audience else {issuer}
    required = ("exp", "jti", "iat") if client.profile.assertion_needs_iat else ("exp", "jti")
    try:
        verified = verify_jwt(
            unverified_jwt,
            keys,
            algs=algs,
            typ=None,  # RFC 7523 names no type, and libraries send JWT or nothing
            issuer=client.client_id,
            audience=audiences,
            now=now,
            leeway_seconds=LEEWAY_SECONDS,
            require=required,
        )
    except JoseRefused as refused:
        raise _refused(refused.reason) from None
    claims = verified.claims
    if claims.get("sub") != client.client_id:
        raise _refused("sub must be the client_id")
    if not client.profile.endpoint_audience and claims["aud"] != issuer:
        raise _refused("aud must be the issuer as a single string")
    left = int(claims["exp"] - now.timestamp())
    if left > MAX_LIFETIME_SECONDS + LEEWAY_SECONDS:
        raise _refused("exp lies more than an hour ahead")
    jti = claims["jti"]
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI:
        raise _refused("jti must be a string of at most 256 characters")
    # Accepted until exp + leeway by our clock; the mark stays longer than that.
    ttl_seconds = max(left, 0) + 2 * LEEWAY_SECONDS + 10
    used = _refused("the jti was used before")
    return VerifiedAssertion(client.client_id, Mark("assertion", f"{client.client_id}\x1f{jti}", ttl_seconds, used))


def _refused(reason: str) -> OAuthError:
    return invalid_client(f"private_key_jwt: {reason}.")

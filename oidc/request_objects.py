"""Signed request objects (RFC 9101, OpenID Connect Core §6.1, FAPI 2.0 Message Signing §5.3): the pure check.

What the object says replaces what stands beside it. A client assertion is signed with the same keys for the same
audience: it has a `sub`, an object may have none, so neither can be shown as the other (RFC 9101 §10.8).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from core.jose import JoseRefused, VerificationKey, decode_unverified, verify_jwt
from oidc.clients import Client
from oidc.errors import OAuthError
from oidc.resources import joined

OBJECT_TYPES = frozenset({"oauth-authz-req+jwt", "jwt", ""})
"""RFC 9101 §10.8 recommends the first; libraries of before, and the certification of FAPI, send JWT or nothing."""
LEEWAY_SECONDS = 30
"""FAPI 2.0 §5.3.2.1 note: `nbf` 10 seconds ahead must be taken, 60 seconds ahead must not."""
MAX_AGE_SECONDS = 3600
"""FAPI 2.0 Message Signing §5.3.1: how far `nbf` may lie back, and `exp` after it."""

_OF_THE_JWT = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})
_NESTED = ("request", "request_uri")


def claimed_kid(unverified_jwt: str) -> str | None:
    """The key it says it was signed with, only to find that key. Raises OAuthError invalid_request_object."""
    try:
        kid = decode_unverified(unverified_jwt).header.get("kid")
    except JoseRefused:
        raise _refused("request is not a signed JWT") from None
    return kid if isinstance(kid, str) else None


def keys_for_rs256(unverified_jwt: str, key_set: Iterable[Mapping[str, Any]]) -> tuple[VerificationKey, ...]:
    """For an object that says RS256, the RSA keys of the set that name no other algorithm; else none.

    An RSA key without `alg` is one for PS256 elsewhere. Raises OAuthError invalid_request_object.
    """
    try:
        if decode_unverified(unverified_jwt).header.get("alg") != "RS256":
            return ()
        return tuple(
            VerificationKey.from_jwk(key, alg="RS256")
            for key in key_set
            if key.get("kty") == "RSA" and key.get("alg", "RS256") == "RS256" and key.get("use", "sig") == "sig"
        )
    except JoseRefused as refused:
        raise _refused(refused.reason) from None


def verify_request_object(
    unverified_jwt: str, client: Client, keys: Sequence[VerificationKey], *, issuer: str, now: datetime
) -> dict[str, str]:
    """The parameters of an object that holds, as texts. Raises OAuthError invalid_request_object.

    `iss` and `aud` are asked of everybody, so that an object for another server is none for us; the times and
    `client_id` where the profile is strict.
    """
    strict = client.profile.strict_request_object
    named = client.options.request_object_signing_alg
    try:
        verified = verify_jwt(
            unverified_jwt,
            keys,
            algs=client.profile.request_object_algs if named is None else (named,),
            typ=OBJECT_TYPES,
            issuer=client.client_id,
            audience=issuer,  # a list that holds it is taken as well (FAPI 2.0 Message Signing §5.3.1)
            now=now,
            leeway_seconds=LEEWAY_SECONDS,
            require=("exp", "nbf", "iss", "aud", "client_id") if strict else ("iss", "aud"),
        )
    except JoseRefused as refused:
        raise _refused(refused.reason) from None
    claims = verified.claims
    if strict:
        _check_lifetime(claims, now)
    if claims.get("client_id", client.client_id) != client.client_id:
        raise _refused("client_id is another one than outside")
    if "sub" in claims:
        raise _refused("sub has no business in a request object")
    for name in _NESTED:
        if name in claims:
            raise _refused(f"{name} must not stand inside a request object")
    return parameters_of(claims)


def parameters_of(claims: Mapping[str, Any]) -> dict[str, str]:
    """The claims as parameters: texts as they are, all else as its JSON text, null and "" as not sent.

    A list of `resource` becomes what a repeated parameter is (see resources.joined). What a text means is
    for the checks to say: `true` for max_age is refused there. Raises OAuthError invalid_request_object.
    """
    found: dict[str, str] = {}
    for name, value in claims.items():
        if name in _OF_THE_JWT or value is None or value == "":
            continue
        text = _resources(value) if name == "resource" else _text(value)
        if "\x00" in name or "\x00" in text:
            raise _refused("a parameter holds a NUL")
        found[name] = text
    return found


def _check_lifetime(claims: Mapping[str, Any], now: datetime) -> None:
    if claims["exp"] - claims["nbf"] > MAX_AGE_SECONDS:
        raise _refused("exp lies more than 60 minutes after nbf")
    if now.timestamp() - claims["nbf"] > MAX_AGE_SECONDS:
        raise _refused("nbf lies more than 60 minutes back")


def _text(value: Any) -> str:
    """Raises OAuthError invalid_request_object: what was read may be nested deeper than it can be written."""
    try:
        return value if isinstance(value, str) else orjson.dumps(value).decode()
    except TypeError:
        raise _refused("a parameter is nested too deep") from None


def _resources(value: Any) -> str:
    values = value if isinstance(value, list) else [value]
    if any(not isinstance(each, str) for each in values):
        raise _refused("resource must be a text or a list of texts")
    return joined(values)


def _refused(reason: str) -> OAuthError:
    return OAuthError("invalid_request_object", f"Request object: {reason}.")

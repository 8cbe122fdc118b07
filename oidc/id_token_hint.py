"""An id_token that comes back as a hint (authorize, logout): ours, for one client, perhaps expired."""

from dataclasses import dataclass

from core.jose import JoseRefused, VerificationKey, decode_unverified, verify_signature
from oidc.signing_keys import SigningKeys


class HintRefused(Exception):
    """It is not an id_token of ours."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What an id_token of ours said. sid: the session it was issued in, told to some clients only. issued_at: epoch
    seconds."""

    subject: str
    client_id: str
    sid: str | None
    issued_at: int = 0


def signing_key_of(unverified_jwt: str, keys: SigningKeys) -> VerificationKey:
    """The published key that a token of ours names. Raises JoseRefused when it names none."""
    kid = decode_unverified(unverified_jwt).header.get("kid")
    for key in keys.verification_keys():
        if key.kid == kid:
            return key
    raise JoseRefused("no key of ours with that kid")


def read_hint(unverified_jwt: str, keys: SigningKeys, *, issuer: str) -> Hint:
    """Checks signature, type, issuer and shape. Raises HintRefused.

    `exp` is not looked at: a hint says who was meant, it opens nothing (RP-Initiated Logout §2).
    """
    try:
        # Only id_tokens have the type JWT here: an access token is no hint.
        claims = verify_signature(unverified_jwt, signing_key_of(unverified_jwt, keys), typ={"JWT"}).claims
    except JoseRefused:
        raise HintRefused from None
    audience, subject, sid = claims.get("aud"), claims.get("sub"), claims.get("sid")
    if claims.get("iss") != issuer or not isinstance(audience, str) or not isinstance(subject, str):
        raise HintRefused
    issued_at = claims.get("iat")
    return Hint(
        subject,
        audience,
        sid if isinstance(sid, str) else None,
        issued_at if isinstance(issued_at, int) else 0,
    )

"""ID tokens (OpenID Connect Core §2): who signed in, how, when. Never a field of the record."""

from datetime import datetime
from typing import Any

from oidc.authlib_ import half_hash
from oidc.grants import Grant
from oidc.signing_keys import SigningKeys

LIFETIME_SECONDS = 600


async def issue_id_token(
    grant: Grant,
    keys: SigningKeys,
    *,
    issuer: str,
    subject: str,
    alg: str,
    access_token: str,
    now: datetime,
    with_nonce: bool,
    with_sid: bool,
) -> str:
    """A signed id_token. alg: the client's. with_nonce: not at a refresh (§12.2). with_sid: whether the client is
    told of sign-outs, by that name; to the others it would only say which of their tokens share a browser."""
    issued_at = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": subject,
        "aud": grant.client_id,
        "iat": issued_at,
        "exp": issued_at + LIFETIME_SECONDS,
        "auth_time": int(grant.auth_time.timestamp()),
        "acr": grant.acr,
        "amr": list(grant.amr),
        "at_hash": half_hash(access_token, alg),
    }
    if with_sid and grant.sid is not None:  # a grant that was allowed on another device has no session of its own
        claims["sid"] = grant.sid
    if with_nonce and grant.nonce is not None:
        claims["nonce"] = grant.nonce
    # "JWT" tells it apart from access tokens, proofs and logout tokens (RFC 8725 §3.11).
    return await keys.sign(alg, claims, typ="JWT")

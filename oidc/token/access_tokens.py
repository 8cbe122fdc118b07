"""Access tokens (RFC 9068): signed by us, for one audience, short-lived, named by their grant."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from core.ids import new_reference
from core.record import record
from core.token import TOKEN_TYPE
from oidc.audiences import userinfo_audience
from oidc.scopes import of_use
from oidc.signing_keys import SigningKeys

LIFETIME_SECONDS = 600
ALGORITHM = "ES256"
"""Of what we sign for nobody in particular; a client may have chosen another for its tokens."""


@record
class AccessTokenAsk:
    """What a token is to say. jkt: the key it is bound to (RFC 9449 §6.1). x5t: the certificate (RFC 8705 §3.1).

    alg: the client's choice.
    """

    client_id: str
    subject: str
    audience: str
    scopes: tuple[str, ...]
    gid: uuid.UUID
    jkt: str | None
    x5t: str | None
    alg: str


async def issue_access_token(ask: AccessTokenAsk, keys: SigningKeys, *, issuer: str, now: datetime) -> str:
    """A signed token. Its scope is what it may do at its audience; its life is ten minutes at the most."""
    issued_at = int(now.timestamp())
    at_userinfo = ask.audience == userinfo_audience(issuer)
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": ask.subject,
        "aud": ask.audience,
        "client_id": ask.client_id,
        "gid": str(ask.gid),
        "jti": new_reference(),
        "iat": issued_at,
        "exp": issued_at + LIFETIME_SECONDS,
    }
    if useful := of_use(ask.scopes, at_lookups=not at_userinfo):
        claims["scope"] = " ".join(useful)
    bound = {"jkt": ask.jkt, "x5t#S256": ask.x5t}
    cnf = {name: thumbprint for name, thumbprint in bound.items() if thumbprint is not None}
    if cnf:
        claims["cnf"] = cnf
    if at_userinfo:
        return await keys.issue(ask.alg, claims)
    return await keys.sign(ask.alg, claims, typ=TOKEN_TYPE)


def token_response(token: str, *, jkt: str | None, scopes: Iterable[str]) -> dict[str, Any]:
    """The members that every token response has (RFC 6749 §5.1). A token that is bound to a certificate alone is a
    bearer token in its type (RFC 8705 §3)."""
    return {
        "access_token": token,
        "token_type": "Bearer" if jkt is None else "DPoP",
        "expires_in": LIFETIME_SECONDS,
        "scope": " ".join(scopes),
    }

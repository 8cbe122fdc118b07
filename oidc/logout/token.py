"""Logout tokens (Back-Channel Logout 1.0 §2.4)."""

import uuid
from datetime import datetime
from typing import Any

from core.jose import SigningKey, sign_jwt

LIFETIME_SECONDS = 120
"""§4: short, so that a stolen one is soon worth nothing; a later try makes a new one."""
EVENT = "http://schemas.openid.net/event/backchannel-logout"


def logout_token(key: SigningKey, *, issuer: str, client_id: str, subject: str, sid: str | None, now: datetime) -> str:
    """A signed logout token. Without a sid it means every session of the subject at the client.

    No `nonce`, and a type of its own: it can be taken for no id_token.
    """
    issued_at = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": subject,
        "aud": client_id,
        "iat": issued_at,
        "exp": issued_at + LIFETIME_SECONDS,
        "jti": str(uuid.uuid4()),
        "events": {EVENT: {}},
    }
    if sid is not None:
        claims["sid"] = sid
    return sign_jwt(key, claims, typ="logout+jwt")

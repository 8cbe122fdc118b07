"""Logout tokens (Back-Channel Logout 1.0 §2.4)."""

import uuid
from datetime import datetime
from typing import Any

LIFETIME_SECONDS = 120
"""§4: short, so that a stolen one is soon worth nothing; a later try makes a new one."""
TYPE = "logout+jwt"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


def logout_claims(*, issuer: str, client_id: str, subject: str, sid: str | None, now: datetime) -> dict[str, Any]:
    """What a logout token says. Without a sid it means every session of the subject at the client.

    No `nonce`, and signed under a type of its own: it can be taken for no id_token.
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
    return claims

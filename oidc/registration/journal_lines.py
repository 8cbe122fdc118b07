"""The journal's lines of registration: who did what to which client. No secret, no token, no address stands there."""

from typing import Final

from core.database import Tx
from privacy.journal.api import ActorRef, Journal, Line

REGISTERED: Final = "oidc.client-registered"
CHANGED: Final = "oidc.client-changed"
DELETED: Final = "oidc.client-deleted"
SECRET_MADE: Final = "oidc.client-secret-made"  # noqa: S105  the name of an act
REGISTRATION_TOKEN_ENDED: Final = "oidc.registration-token-ended"  # noqa: S105
PROPOSED: Final = "oidc.client-proposed"
APPROVED: Final = "oidc.client-approved"
REFUSED: Final = "oidc.client-refused"
TOKEN_MADE: Final = "oidc.initial-token-made"  # noqa: S105
TOKEN_REVOKED: Final = "oidc.initial-token-revoked"  # noqa: S105
PUBLISHER_TRUSTED: Final = "oidc.publisher-trusted"
PUBLISHER_ENDED: Final = "oidc.publisher-ended"


async def write(
    journal: Journal,
    tx: Tx,
    action: str,
    by: ActorRef,
    *,
    agency: str | None,
    reason: str | None = None,
    **details: str,
) -> None:
    """One act, in the acting transaction. details: short values by name, e.g. client, profile."""
    await journal.write(
        tx,
        Line(kind="act", action=action, subject=None, actor=by, agency=agency, reason=reason, details=details),
    )

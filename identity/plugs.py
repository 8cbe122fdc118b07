"""What identity asks of a higher room; the composition root plugs it in."""

from typing import Protocol

from core.database import Tx
from identity.sessions import Session


class SignedOutPlace(Protocol):
    """Knows where else a session was used, and a page that tells those services through the browser."""

    async def place(self, tx: Tx, session: Session) -> str | None:
        """Own path to send the browser to after it signed out of this session; None: nothing special."""
        ...

"""The page after signing out: tells the clients of the session through frames, then goes on to the service.

Signing out on our own pages (identity's) comes by here as well when there is a frame to show.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.cache import Cache
from core.database import Tx
from core.ids import new_reference
from core.web.forms import strict_query
from core.web.pages import Pages
from identity.api import Session
from oidc.logout.frames import CONTINUE_SECONDS, frames_of_session, policy_with_frames

PATH = "/logout/done"
TICKET_SECONDS = 120


@dataclass(frozen=True, slots=True)
class AfterLogout:
    """frames: addresses to load, of clients that registered them. target: where to go then. client_name: whose
    page that is."""

    frames: Sequence[str] = field(default_factory=list)
    target: str | None = None
    client_name: str | None = None


@dataclass(frozen=True, slots=True)
class SignedOutPage:
    """One per process; identity's `SignedOutPlace`."""

    issuer: str
    pages: Pages
    cache: Cache

    async def place(self, tx: Tx, session: Session) -> str | None:
        """Where a browser goes that signed out on a page of ours; None when there is nothing to tell through it.

        In the transaction that ends the session. Raises Unavailable.
        """
        frames = await self.frames(tx, session.person, session.sid)
        if not frames:
            return None
        ticket = new_reference()
        await self.cache.put("logged-out", ticket, {"frames": frames}, TICKET_SECONDS)
        return f"{PATH}?{urlencode({'t': ticket})}"

    async def frames(self, tx: Tx, person_id: uuid.UUID, sid: str) -> list[str]:
        return await frames_of_session(tx, person_id, sid, issuer=self.issuer)

    async def get(self, request: Request) -> Response:
        """Open to everybody. A ticket is good once: shown again, the page loads nothing."""
        ticket = strict_query(request).get("t", "")
        kept = await self.cache.take("logged-out", ticket) if 0 < len(ticket) <= 64 else None
        return self.show(request, AfterLogout(frames=kept["frames"] if kept else []))

    def show(self, request: Request, after: AfterLogout, *, ended: bool = True) -> Response:
        """The end of a logout: straight on to the service when there is nobody to tell on the way."""
        if after.target is not None and not after.frames:
            return RedirectResponse(after.target, 303, {"Cache-Control": "no-store"})
        page = self.pages.render(
            request,
            "oidc/logged_out.html",
            ended=ended,
            frames=after.frames,
            target=after.target,
            client_name=after.client_name,
        )
        page.headers["Content-Security-Policy"] = policy_with_frames(after.frames)
        if after.target is not None:
            # By the browser itself, with scripts off as well; the link on the page goes at once.
            page.headers["Refresh"] = f"{CONTINUE_SECONDS};url={after.target}"
        return page

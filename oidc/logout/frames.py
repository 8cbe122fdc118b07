"""Front-Channel Logout 1.0: the signed-out page loads an address of each client of the session, in this browser."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from sqlalchemy import Text, Uuid, bindparam, text

from core.database import Query, Tx
from core.web.headers import content_security_policy
from oidc.redirect_uris import origin_of

MAX_FRAMES = 20
"""More services than anybody uses in half a day; a page has an end."""
CONTINUE_SECONDS = 3
"""What the frames get before the browser goes on to the service; a link goes on at once."""

_OF_SESSION = Query(
    text(
        """
        SELECT c.client_id, c.options ->> 'frontchannel_logout_uri' AS uri,
            COALESCE((c.options ->> 'frontchannel_logout_session_required')::boolean, FALSE) AS with_session
        FROM oidc.grants g JOIN oidc.clients c ON c.client_id = g.client_id
        WHERE g.person_id = :person_id AND g.sid = :sid AND g.code_used_at IS NOT NULL
            AND c.state = 'active' AND c.options ->> 'frontchannel_logout_uri' IS NOT NULL
        GROUP BY c.client_id
        ORDER BY c.client_id
        """
    ).bindparams(bindparam("person_id", type_=Uuid), bindparam("sid", type_=Text))
)


@dataclass(frozen=True, slots=True)
class FrontChannel:
    """A client's registered wish. with_session: whether `iss` and `sid` go along (§2)."""

    uri: str
    with_session: bool

    def address(self, *, issuer: str, sid: str) -> str:
        """What the frame loads."""
        if not self.with_session:
            return self.uri
        separator = "&" if urlsplit(self.uri).query else "?"
        return f"{self.uri}{separator}{urlencode({'iss': issuer, 'sid': sid})}"


async def frames_of_session(tx: Tx, person_id: uuid.UUID, sid: str, *, issuer: str) -> list[str]:
    """The addresses to load for a session that ends, one per client."""
    rows = await tx.rows(_OF_SESSION, person_id=person_id, sid=sid)
    wishes = [FrontChannel(row["uri"], row["with_session"]) for row in rows[:MAX_FRAMES]]
    return [wish.address(issuer=issuer, sid=sid) for wish in wishes]


def policy_with_frames(frames: Sequence[str]) -> str:
    """The page's Content-Security-Policy: these origins may be framed by it, and no others."""
    origins = " ".join(sorted({origin_of(frame) for frame in frames}))
    return f"{content_security_policy()}; frame-src {origins}" if origins else content_security_policy()

"""Collecting at the token endpoint what a person answered on another device: CIBA §10.1, §11; RFC 8628 §3.4, §3.5.

Both tables have the same columns for it. An answer is collected under the lock of its row, bound to the client; who
comes second finds it collected and ends the grant, as with authorization codes. What is wrong with the token request
itself is said before: the person has answered, and is not to be asked again for a slip of the client's. How often a
client may ask is kept in PostgreSQL and counted in the same statement that reads the state, so that asking many times
at once gains nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, Integer, Interval, bindparam, case, func, literal, select, update

from core.database import Query, RawTx
from core.ids import hash_reference
from oidc import grants
from oidc.errors import OAuthError, invalid_grant
from oidc.token.answer import first_tokens, target_fault
from oidc.token.context import TokenRequest, TokenRooms

INTERVAL_SECONDS = 5
SLOW_DOWN_SECONDS = 5
"""RFC 8628 §3.5: each time a client asks too soon, it has to wait that much longer from then on."""
COLLECT_SECONDS = 120
"""An answer given in the last second can still be collected that long."""

_NOT_YET = "The person has not answered yet."
_REFUSED = "The person refused, or may not answer now."


class CollectQueries:
    """The three statements, for a table with the columns of ciba_requests or device_requests."""

    def __init__(self, table: Any) -> None:
        c: Any = table.__table__.c
        mine = (c.secret_hash == bindparam("of_secret"), c.client_id == bindparam("of_client"))
        now = bindparam("now", type_=c.next_poll_at.type)
        too_fast = c.next_poll_at > now
        interval = c.interval_seconds + case((too_fast, literal(SLOW_DOWN_SECONDS, Integer)), else_=literal(0, Integer))
        ready = (*mine, c.state == "approved", c.redeemed_at.is_(None), c.expires_at > now)
        self.lock = Query(select(c.gid).where(*ready).with_for_update())
        self.claim = Query(update(table).where(*ready).values(redeemed_at=now))
        self.poll = Query(
            update(table)
            .where(*mine)
            .values(
                too_fast=func.coalesce(too_fast, literal(False, Boolean)),
                interval_seconds=interval,
                next_poll_at=now + interval * literal(timedelta(seconds=1), Interval),
            )
            .returning(c.state, c.expires_at, c.too_fast, c.redeemed_at, c.person_id, c.gid)
        )


@dataclass(frozen=True, slots=True)
class Polled:
    """A request as a client finds it that asks for the answer. too_fast: it asked sooner than it may."""

    state: str
    expires_at: datetime
    too_fast: bool
    redeemed: bool


def fault_of(polled: Polled | None, *, what: str, now: datetime) -> OAuthError:
    """Why there is nothing to collect; pure. what: the parameter's name."""
    if polled is None or polled.redeemed:
        # The same words for one that never was: who guesses learns nothing.
        return invalid_grant(f"The {what} is unknown, another client's, or was used before.")
    if polled.state == "denied":
        return OAuthError("access_denied", _REFUSED)
    if polled.expires_at <= now:
        return OAuthError("expired_token", f"The {what} has expired. Start a new request.")
    if polled.too_fast:
        return OAuthError(
            "slow_down", f"{_NOT_YET} Wait {SLOW_DOWN_SECONDS} seconds longer between requests from now on."
        )
    return OAuthError("authorization_pending", _NOT_YET)


async def collect(
    asked: TokenRequest, rooms: TokenRooms, queries: CollectQueries, *, secret: str, what: str
) -> dict[str, Any]:
    """The tokens. secret: the auth_req_id or device_code. Raises OAuthError; what was counted or ended commits."""
    async with rooms.database.raw() as tx:
        mine = {"of_secret": hash_reference(secret), "of_client": asked.client.client_id, "now": asked.now}
        ready = await tx.row(queries.lock, **mine)
        if ready is None:
            raise await _not_collected(tx, queries, mine, what)
        grant = await grants.find(tx, ready["gid"])
        if grant is None or grant.revoked_at is not None:
            # Locked, dead or signed out everywhere since the answer.
            raise OAuthError("access_denied", _REFUSED)
        fault = target_fault(asked, grant, issuer=rooms.issuer)
        if fault is not None:
            raise fault
        await tx.run(queries.claim, **mine)
        return await first_tokens(tx, asked, rooms, grant)


async def _not_collected(tx: RawTx, queries: CollectQueries, mine: dict[str, Any], what: str) -> OAuthError:
    row = await tx.row(queries.poll, **mine)
    now: datetime = mine["now"]
    if row is None:
        return fault_of(None, what=what, now=now)
    if row["redeemed_at"] is not None:
        await grants.revoke(tx, row["person_id"], row["gid"], reason="answer-reused", now=now)
    polled = Polled(row["state"], row["expires_at"], row["too_fast"], row["redeemed_at"] is not None)
    return fault_of(polled, what=what, now=now)

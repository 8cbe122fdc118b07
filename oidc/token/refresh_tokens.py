"""Refresh tokens: kept as hashes; bound to the client's authentication, or to a key or certificate, and then not
rotated.

Only a public client without either has rotating ones (RFC 9700 §4.14): a token that was replaced and comes
again ends the grant, but within ten seconds of its replacement the retry gets the same successor. The
successor is an HMAC of the old token under a salt of its row, so it need not be kept.
"""

import base64
import hmac
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import LargeBinary, bindparam, insert, select, update

from core import base64url
from core.database import Query, Reads, Tx
from core.gathered_claims import GatheredClaims
from core.ids import hash_reference, new_reference
from core.record import record
from oidc.grants import Grant, grant_from_row
from oidc.tables import GrantRow, RefreshTokenRow

GRACE = timedelta(seconds=10)
SALT_BYTES = 32

_T: Any = RefreshTokenRow.__table__.c  # type: ignore[attr-defined]
_G: Any = GrantRow.__table__.c  # type: ignore[attr-defined]
_INSERT = Query(
    insert(RefreshTokenRow).values(
        {column.name: bindparam(column.name, type_=column.type) for column in _T if column.name != "rotated_at"}
    )
)
_FIND = Query(
    select(
        *_G,
        _T.scopes.label("token_scopes"),
        _T.dpop_jkt.label("token_holder"),
        _T.successor_salt,
        _T.rotated_at,
    )
    .join_from(RefreshTokenRow, GrantRow, (_G.person_id == _T.person_id) & (_G.gid == _T.gid))
    .where(_T.token_hash == bindparam("token_hash"), _T.client_id == bindparam("client_id"))
)
_SPENT = (
    update(RefreshTokenRow)
    .where(
        _T.person_id == bindparam("of_person"),
        _T.token_hash == bindparam("of_token"),
        _T.rotated_at.is_(None),
    )
    .values(rotated_at=bindparam("now"))
    .returning(_T.person_id, _T.gid, _T.client_id, _T.scopes, _T.dpop_jkt)
    .cte("spent")
)
_ROTATE = Query(
    insert(RefreshTokenRow)
    .from_select(
        ["person_id", "gid", "client_id", "scopes", "dpop_jkt", "token_hash", "successor_salt", "issued_at"],
        select(
            *_SPENT.c,
            bindparam("successor", type_=LargeBinary),
            bindparam("salt", type_=LargeBinary),
            bindparam("now", type_=_T.issued_at.type),
        ),
    )
    .returning(_T.gid)
)
"""The old one spent and its successor stored by one statement: there is never one without the other."""


@record
class RefreshToken:
    """A stored token with its grant. holder: thumbprint of the DPoP key or of the certificate it is bound to."""

    token_hash: bytes
    grant: Grant
    scopes: tuple[str, ...]
    holder: str | None
    successor_salt: bytes
    rotated_at: datetime | None


async def find(tx: Reads, token: str, client_id: str) -> RefreshToken | None:
    """The client's own token; None for another's, which stays untouched."""
    token_hash = hash_reference(token)
    row = await tx.row(_FIND, token_hash=token_hash, client_id=client_id)
    if row is None:
        return None
    return RefreshToken(
        token_hash=token_hash,
        grant=grant_from_row(row),
        scopes=tuple(row["token_scopes"]),
        holder=row["token_holder"],
        successor_salt=row["successor_salt"],
        rotated_at=row["rotated_at"],
    )


async def issue(
    tx: Tx,
    *,
    person_id: uuid.UUID,
    gid: uuid.UUID,
    client_id: str,
    scopes: tuple[str, ...],
    holder: str | None,
    now: datetime,
) -> str:
    """Stores a new token and gives it."""
    token = new_reference(person_id)
    await tx.run(
        _INSERT,
        person_id=person_id,
        token_hash=hash_reference(token),
        gid=gid,
        client_id=client_id,
        scopes=list(scopes),
        dpop_jkt=holder,
        successor_salt=secrets.token_bytes(SALT_BYTES),
        issued_at=now,
    )
    return token


async def rotate(claims: GatheredClaims, token: str, held: RefreshToken, *, now: datetime) -> str | None:
    """The successor, committed, for exactly one caller; None when somebody else has replaced it meanwhile."""
    following = successor(token, held.successor_salt)
    spent = await claims.row(
        _ROTATE,
        held.token_hash,
        of_person=held.grant.person_id,
        of_token=held.token_hash,
        successor=hash_reference(following),
        salt=secrets.token_bytes(SALT_BYTES),
        now=now,
    )
    return None if spent is None else following


def successor(token: str, salt: bytes) -> str:
    """The token that follows: same shape, 192 bits that need both the old token and the row's salt."""
    head = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[:2]
    tail = hmac.digest(salt, b"refresh-successor\x00" + token.encode(), "sha256")[:24]
    return base64url.encode(head + tail)


def within_grace(held: RefreshToken, now: datetime) -> bool:
    """Whether a replaced token may be a retry whose answer was lost."""
    return held.rotated_at is not None and now - held.rotated_at <= GRACE

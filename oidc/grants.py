"""Grants: written when a person allows a client in, claimed by a code, ended by revoking. The truth of it all.

A code is claimed by one UPDATE bound to the client; who comes second finds the row used and ends the grant
(RFC 9700 §4.5, RFC 6749 §4.1.2). Every end is announced to all processes in the same transaction.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Uuid, bindparam, func, insert, select, update

from core.database import Query, Reads, Row, Tx
from core.gathered_claims import GatheredClaims
from core.ids import read_id
from core.record import record
from oidc.tables import ClientRow, GrantRow

CODE_SECONDS = 60
REFRESH_LIFETIME = timedelta(days=30)
"""Absolute: a refresh token does not live longer however often it is used (OWASP ASVS V10.4.8)."""
CHANNEL = "dinhdanh_oidc"

_C: Any = GrantRow.__table__.c  # type: ignore[attr-defined]
_L: Any = ClientRow.__table__.c  # type: ignore[attr-defined]
INSERT = Query(
    insert(GrantRow).values(
        {
            column.name: bindparam(column.name, type_=column.type)
            for column in _C
            if column.name not in {"code_used_at", "revoked_at", "revoked_reason"}
        }
    )
)
_CLAIM_CODE = Query(
    update(GrantRow)
    .where(
        _C.code_hash == bindparam("of_code"),
        _C.client_id == bindparam("of_client"),
        _C.code_used_at.is_(None),
    )
    .values(code_used_at=bindparam("now"))
    .returning(*_C)
)
_BY_CODE = Query(
    select(_C.person_id, _C.gid).where(_C.code_hash == bindparam("code_hash"), _C.client_id == bindparam("client_id"))
)
_BY_GID = Query(select(*_C).where(_C.gid == bindparam("gid")))
_LIVE = _C.revoked_at.is_(None)
_LIVE_BY_GID = Query(
    select(*_C)
    .join_from(GrantRow, ClientRow, _L.client_id == _C.client_id)
    .where(_C.gid == bindparam("gid"), _LIVE, _L.state == "active")
)


def _ending(*which: Any) -> Query:
    """An UPDATE that ends the live grants of `which`, and names them."""
    return Query(
        update(GrantRow)
        .where(*which, _LIVE)
        .values(revoked_at=bindparam("now"), revoked_reason=bindparam("reason"))
        .returning(_C.gid)
    )


_OF_PERSON = _C.person_id == bindparam("of_person")
_REVOKE_ONE = _ending(_OF_PERSON, _C.gid == bindparam("of_gid"))
_REVOKE_PERSON = _ending(_OF_PERSON)
_REVOKE_SESSION = _ending(_OF_PERSON, _C.sid == bindparam("of_sid"))
_REVOKE_CONSENT = _ending(_OF_PERSON, bindparam("consent_id", type_=Uuid) == func.any(_C.consent_ids))
_NOTIFY = Query(select(func.pg_notify(CHANNEL, bindparam("payload"))))


@record
class PurposeGrant:
    """What was consented to for one purpose: by which consents, which fields."""

    consent_ids: tuple[uuid.UUID, ...]
    fields: tuple[str, ...]


@record
class Grant:
    """A grant as later steps need it; see tables.GrantRow."""

    person_id: uuid.UUID
    gid: uuid.UUID
    account_id: uuid.UUID
    client_id: str
    agency_id: uuid.UUID
    scopes: tuple[str, ...]
    purposes: Mapping[str, PurposeGrant]
    acr: str
    aal: int
    ial: int
    amr: tuple[str, ...]
    auth_time: datetime
    sid: str | None
    nonce: str | None
    redirect_uri: str | None
    code_challenge: str | None
    code_expires_at: datetime | None
    dpop_jkt: str | None
    granted_at: datetime
    refresh_until: datetime | None
    revoked_at: datetime | None
    kind: str
    resources: tuple[str, ...]
    authorization_details: tuple[Mapping[str, Any], ...]
    claims: Mapping[str, Any]


def grant_from_row(row: Row) -> Grant:
    purposes = {
        code: PurposeGrant(tuple(read_id(each) for each in held["consents"]), tuple(held["fields"]))
        for code, held in row["purposes"].items()
    }
    return Grant(
        person_id=row["person_id"],
        gid=row["gid"],
        account_id=row["account_id"],
        client_id=row["client_id"],
        agency_id=row["agency_id"],
        scopes=tuple(row["scopes"]),
        purposes=purposes,
        acr=row["acr"],
        aal=row["aal"],
        ial=row["ial"],
        amr=tuple(row["amr"]),
        auth_time=row["auth_time"],
        sid=row["sid"],
        nonce=row["nonce"],
        redirect_uri=row["redirect_uri"],
        code_challenge=row["code_challenge"],
        code_expires_at=row["code_expires_at"],
        dpop_jkt=row["dpop_jkt"],
        granted_at=row["granted_at"],
        refresh_until=row["refresh_until"],
        revoked_at=row["revoked_at"],
        kind=row["kind"],
        resources=tuple(row["resources"]),
        authorization_details=tuple(row["authorization_details"]),
        claims=row["claims"],
    )


async def claim_code(claims: GatheredClaims, *, code_hash: bytes, client_id: str, now: datetime) -> Grant | None:
    """Spends the code for this client, committed; None when it is unknown here or was spent."""
    row = await claims.row(_CLAIM_CODE, code_hash, of_code=code_hash, of_client=client_id, now=now)
    return None if row is None else grant_from_row(row)


async def revoke_by_spent_code(tx: Tx, *, code_hash: bytes, client_id: str, now: datetime) -> bool:
    """Ends the grant of a code that is shown again by its own client; False when the code is unknown."""
    row = await tx.row(_BY_CODE, code_hash=code_hash, client_id=client_id)
    if row is None:
        return False
    await revoke(tx, row["person_id"], row["gid"], reason="code-reused", now=now)
    return True


async def find(tx: Reads, gid: uuid.UUID) -> Grant | None:
    """The grant, ended ones too."""
    row = await tx.row(_BY_GID, gid=gid)
    return None if row is None else grant_from_row(row)


async def find_live(tx: Reads, gid: uuid.UUID) -> Grant | None:
    """The grant, unless it was revoked or its client is not active."""
    row = await tx.row(_LIVE_BY_GID, gid=gid)
    return None if row is None else grant_from_row(row)


async def revoke(tx: Tx, person_id: uuid.UUID, gid: uuid.UUID, *, reason: str, now: datetime) -> int:
    """Ends one grant; 0 when it had ended before."""
    return await _end(tx, _REVOKE_ONE, of_person=person_id, of_gid=gid, reason=reason, now=now)


async def revoke_of_person(tx: Tx, person_id: uuid.UUID, *, reason: str, now: datetime) -> int:
    """Ends every grant of a person; gives their number."""
    return await _end(tx, _REVOKE_PERSON, of_person=person_id, reason=reason, now=now)


async def revoke_of_session(tx: Tx, person_id: uuid.UUID, sid: str, *, reason: str, now: datetime) -> int:
    """Ends every grant that was made in one session; gives their number."""
    return await _end(tx, _REVOKE_SESSION, of_person=person_id, of_sid=sid, reason=reason, now=now)


async def revoke_of_consent(tx: Tx, person_id: uuid.UUID, consent_id: uuid.UUID, *, reason: str, now: datetime) -> int:
    """Ends every grant that rests on a consent; gives their number."""
    return await _end(tx, _REVOKE_CONSENT, of_person=person_id, consent_id=consent_id, reason=reason, now=now)


async def _end(tx: Tx, query: Query, **values: Any) -> int:
    ended = await tx.rows(query, **values)
    for row in ended:
        await announce(tx, row["gid"])
    return len(ended)


async def announce(tx: Tx, gid: uuid.UUID) -> None:
    """Tells every process, at commit, that a grant changed."""
    await tx.rows(_NOTIFY, payload=str(gid))

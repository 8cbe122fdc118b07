"""Initial access tokens (RFC 7591 §3): who may register clients for an agency, how many, of which profiles.

Kept hashed, expiring, with counted uses. A use is spent when a client comes to be, in its transaction.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, insert, literal, select, update

from core.clock import Clock, vietnam_day
from core.database import Query, Row, Tx
from core.errors import BadInput, NotFound
from core.ids import hash_reference, new_reference
from core.token import TokenRefused
from identity.api import Identity
from oidc.profiles import PROFILES
from oidc.registration import journal_lines
from oidc.registration.tables import InitialTokenRow
from oidc.registration.who import PERMISSION, Who, person_of
from privacy.journal.api import Journal

MAX_USES = 100
MAX_LIFE = timedelta(days=90)
MAX_NOTE = 120
DEFAULT_LIFE_DAYS = 7

_TABLE: Any = InitialTokenRow.__table__  # type: ignore[attr-defined]
_C: Any = _TABLE.c
_NOW = bindparam("now", type_=_C.expires_at.type)
_GOOD = (_C.uses_left > 0, _C.expires_at > _NOW, _C.revoked_at.is_(None))
_INSERT = Query(insert(_TABLE).values({column.name: bindparam(column.name, type_=column.type) for column in _C}))
_FIND = Query(select(*_C).where(_C.token_hash == bindparam("token_hash"), *_GOOD))
_SPEND = Query(
    update(_TABLE)
    .where(_C.token_id == bindparam("of_token"), *_GOOD)
    .values(uses_left=_C.uses_left - literal(1, type_=_C.uses_left.type))
    .returning(_C.uses_left)
)
_OF_AGENCY = Query(
    select(*_C).where(_C.agency_id == bindparam("agency_id"), *_GOOD).order_by(_C.expires_at, _C.token_id)
)
_REVOKE = Query(
    update(_TABLE)
    .where(
        _C.token_id == bindparam("of_token"),
        _C.revoked_at.is_(None),
        _C.agency_id == func.coalesce(bindparam("of_agency", type_=_C.agency_id.type), _C.agency_id),
    )
    .values(revoked_at=bindparam("now", type_=_C.revoked_at.type))
    .returning(_C.agency_code)
)


@dataclass(frozen=True, slots=True)
class InitialToken:
    """See tables.InitialTokenRow; without the token itself."""

    token_id: uuid.UUID
    agency_id: uuid.UUID
    agency_code: str
    profiles: tuple[str, ...]
    uses_left: int
    note: str
    made_by: str
    seconded_by: str | None
    expires_at: datetime

    @property
    def title(self) -> str:
        """Who proposes what is registered with it, as a reviewer reads it: a token, whatever its note says."""
        return f"Token {str(self.token_id)[:8]}" + (f" “{self.note}”" if self.note else "")

    @property
    def needs_review(self) -> bool:
        """Whether its clients wait for a second person whatever their profile: one official made it, on the pages."""
        return self.seconded_by is None and person_of(self.made_by) is not None


@dataclass(frozen=True, slots=True)
class NewToken:
    """The terms of a token to make. profiles: the default first. life: at most 90 days. uses: 1 to 100."""

    agency_id: uuid.UUID
    agency_code: str
    profiles: Sequence[str] = ("fapi2",)
    uses: int = 1
    life: timedelta = field(default_factory=lambda: timedelta(days=DEFAULT_LIFE_DAYS))
    note: str = ""


async def issue(
    journal: Journal, clock: Clock, tx: Tx, terms: NewToken, *, by: Who, seconded_by: Who | None = None
) -> str:
    """The token, 35 characters, shown this once. Raises BadInput that names the entry to mend.

    seconded_by: with a second person, clients that need two are active at once.
    """
    faults: dict[str, str] = {}
    if not terms.profiles or any(name not in PROFILES for name in terms.profiles):
        faults["profiles"] = "Choose at least one profile."
    if not 1 <= terms.uses <= MAX_USES:
        faults["uses"] = "Enter a number from 1 to 100."
    if not timedelta(0) < terms.life <= MAX_LIFE:
        faults["days"] = "Enter a number of days from 1 to 90."
    if len(terms.note) > MAX_NOTE or not terms.note.isprintable():
        faults["note"] = "This entry is too long."
    if seconded_by is not None and seconded_by.key == by.key:
        faults["seconded_by"] = "The second person must be another one."
    if faults:
        raise BadInput("initial-token", "Some entries have to be mended.", fields=faults)
    token, token_id, now = new_reference(), uuid.uuid4(), clock.now()
    await tx.run(
        _INSERT,
        token_id=token_id,
        token_hash=hash_reference(token),
        agency_id=terms.agency_id,
        agency_code=terms.agency_code,
        profiles=list(dict.fromkeys(terms.profiles)),
        uses_left=terms.uses,
        note=terms.note,
        made_by=by.key,
        seconded_by=None if seconded_by is None else seconded_by.key,
        made_at=now,
        expires_at=now + terms.life,
        revoked_at=None,
    )
    await journal_lines.write(
        journal,
        tx,
        journal_lines.TOKEN_MADE,
        by.ref,
        agency=terms.agency_code,
        token=str(token_id),
        profiles=" ".join(terms.profiles),
        uses=str(terms.uses),
        seconded_by="" if seconded_by is None else seconded_by.key,
    )
    return token


async def find(tx: Tx, token: str, now: datetime) -> InitialToken:
    """Raises TokenRefused `invalid_token` when it is unknown, spent, expired or revoked: the same words for all."""
    row = await tx.row(_FIND, token_hash=hash_reference(token), now=now)
    if row is None:
        raise _refused()
    return _token(row)


async def refuse_orphan(tx: Tx, token: InitialToken, identity: Identity, now: datetime) -> None:
    """A token goes with the official who made it. Raises TokenRefused when he acts for the agency's clients no more."""
    maker = person_of(token.made_by)
    if maker is None:
        return
    standing = await identity.appointments(tx, maker, vietnam_day(now))
    if not any(one.agency_id == token.agency_id and PERMISSION in one.permissions for one in standing):
        raise _refused()


async def spend(tx: Tx, token: InitialToken, now: datetime) -> None:
    """Takes one use, in one step. Raises TokenRefused when somebody else had the last one."""
    if await tx.row(_SPEND, of_token=token.token_id, now=now) is None:
        raise _refused()


async def of_agency(tx: Tx, agency_id: uuid.UUID, now: datetime) -> list[InitialToken]:
    """Those that may still be used, the first to expire first."""
    return [_token(row) for row in await tx.rows(_OF_AGENCY, agency_id=agency_id, now=now)]


async def revoke(
    journal: Journal, tx: Tx, token_id: uuid.UUID, *, by: Who, now: datetime, agency_id: uuid.UUID | None = None
) -> None:
    """Ends a token. agency_id: only one of this agency. Raises NotFound `token-unknown`."""
    row = await tx.row(_REVOKE, of_token=token_id, of_agency=agency_id, now=now)
    if row is None:
        raise NotFound("token-unknown", "There is no such token.")
    await journal_lines.write(
        journal, tx, journal_lines.TOKEN_REVOKED, by.ref, agency=row["agency_code"], token=str(token_id)
    )


def _token(row: Row) -> InitialToken:
    values = {name: row[name] for name in InitialToken.__slots__}
    return InitialToken(**{**values, "profiles": tuple(values["profiles"])})


def _refused() -> TokenRefused:
    return TokenRefused("invalid_token", "The initial access token is unknown, used up or expired.")

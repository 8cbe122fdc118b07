"""Reading and claiming on the row of an account. Every state that decides lies here, in PostgreSQL."""

import uuid
from collections.abc import Collection
from dataclasses import field
from datetime import datetime

from sqlalchemy import ARRAY, Uuid, bindparam, func, select, text

from core.database import Query, Row, Tx
from core.record import record
from identity.attempts import CODE, MAX_WRONG_CODES
from identity.tables import Account

_C = Account.__table__.c  # type: ignore[attr-defined]
_COLUMNS = (
    _C.person_id,
    _C.account_id,
    _C.ial,
    _C.lock_reasons,
    _C.password_hash,
    _C.totp_sealed,
    _C.credentials_changed_at,
)
OF_PERSON = Query(select(*_COLUMNS).where(_C.person_id == bindparam("person_id")))
_ENROLLED_AT = Query(select(_C.enrolled_at).where(_C.person_id == bindparam("person_id")))
_OF_PERSON_HELD = Query(select(*_COLUMNS).where(_C.person_id == bindparam("person_id")).with_for_update())
_OF_EACH_HELD = Query(
    select(*_COLUMNS)
    .where(_C.person_id == func.any(bindparam("person_ids", type_=ARRAY(Uuid))))
    .order_by(_C.person_id)
    .with_for_update()
)
"""In one order everywhere: two who hold several would wait for each other for ever."""
_REHASH = Query(
    text(
        "UPDATE identity.accounts SET password_hash = :new WHERE person_id = :person_id"
        " AND account_id = :account_id AND password_hash = :old"
    )
)
_CLAIM_CODE_TRY = Query(
    text(
        """
        UPDATE identity.accounts SET
            code_tries = code_tries + 1,
            code_next_try_at = CAST(:now AS timestamptz) + (CAST(:waits AS interval[]))[
                LEAST(code_tries + 1, cardinality(CAST(:waits AS interval[])))]
        WHERE person_id = :person_id AND account_id = :account_id
            AND code_next_try_at <= :now AND code_tries < :most
        RETURNING code_tries
        """
    )
)
_NEXT_CODE_TRY = Query(
    text(
        "SELECT code_tries, code_next_try_at FROM identity.accounts"
        " WHERE person_id = :person_id AND account_id = :account_id"
    )
)
_SPEND_STEP = Query(
    text(
        "UPDATE identity.accounts SET last_totp_step = :step, code_tries = 0, code_next_try_at = :now"
        " WHERE person_id = :person_id AND account_id = :account_id AND last_totp_step < :step"
        " RETURNING account_id"
    )
)


@record
class AccountState:
    """An account as the sign-in needs it."""

    person_id: uuid.UUID
    account_id: uuid.UUID
    ial: int
    lock_reasons: tuple[str, ...]
    credentials_changed_at: datetime
    password_hash: str = field(repr=False)
    totp_sealed: bytes | None = field(repr=False)

    @property
    def locked(self) -> bool:
        return bool(self.lock_reasons)

    @property
    def has_second_factor(self) -> bool:
        return self.totp_sealed is not None


def totp_place(account_id: uuid.UUID) -> str:
    """The vault's label of an account's TOTP secret."""
    return f"identity.totp:{account_id}"


def _state(row: Row | None) -> AccountState | None:
    if row is None:
        return None
    return AccountState(
        row["person_id"],
        row["account_id"],
        row["ial"],
        tuple(row["lock_reasons"]),
        row["credentials_changed_at"],
        row["password_hash"],
        row["totp_sealed"],
    )


async def find(tx: Tx, person_id: uuid.UUID) -> AccountState | None:
    """The person's account, if there is one."""
    return _state(await tx.row(OF_PERSON, person_id=person_id))


async def enrolled_at(tx: Tx, person_id: uuid.UUID) -> datetime | None:
    """When the person's account was opened."""
    row = await tx.row(_ENROLLED_AT, person_id=person_id)
    return None if row is None else row["enrolled_at"]


async def hold(tx: Tx, person_id: uuid.UUID) -> AccountState | None:
    """The account with its row held to the end of the transaction: a lock comes before or after, not between."""
    return _state(await tx.row(_OF_PERSON_HELD, person_id=person_id))


async def hold_each(tx: Tx, person_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, AccountState]:
    """`hold` for several persons in one trip; who has no account is not in the answer."""
    rows = await tx.rows(_OF_EACH_HELD, person_ids=list(person_ids))
    return {row["person_id"]: held for row in rows if (held := _state(row)) is not None}


async def rehash(tx: Tx, account: AccountState, new: str) -> None:
    """Replaces the hash of the same password; the credentials stay what they were."""
    await tx.run(
        _REHASH, person_id=account.person_id, account_id=account.account_id, old=account.password_hash, new=new
    )


async def claim_code_try(tx: Tx, person_id: uuid.UUID, account_id: uuid.UUID, now: datetime) -> datetime | None:
    """Counts one try of a code, before it is looked at; None when it may be made, else when the next may."""
    who = {"person_id": person_id, "account_id": account_id}
    if await tx.row(_CLAIM_CODE_TRY, **who, now=now, waits=CODE.table(), most=MAX_WRONG_CODES) is not None:
        return None
    row = await tx.row(_NEXT_CODE_TRY, **who)
    return now if row is None else max(row["code_next_try_at"], now)


async def wrong_codes(tx: Tx, person_id: uuid.UUID, account_id: uuid.UUID) -> int:
    """Codes tried since the last right one."""
    row = await tx.row(_NEXT_CODE_TRY, person_id=person_id, account_id=account_id)
    return 0 if row is None else int(row["code_tries"])


async def spend_step(tx: Tx, person_id: uuid.UUID, account_id: uuid.UUID, step: int, now: datetime) -> bool:
    """Claims a TOTP step: True for exactly one caller, and never for a step at or before the last one."""
    row = await tx.row(_SPEND_STEP, person_id=person_id, account_id=account_id, step=step, now=now)
    return row is not None

"""The code step: the second factor of a sign-in, or of a step-up from a session of one factor.

The try is counted, the code compared, its step spent in one transaction that commits also when refused; the
account's row is held, so parallel tries come one after the other and a code lets in exactly once.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from core.clock import Clock
from core.database import Database, Tx
from identity import accounts
from identity.accounts import AccountState, totp_place
from identity.assurance import AMR_PASSWORD_AND_CODE
from identity.attempts import MAX_WRONG_CODES
from identity.lock import Locks
from identity.records import Happened, Records
from identity.refusals import CodeRefused, SignInLost, TooManyCodes, WaitToTry
from identity.totp import matching_step, read_code
from identity.where import Where
from privacy.vault.api import Vault


@dataclass(frozen=True, slots=True)
class FirstFactor:
    """What was shown before. auth_at: when. stepping_up: by a live session, not in this sign-in."""

    person_id: uuid.UUID
    account_id: uuid.UUID
    auth_at: datetime
    stepping_up: bool


class CodeStep:
    """Checks one-time codes."""

    def __init__(self, *, clock: Clock, database: Database, vault: Vault, records: Records, locks: Locks) -> None:
        self._clock = clock
        self._database = database
        self._vault = vault
        self._records = records
        self._locks = locks

    async def check(self, first: FirstFactor, typed: str, where: Where) -> AccountState:
        """The account, perhaps locked.

        Raises CodeRefused, WaitToTry, TooManyCodes, and SignInLost when the first factor is void.
        """
        now = self._clock.now()
        async with self._database.raw() as tx:
            account = await accounts.hold(tx, first.person_id)
            if account is None or account.account_id != first.account_id or account.totp_sealed is None:
                raise SignInLost
            if account.credentials_changed_at > first.auth_at or "death" in account.lock_reasons:
                raise SignInLost
            if "attempts" in account.lock_reasons:
                raise TooManyCodes
            until = await accounts.claim_code_try(tx, account.person_id, account.account_id, now)
            if until is not None:
                raise WaitToTry(until, now)
            if not await self._spend(tx, account, account.totp_sealed, typed, now):
                await self._tell_wrong(tx, account, now, where)
                raise CodeRefused
            await self._tell_right(tx, account, first, now, where)
            return account

    async def _spend(self, tx: Tx, account: AccountState, sealed: bytes, typed: str, now: datetime) -> bool:
        code = read_code(typed)
        if code is None:
            return False
        secret = self._vault.unseal_system(totp_place(account.account_id), sealed).decode()
        step = matching_step(secret, code, now)
        if step is None:
            return False
        return await accounts.spend_step(tx, account.person_id, account.account_id, step, now)

    async def _tell_wrong(self, tx: Tx, account: AccountState, now: datetime, where: Where) -> None:
        await self._records.write(
            tx,
            Happened(
                action="sign-in",
                outcome="code-wrong",
                person_id=account.person_id,
                account_id=account.account_id,
                at=now,
                where=where,
                refused=True,
                reason="code-wrong",
            ),
        )
        if await accounts.wrong_codes(tx, account.person_id, account.account_id) >= MAX_WRONG_CODES:
            await self._locks.lock(tx, account.person_id, "attempts", where=where)

    async def _tell_right(self, tx: Tx, account: AccountState, first: FirstFactor, now: datetime, where: Where) -> None:
        entered = "stepped-up" if first.stepping_up else "signed-in"
        await self._records.write(
            tx,
            Happened(
                action="step-up" if first.stepping_up else "sign-in",
                outcome="refused-locked" if account.locked else entered,
                person_id=account.person_id,
                account_id=account.account_id,
                at=now,
                where=where,
                aal=0 if account.locked else 2,
                amr=AMR_PASSWORD_AND_CODE,
                refused=account.locked,
                reason="locked" if account.locked else None,
            ),
        )

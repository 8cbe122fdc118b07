"""Making an account for a living person of the registry."""

import uuid
from typing import Literal

from sqlalchemy import text

from core.clock import Clock
from core.database import Query, Tx
from core.errors import BadInput, Conflict
from core.ids import new_id
from identity.accounts import totp_place
from identity.password_rules import PasswordUnfit, check_new_password
from identity.passwords import PasswordHashing
from identity.records import Records
from identity.totp import check_secret
from population_db.api import Registry
from privacy.journal.api import ActorRef
from privacy.vault.api import Vault

NO_STEP_YET = -1

_INSERT = Query(
    text(
        """
        INSERT INTO identity.accounts (
            person_id, account_id, ial, status, lock_reasons, password_hash, totp_sealed, last_totp_step,
            code_tries, code_next_try_at, credentials_changed_at, enrolled_at)
        VALUES (:person_id, :account_id, :ial, 'active', '{}', :password_hash, :totp_sealed, :no_step,
            0, :now, :now, :now)
        ON CONFLICT (person_id) DO NOTHING
        RETURNING account_id
        """
    )
)


class Enrolment:
    """Enrols. How the person was proofed (in the app, at the desk) is told by the level, `ial`."""

    def __init__(
        self, clock: Clock, vault: Vault, registry: Registry, hashing: PasswordHashing, records: Records
    ) -> None:
        self._clock = clock
        self._vault = vault
        self._registry = registry
        self._hashing = hashing
        self._records = records

    async def enrol(
        self,
        tx: Tx,
        person_id: uuid.UUID,
        *,
        ial: Literal[1, 2],
        password: str,
        totp_secret: str | None,
        by: ActorRef | None = None,
    ) -> uuid.UUID:
        """The new account's identifier. password: see password_rules. totp_secret: base32, 128 bits or more.

        Raises Conflict (`not-alive`, `account-exists`), BadInput (`password-unfit`, `totp-unfit`).
        """
        password_hash = await self._hash(password)
        person = await self._registry.ref(tx, person_id)
        if person is None or person.status != "alive":
            raise Conflict("not-alive", "An account needs a living person of the registry.")
        account_id = new_id()
        row = await tx.row(
            _INSERT,
            person_id=person_id,
            account_id=account_id,
            ial=ial,
            password_hash=password_hash,
            totp_sealed=self._sealed(account_id, totp_secret),
            no_step=NO_STEP_YET,
            now=self._clock.now(),
        )
        if row is None:
            raise Conflict("account-exists", "This person has an account already.")
        details = {"ial": str(ial), "second_factor": "totp" if totp_secret else "none"}
        await self._records.act(tx, "account.enrol", subject=person_id, by=by, details=details)
        return account_id

    async def _hash(self, password: str) -> str:
        try:
            normal = check_new_password(password)
        except PasswordUnfit as why:
            raise BadInput("password-unfit", "This password does not do.", fields={"password": str(why)}) from None
        with self._hashing.admission():
            return await self._hashing.hash(normal)

    def _sealed(self, account_id: uuid.UUID, totp_secret: str | None) -> bytes | None:
        if totp_secret is None:
            return None
        try:
            secret = check_secret(totp_secret)
        except ValueError as why:
            raise BadInput("totp-unfit", "This second factor does not do.", fields={"totp": str(why)}) from None
        return self._vault.seal_system(totp_place(account_id), secret.encode())

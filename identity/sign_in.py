"""The password step of the sign-in.

Whatever is wrong (unknown number, wrong password, no account, a cancelled number, a dead holder), the way is
the same: the same statements, one run of the hash, the same text, code and status. What differs happens only
after the right password.

The hash is not run inside a transaction: a sign-in that waits for a thread holds no connection. Therefore
two transactions: the first counts the try and reads, the second writes down how it ended. The try is counted
before the password is looked at, so a crash between the two favours nobody who guesses.
"""

import uuid
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime

import orjson

from core.cache import Cache, answered
from core.clock import Clock
from core.database import Database, Tx
from core.errors import TooMany
from core.ids import new_id
from core.interaction import SignInAsk
from core.outbox import Outbox
from core.web.browser import WebSecret
from identity import accounts, throttle
from identity.accounts import AccountState
from identity.assurance import AMR_PASSWORD, Step, step_after_password
from identity.attempts import (
    ADDRESS,
    ADDRESS_FAILURES_PER_WINDOW,
    ADDRESS_WINDOW_SECONDS,
    KNOWN_BROWSER,
    UNKNOWN_BROWSERS,
)
from identity.known_browsers import known_entry
from identity.password_rules import normal_form
from identity.passwords import PasswordHashing
from identity.records import Happened, Records
from identity.refusals import SignInRefused, WaitToTry
from identity.throttle import Lane
from identity.where import Where
from population_db.api import Registry
from privacy.vault.api import Vault

FAILED_TOPIC = "sign-in.failed"
FAILED_PLACE = "identity.sign-in.failed"
_NUMBER_KIND = "sign-in number"
_ADDRESS_KIND = "sign-in address"

# Only ever lowers a window that is still there: a key without an end must not come into being.
_GIVE_BACK = "if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('DECR', KEYS[1]) end return 0"


@dataclass(frozen=True, slots=True)
class PasswordRight:
    """The right password was given. step: what comes next. mac: keyed digest of the number typed."""

    account: AccountState
    step: Step
    auth_at: datetime
    mac: bytes


class PasswordStep:
    """Checks number and password."""

    def __init__(
        self,
        *,
        clock: Clock,
        cache: Cache,
        database: Database,
        vault: Vault,
        registry: Registry,
        hashing: PasswordHashing,
        records: Records,
        outbox: Outbox,
        secret: WebSecret,
    ) -> None:
        self._clock = clock
        self._cache = cache
        self._database = database
        self._vault = vault
        self._registry = registry
        self._hashing = hashing
        self._records = records
        self._outbox = outbox
        self._secret = secret
        self._nobody = uuid.uuid4()  # asked for when there is no person, so that the question is asked

    async def check(
        self, number: str, password: str, ask: SignInAsk, where: Where, *, known_cookie: str
    ) -> PasswordRight:
        """number: twelve digits. Raises SignInRefused, WaitToTry, TooMany, Unavailable (`sign-in-busy`)."""
        with self._hashing.admission():
            await self._count_address(where)
            now = self._clock.now()
            mac = self._vault.blind(_NUMBER_KIND, number).mac
            lanes = self._lanes(mac, where, known_cookie, now)
            async with self._database.raw() as tx:
                until = await throttle.claim(tx, mac, lanes, now)
                if until is not None:
                    raise WaitToTry(until, now)
                account, may_enter = await self._find(tx, number)
            stored = account.password_hash if account else self._hashing.decoy
            right = await self._hashing.verify(stored, normal_form(password))
            if account is None or not right or not may_enter:
                async with self._database.raw() as tx:
                    await self._tell_failed(tx, account, where)
                raise SignInRefused
            fresh = await self._fresh_hash(account, password)
        async with self._database.raw() as tx:
            held = await accounts.hold(tx, account.person_id)
            if held is None or held.password_hash != account.password_hash:
                raise SignInRefused  # changed while we were hashing
            await throttle.empty(tx, mac, [lane.name for lane in lanes])
            if fresh is not None:
                await accounts.rehash(tx, held, fresh)
            found = self._right(held, ask, mac)
            await self._tell_right(tx, found, where)
        await self._give_address_back(where)
        return found

    async def _find(self, tx: Tx, number: str) -> tuple[AccountState | None, bool]:
        """The account, and whether its holder lives and the number is his present one."""
        person = await self._registry.find_by_number(tx, number)
        account = await accounts.find(tx, self._nobody if person is None else person.person_id)
        if person is None or account is None:
            return None, False
        lives = person.status == "alive" and "death" not in account.lock_reasons
        return account, lives and person.is_current_number

    def _lanes(self, mac: bytes, where: Where, cookie: str, now: datetime) -> list[Lane]:
        known = known_entry(self._secret, cookie, mac, int(now.timestamp()))
        if known is not None:
            return [Lane(known.lane, KNOWN_BROWSER)]
        address = self._vault.blind(_ADDRESS_KIND, where.network or where.address).mac.hex()[:32]
        return [Lane(f"address:{address}", ADDRESS), Lane("unknown", UNKNOWN_BROWSERS)]

    def _right(self, account: AccountState, ask: SignInAsk, mac: bytes) -> PasswordRight:
        step = step_after_password(
            ask, ial=account.ial, has_second_factor=account.has_second_factor, locked=account.locked
        )
        return PasswordRight(account, step, self._clock.now(), mac)

    async def _tell_right(self, tx: Tx, found: PasswordRight, where: Where) -> None:
        if found.step is Step.CODE:
            return  # not in yet
        locked = found.step is Step.LOCKED
        await self._records.write(
            tx,
            Happened(
                action="sign-in",
                outcome="refused-locked" if locked else "signed-in",
                person_id=found.account.person_id,
                account_id=found.account.account_id,
                at=found.auth_at,
                where=where,
                aal=0 if locked else 1,
                amr=AMR_PASSWORD,
                refused=locked,
                reason="locked" if locked else None,
            ),
        )

    async def _tell_failed(self, tx: Tx, account: AccountState | None, where: Where) -> None:
        """One event, whether or not there is an account: the worker writes the history of those who have one.

        Writing it here would make a known number slower than an unknown one. The content is sealed.
        """
        content = orjson.dumps(
            {
                "event_id": str(new_id()),
                "at": self._clock.now().isoformat(),
                "person_id": str(account.person_id) if account else None,
                "account_id": str(account.account_id) if account else None,
                "where": ["", where.network, where.browser, where.client, where.agency],
            }
        )
        sealed = self._vault.seal_system(FAILED_PLACE, content)
        await self._outbox.emit(tx, FAILED_TOPIC, {"sealed": b64encode(sealed).decode()})

    async def _fresh_hash(self, account: AccountState, password: str) -> str | None:
        if not self._hashing.needs_rehash(account.password_hash):
            return None
        return await self._hashing.hash(normal_form(password))

    async def _count_address(self, where: Where) -> None:
        tries = await self._cache.hit("signin-address", where.address, ADDRESS_WINDOW_SECONDS)
        if tries > ADDRESS_FAILURES_PER_WINDOW:
            raise TooMany(
                "sign-in-address",
                "Too many attempts come from your network. Please try again in a minute.",
                retry_after=ADDRESS_WINDOW_SECONDS,
            )

    async def _give_address_back(self, where: Where) -> None:
        key = self._cache.key("signin-address", where.address)
        await answered(self._cache.redis.eval(_GIVE_BACK, 1, key))

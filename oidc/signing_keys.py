"""The provider's signing keys in the memory of a process: what signs now, and what is published.

The rules of their life are in `signing_key_rules`, the acts (rotate, revoke) in `signing_key_acts`. A process
hears of an act by notification, and looks by itself every few seconds in case it heard nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from core.checked_signatures import CheckedSignatures
from core.clock import Clock
from core.database import Database, Tx
from core.jose import SigningKey, VerificationKey, VerifiedJwt, sign_jwt
from core.tasks import end
from core.token import TOKEN_ALGORITHMS, TOKEN_TYPE
from oidc import signing_key_rules as rules
from oidc.claim_values import ClaimValues
from oidc.signing_key_rules import KeyTimes
from oidc.signing_key_store import SigningKeyStore, times
from oidc.tables import KEY_ALGORITHMS
from privacy.vault.api import HardwarePlace, Vault

REFRESH_SECONDS = 10.0
"""How long a process that hears no notification may use a key that was revoked."""
KEY_SET_SECONDS = 300
"""How long others may keep our key set; a new key is published for much longer before it signs."""
NOTICE = "signing-keys"
"""The payload of the notification."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    times: KeyTimes
    key: SigningKey
    public: VerificationKey


@dataclass(frozen=True, slots=True)
class _View:
    """What holds from `since` until `until`, so that no request has to look at every key's times."""

    since: datetime
    until: datetime
    signing: Mapping[str, SigningKey]
    published: list[VerificationKey]


class SigningKeys:
    """One per process; the `KeySet` of token verification."""

    def __init__(
        self, vault: Vault, clock: Clock, place: HardwarePlace | None = None, *, makes_in_hardware: bool = False
    ) -> None:
        self.store = SigningKeyStore(vault, place, makes_in_hardware=makes_in_hardware)
        self.claim_values = ClaimValues(vault)
        self.issued = CheckedSignatures()
        """Access tokens that are known to hold: those that were checked, and those that we made for ourselves."""
        self._clock = clock
        self._held: Mapping[str, _Held] = {}
        self._seen: _View | None = None
        self._woken = asyncio.Event()

    async def load(self, tx: Tx) -> None:
        """Reads the keys, and makes those of an algorithm that has none (first run)."""
        rows = await self.store.rows(tx)
        if self._lacking(rows):
            await self.store.lock(tx)
            now = self._clock.now()
            for made in await self.store.make(self._lacking(await self.store.rows(tx))):
                await self.store.add(tx, made, published_at=now, active_at=now)
            rows = await self.store.rows(tx)
        self._take(rows)

    async def refresh(self, database: Database) -> None:
        """Reads again what other processes made, retired or revoked."""
        async with database.raw_read() as tx:
            rows = await self.store.rows(tx)
        if self._lacking(rows):
            async with database.raw() as writing:
                await self.load(writing)
            return
        self._take(rows)

    def heard(self, payload: str) -> None:
        """A notification; anybody's, ours among them."""
        if payload == NOTICE:
            self._woken.set()

    @asynccontextmanager
    async def refreshing(self, database: Database) -> AsyncIterator[None]:
        """Looks again while the block runs: when told to, and every few seconds."""

        async def look() -> None:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), REFRESH_SECONDS)
                self._woken.clear()
                try:
                    await self.refresh(database)
                except Exception as error:  # whatever it was: the next look may do better
                    log.warning("oidc.keys", error=type(error).__name__)

        task = asyncio.create_task(look())
        try:
            yield
        finally:
            await end(task)

    async def add(self, tx: Tx, alg: str, *, signs_in: timedelta) -> str:
        """Makes and stores a key that is published now and signs later; gives its kid."""
        now = self._clock.now()
        (made,) = await self.store.make([alg])
        await self.store.add(tx, made, published_at=now, active_at=now + signs_in)
        return made.kid

    def signing(self, alg: str) -> SigningKey:
        """The key to sign with now. Raises LookupError when there is none.

        A key in a hardware token makes its caller wait: where that must not be, use `sign`.
        """
        key = self._view().signing.get(alg)
        if key is None:
            raise LookupError(f"no active signing key for {alg}")
        return key

    async def sign(
        self, alg: str, claims: Mapping[str, Any], *, typ: str | None, header: Mapping[str, Any] | None = None
    ) -> str:
        """A compact JWS by the key of now, without holding up the loop (see core.jose.sign_jwt)."""
        return await _signed(self.signing(alg), claims, typ=typ, header=header)

    async def issue(self, alg: str, claims: Mapping[str, Any]) -> str:
        """An access token that is likely to be shown to us next: this process knows that its signature holds."""
        key, kept = self.signing(alg), dict(claims)
        token = await _signed(key, kept, typ=TOKEN_TYPE)
        held = self._held.get(key.kid)
        if held is not None and alg in TOKEN_ALGORITHMS:
            header = {"alg": alg, "typ": TOKEN_TYPE, "kid": key.kid}
            self.issued.keep(token, held.public, VerifiedJwt(header=header, claims=kept, kid=key.kid))
        return token

    def verification_keys(self) -> list[VerificationKey]:
        """Every published key; not to be changed."""
        return self._view().published

    def jwks(self) -> dict[str, Any]:
        """The published key set (RFC 7517): public members only."""
        return {"keys": [key.public_jwk() for key in self.verification_keys()]}

    def _view(self) -> _View:
        now, seen = self._clock.now(), self._seen
        if seen is None or not seen.since <= now < seen.until:
            seen = self._seen = self._look(now)
        return seen

    def _look(self, now: datetime) -> _View:
        known = [each.times for each in self._held.values()]
        turns = (at for each in known for at in (each.published_at, each.active_at, each.retired_at))
        present = {alg: rules.signing(known, alg, now) for alg in KEY_ALGORITHMS}
        return _View(
            since=now,
            until=min((at for at in turns if at is not None and at > now), default=datetime.max.replace(tzinfo=UTC)),
            signing={alg: self._held[key.kid].key for alg, key in present.items() if key is not None},
            published=[each.public for each in self._held.values() if each.times.is_published(now)],
        )

    def _lacking(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Algorithms without any key that may still sign."""
        now = self._clock.now()
        usable = {each.alg for each in map(times, rows) if each.is_published(now) or each.published_at > now}
        return [alg for alg in KEY_ALGORITHMS if alg not in usable]

    def _take(self, rows: Sequence[Mapping[str, Any]]) -> None:
        now, known = self._clock.now(), self._held
        held: dict[str, _Held] = {}
        for row in sorted(rows, key=lambda row: str(row["kid"])):
            read = times(row)
            if read.revoked_at is not None or read.erased or (read.retired_at is not None and read.retired_at <= now):
                continue
            before = known.get(read.kid)
            key = before.key if before else self.store.opened(row)
            held[read.kid] = _Held(read, key, before.public if before else key.public())
        self._held, self._seen = held, None


async def _signed(
    key: SigningKey, claims: Mapping[str, Any], *, typ: str | None, header: Mapping[str, Any] | None = None
) -> str:
    if key.held_elsewhere:
        return await asyncio.to_thread(sign_jwt, key, claims, typ=typ, header=header)
    return sign_jwt(key, claims, typ=typ, header=header)

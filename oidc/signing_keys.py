"""The provider's signing keys: made once, sealed by the vault, published ahead of use, kept after it.

A key is published from `published_at`, signs from `active_at` on (the latest active one of an algorithm
does), and leaves the key set at `retired_at`. So a new key can be known to everybody before it signs, and
an old one stays until the last thing it signed has expired.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog
from sqlalchemy import bindparam, func, insert, select

from core.clock import Clock
from core.database import Database, Query, Tx
from core.errors import Unavailable
from core.jose import SigningKey, VerificationKey
from oidc.claim_values import ClaimValues
from oidc.tables import KEY_ALGORITHMS, SigningKeyRow
from privacy.vault.api import Vault

REFRESH_SECONDS = 60
"""How often a process looks for new keys; a new key is published for longer than that before it signs."""
_MAKING_LOCK = 0x6F696463  # "oidc": two processes at their first start make one set of keys

log = structlog.get_logger(__name__)

_C: Any = SigningKeyRow.__table__.c  # type: ignore[attr-defined]
_ALL = Query(select(*_C))
_LOCK = Query(select(func.pg_advisory_xact_lock(bindparam("number"))))
_INSERT = Query(
    insert(SigningKeyRow).values(
        {column.name: bindparam(column.name, type_=column.type) for column in _C if column.name != "retired_at"}
    )
)


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """One key of ours and its times."""

    key: SigningKey
    public: VerificationKey
    published_at: datetime
    active_at: datetime
    retired_at: datetime | None

    def is_published(self, now: datetime) -> bool:
        return self.published_at <= now and (self.retired_at is None or now < self.retired_at)


def signing_key(keys: Sequence[PublishedKey], alg: str, now: datetime) -> SigningKey:
    """The key that signs with `alg` now: the latest active one. Raises LookupError when there is none."""
    able = [each for each in keys if each.key.alg == alg and each.active_at <= now and each.is_published(now)]
    if not able:
        raise LookupError(f"no active signing key for {alg}")
    return max(able, key=lambda each: each.active_at).key


class SigningKeys:
    """The keys in this process's memory; the `KeySet` of token verification."""

    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self.claim_values = ClaimValues(vault)
        self._clock = clock
        self._keys: tuple[PublishedKey, ...] = ()

    async def load(self, tx: Tx) -> None:
        """Reads the keys, and makes those that are missing (first run)."""
        rows = await tx.rows(_ALL)
        if {row["alg"] for row in rows} < set(KEY_ALGORITHMS):
            await tx.rows(_LOCK, number=_MAKING_LOCK)
            present = {row["alg"] for row in await tx.rows(_ALL)}
            for alg in KEY_ALGORITHMS:
                if alg not in present:
                    await self.add(tx, alg, signs_in=timedelta())
            rows = await tx.rows(_ALL)
        known = {each.key.kid: each.key for each in self._keys}
        self._keys = tuple(
            self._published(row, known.get(row["kid"])) for row in sorted(rows, key=lambda row: str(row["kid"]))
        )

    async def refresh(self, database: Database) -> None:
        """Reads again what other processes made or retired."""
        async with database.raw() as tx:
            await self.load(tx)

    @asynccontextmanager
    async def refreshing(self, database: Database) -> AsyncIterator[None]:
        """Looks for new keys every minute while the block runs."""

        async def look() -> None:
            while True:
                await asyncio.sleep(REFRESH_SECONDS)
                try:
                    await self.refresh(database)
                except Unavailable as gone:
                    log.warning("oidc.keys", code=gone.code)

        task = asyncio.create_task(look())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def add(self, tx: Tx, alg: str, *, signs_in: timedelta) -> str:
        """Makes and stores a key that is published now and signs later; gives its kid."""
        made, now = SigningKey.generate(alg), self._clock.now()
        sealed = self._vault.seal_system(_label(made.kid), orjson.dumps(made.private_jwk()))
        await tx.run(_INSERT, kid=made.kid, alg=alg, sealed=sealed, published_at=now, active_at=now + signs_in)
        return made.kid

    def signing(self, alg: str) -> SigningKey:
        """The key to sign with now."""
        return signing_key(self._keys, alg, self._clock.now())

    def verification_keys(self) -> list[VerificationKey]:
        """Every published key."""
        now = self._clock.now()
        return [each.public for each in self._keys if each.is_published(now)]

    def jwks(self) -> dict[str, Any]:
        """The published key set (RFC 7517): public members only."""
        return {"keys": [key.public_jwk() for key in self.verification_keys()]}

    def _published(self, row: Any, known: SigningKey | None) -> PublishedKey:
        key = known or SigningKey.from_jwk(orjson.loads(self._vault.unseal_system(_label(row["kid"]), row["sealed"])))
        return PublishedKey(key, key.public(), row["published_at"], row["active_at"], row["retired_at"])


def _label(kid: str) -> str:
    return f"oidc.signing_keys/{kid}"

"""Rows of signing keys: reading, making, and turning into keys that sign."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import orjson
from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.dialects.postgresql import JSONB

from core.database import Query, Tx
from core.jose import SigningKey
from oidc.signing_key_rules import KeyTimes
from oidc.tables import SigningKeyRow
from privacy.vault.api import HardwarePlace, Vault

_LOCK_NUMBER = 0x6F696463
"""Whoever makes, rotates or revokes keys does so alone; "oidc" in ASCII."""

_C: Any = SigningKeyRow.__table__.c  # type: ignore[attr-defined]
_ALL = Query(select(*_C).order_by(_C.alg, _C.active_at, _C.kid))
_LOCK = Query(select(func.pg_advisory_xact_lock(bindparam("number"))))
_TRY_LOCK = Query(select(func.pg_try_advisory_xact_lock(bindparam("number")).label("got")))
_INSERT = Query(
    insert(SigningKeyRow).values(
        kid=bindparam("kid"),
        alg=bindparam("alg"),
        sealed=bindparam("sealed", type_=_C.sealed.type),
        token_label=bindparam("token_label", type_=_C.token_label.type),
        public_jwk=bindparam("public_jwk", type_=JSONB(none_as_null=True)),
        published_at=bindparam("published_at", type_=_C.published_at.type),
        active_at=bindparam("active_at", type_=_C.active_at.type),
    )
)


@dataclass(frozen=True, slots=True)
class Made:
    """A fresh key, not stored yet: sealed, or in a token under a label."""

    kid: str
    alg: str
    sealed: bytes | None = field(repr=False)
    token_label: str | None
    public_jwk: Mapping[str, Any] | None


class SigningKeyStore:
    """Knows where private halves are: sealed by the vault, or in the hardware token.

    makes_in_hardware: where new ones are made; those that exist are used wherever they are.
    """

    def __init__(self, vault: Vault, place: HardwarePlace | None = None, *, makes_in_hardware: bool = False) -> None:
        self._vault = vault
        self._place = place
        self._in_hardware = makes_in_hardware
        self._token: Any = None

    @staticmethod
    async def lock(tx: Tx) -> None:
        """Waits until no other process changes keys; until the end of the transaction."""
        await tx.rows(_LOCK, number=_LOCK_NUMBER)

    @staticmethod
    async def try_lock(tx: Tx) -> bool:
        """As `lock`, but False when another process does it already."""
        row = await tx.row(_TRY_LOCK, number=_LOCK_NUMBER)
        return row is not None and bool(row["got"])

    @staticmethod
    async def rows(tx: Tx) -> Sequence[Mapping[str, Any]]:
        """Every key there ever was, by algorithm and time."""
        return await tx.rows(_ALL)

    async def make(self, algs: Iterable[str]) -> list[Made]:
        """Fresh keys, each in a thread: an RSA key takes its time. Raises VaultError."""
        return list(await asyncio.gather(*(asyncio.to_thread(self._make, alg) for alg in algs)))

    async def add(self, tx: Tx, made: Made, *, published_at: datetime, active_at: datetime) -> None:
        """Stores a key."""
        await tx.run(
            _INSERT,
            kid=made.kid,
            alg=made.alg,
            sealed=made.sealed,
            token_label=made.token_label,
            public_jwk=made.public_jwk,
            published_at=published_at,
            active_at=active_at,
        )

    def opened(self, row: Mapping[str, Any]) -> SigningKey:
        """The key of a row that still has its private half. Raises VaultError, SealBroken."""
        label = row["token_label"]
        if label is not None:
            sign = partial(self._hardware().sign, label, row["alg"])
            return SigningKey.held(row["public_jwk"], sign)
        kept = orjson.loads(self._vault.unseal_system(_label(row["kid"]), row["sealed"]))
        return SigningKey.from_jwk(kept, as_kept=True)

    def destroy(self, labels: Iterable[str]) -> None:
        """Removes private halves from the token, after the rows have forgotten them. Waits for the token."""
        for label in labels:
            self._hardware().destroy_signing_key(label)

    def _make(self, alg: str) -> Made:
        if self._in_hardware:
            label, members = self._hardware().make_signing_key(alg)
            public = SigningKey.held({**members, "alg": alg}, lambda _: b"").public().public_jwk()
            return Made(public["kid"], alg, None, label, public)
        made = SigningKey.generate(alg)
        sealed = self._vault.seal_system(_label(made.kid), orjson.dumps(made.private_jwk()))
        return Made(made.kid, alg, sealed, None, None)

    def _hardware(self) -> Any:
        if self._token is None:
            if self._place is None:
                raise LookupError("a signing key is in a hardware token, and no token is configured")
            self._token = self._place.open()
        return self._token


def times(row: Mapping[str, Any]) -> KeyTimes:
    """What the rules look at."""
    return KeyTimes(
        kid=row["kid"],
        alg=row["alg"],
        published_at=row["published_at"],
        active_at=row["active_at"],
        retired_at=row["retired_at"],
        revoked_at=row["revoked_at"],
        token_label=row["token_label"],
        erased=row["sealed"] is None and row["token_label"] is None,
    )


def _label(kid: str) -> str:
    return f"oidc.signing_keys/{kid}"

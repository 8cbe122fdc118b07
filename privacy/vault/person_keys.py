"""Keys of persons: one row each, sealed by the data key of the bucket. Destroying the row erases.

A key is kept in memory only when its row is surely committed. A row made by a transaction that may still
roll back is used but not kept: a value sealed later by a key that was never stored could not be opened
again. What is kept lives for a minute, so that a destroyed key is forgotten everywhere within it.
"""

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ARRAY, LargeBinary, Uuid, bindparam, delete, text

from core.database import Query, Reads, Tx
from privacy.vault.aead import KEY_BYTES, SealingKey, record_context
from privacy.vault.errors import KeyMissing, SealBroken
from privacy.vault.keyring import Keyring
from privacy.vault.tables import PersonKeyRow

log = structlog.get_logger(__name__)

KEPT_SECONDS = 60.0
KEPT_KEYS = 5_000
"""About 3 KB each, most of it the cipher's own state."""
TABLE = "privacy.person_keys"

# `settled`: the inserting transaction is older than every one still running, and the row is seen: so it is
# committed. Compared by age(), which survives the wrap-around of transaction numbers.
_FIND = Query(
    text(
        "SELECT person_id, sealed, age(xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid) AS settled"
        " FROM privacy.person_keys WHERE person_id = ANY(:ids)"
    ).bindparams(bindparam("ids", type_=ARRAY(Uuid)))
)
_ADD = Query(
    text(
        "INSERT INTO privacy.person_keys (person_id, sealed)"
        " SELECT * FROM unnest(:ids, :sealed) ON CONFLICT (person_id) DO NOTHING"
    ).bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("sealed", type_=ARRAY(LargeBinary)))
)
_T: Any = PersonKeyRow.__table__  # type: ignore[attr-defined]
_DESTROY = Query(delete(_T).where(_T.c.person_id == bindparam("person_id")))


class PersonKey:
    """The key of one person, unwrapped."""

    __slots__ = ("_key", "person_id")

    def __init__(self, person_id: UUID, key: SealingKey) -> None:
        self.person_id = person_id
        self._key = key

    def __repr__(self) -> str:
        return "PersonKey(hidden)"

    def seal(self, context: bytes, plaintext: bytes) -> bytes:
        return self._key.seal(context, plaintext)

    def unseal(self, context: bytes, sealed: bytes) -> bytes:
        """Raises KeyMissing when sealed by a key of this person that was destroyed; SealBroken."""
        return self._key.unseal(context, sealed)


class PersonKeyStore:
    """Makes, finds, keeps and destroys the keys of persons."""

    def __init__(self, ring: Keyring, monotonic_seconds: Callable[[], float] = monotonic) -> None:
        self._ring = ring
        self._monotonic = monotonic_seconds
        self._kept: OrderedDict[UUID, tuple[float, PersonKey]] = OrderedDict()

    def __repr__(self) -> str:
        return f"PersonKeyStore(kept={len(self._kept)})"

    def new(self, person_id: UUID) -> bytes:
        """A fresh key, wrapped, for a person who is being entered; kept at once, since his id is new too."""
        key, wrapped = self._make(person_id)
        self._keep(key)
        return wrapped

    def kept(self, person_id: UUID) -> PersonKey:
        """A key that is in memory already. Raises KeyMissing: await `person_key` first."""
        entry = self._kept.get(person_id)
        if entry is None or entry[0] < self._monotonic():
            raise KeyMissing("the person's key is not loaded: await person_key() before")
        return entry[1]

    async def find(self, tx: Reads, person_ids: Iterable[UUID]) -> dict[UUID, PersonKey]:
        """The keys that exist and open; makes none. One query for those not in memory, none when all are.

        A row that does not open is left out and logged: it must not sink the others of a batch.
        """
        wanted = set(person_ids)
        now = self._monotonic()
        found: dict[UUID, PersonKey] = {}
        for person_id in wanted:
            entry = self._kept.get(person_id)
            if entry is not None and entry[0] >= now:
                found[person_id] = entry[1]
                self._kept.move_to_end(person_id)
        missing = sorted(wanted - found.keys())
        if missing:
            for row in await tx.rows(_FIND, ids=missing):
                try:
                    key = self._unwrap(row["person_id"], row["sealed"])
                except SealBroken as broken:
                    log.error("vault.person_key_broken", kind=type(broken).__name__)
                    continue
                found[key.person_id] = key
                if row["settled"]:
                    self._keep(key)
        return found

    async def make(self, tx: Tx, person_ids: Iterable[UUID]) -> dict[UUID, PersonKey]:
        """The keys, made where missing. Two makers at once end with the same key: the row decides.

        A person whose row does not open is left out.
        """
        wanted = set(person_ids)
        found = await self.find(tx, wanted)
        missing = sorted(wanted - found.keys())  # sorted: two makers lock in the same order
        if missing:
            await self.add(tx, [(person_id, self._make(person_id)[1]) for person_id in missing])
            found.update(await self.find(tx, missing))
        return found

    async def add(self, tx: Tx, wrapped: Sequence[tuple[UUID, bytes]]) -> None:
        """Stores wrapped keys made by `new`; one that exists already stays as it is."""
        await tx.run(_ADD, ids=[person_id for person_id, _ in wrapped], sealed=[key for _, key in wrapped])

    async def destroy(self, tx: Tx, person_id: UUID) -> bool:
        """Deletes the key: contacts and journal content sealed by it are gone. False when there was none."""
        self._kept.pop(person_id, None)
        return await tx.run(_DESTROY, person_id=person_id) > 0

    def _make(self, person_id: UUID) -> tuple[PersonKey, bytes]:
        raw, key_id = os.urandom(KEY_BYTES), os.urandom(4)
        wrapped = self._ring.of_person("person", person_id).seal(_context(person_id), key_id + raw)
        return PersonKey(person_id, SealingKey(raw, int.from_bytes(key_id, "big"))), wrapped

    def _unwrap(self, person_id: UUID, wrapped: bytes) -> PersonKey:
        opened = self._ring.of_person("person", person_id).unseal(_context(person_id), wrapped)
        if len(opened) != 4 + KEY_BYTES:
            raise SealBroken("a person's key has the wrong length")
        return PersonKey(person_id, SealingKey(opened[4:], int.from_bytes(opened[:4], "big")))

    def _keep(self, key: PersonKey) -> None:
        self._kept[key.person_id] = (self._monotonic() + KEPT_SECONDS, key)
        self._kept.move_to_end(key.person_id)
        if len(self._kept) > KEPT_KEYS:
            self._kept.popitem(last=False)


def _context(person_id: UUID) -> bytes:
    return record_context(TABLE, person_id, "person", 0)

"""Keeping what people say of themselves: one sealed row a person, under his own key; erased with it."""

import uuid

import orjson
from sqlalchemy import bindparam, delete, select, text

from core.clock import Clock
from core.database import Query, Reads, Tx
from core.errors import Conflict
from core.record import record
from identity.self_declared import SelfDeclared
from identity.tables import SelfDeclaredRow
from privacy.vault.api import KeyMissing, SealBroken, Vault

_TABLE = "identity.self_declared"
_GROUP = "contact"  # sealed as contacts are: by a key of the person's own, destroyed to erase

_C = SelfDeclaredRow.__table__.c  # type: ignore[attr-defined]
_FIND = Query(select(_C.version, _C.sealed, _C.updated_at).where(_C.person_id == bindparam("person_id")))
_WRITE = Query(
    text(
        """
        INSERT INTO identity.self_declared (person_id, version, sealed, updated_at)
        VALUES (:person_id, :version, :sealed, :now)
        ON CONFLICT (person_id) DO UPDATE
            SET version = excluded.version, sealed = excluded.sealed, updated_at = excluded.updated_at
            WHERE self_declared.version = :seen
        """
    )
)
_ERASE = Query(
    delete(SelfDeclaredRow.__table__).where(_C.person_id == bindparam("of_person"), _C.version == bindparam("seen"))  # type: ignore[attr-defined]
)


@record
class Kept:
    """What is kept, with the version a change has to name; 0 when nothing is kept."""

    version: int
    declared: SelfDeclared


class SelfDeclarations:
    """One per process. What leaves the house goes through consent's disclosure door."""

    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock

    async def read(self, tx: Reads, person_id: uuid.UUID) -> SelfDeclared:
        """What a person says of himself; nothing when he says nothing or his key was destroyed."""
        return (await self.kept(tx, person_id)).declared

    async def kept(self, tx: Reads, person_id: uuid.UUID) -> Kept:
        """The same, with its version."""
        row = await tx.row(_FIND, person_id=person_id)
        if row is None:
            return Kept(0, SelfDeclared())
        key = (await self._vault.find_person_keys(tx, [person_id])).get(person_id)
        if key is None:
            return Kept(row["version"], SelfDeclared())
        try:
            said = self._vault.unseal(_GROUP, person_id, _TABLE, row["version"], row["sealed"], key=key)
        except (KeyMissing, SealBroken):
            return Kept(row["version"], SelfDeclared())
        return Kept(row["version"], SelfDeclared.of(orjson.loads(said), row["updated_at"]))

    async def write(self, tx: Tx, person_id: uuid.UUID, declared: SelfDeclared, *, seen: int) -> None:
        """Replaces what is kept at version `seen`; an empty declaration erases the row.

        Raises Conflict `profile-changed` when another change came between.
        """
        said = declared.said()
        if not said:
            done = await tx.run(_ERASE, of_person=person_id, seen=seen) if seen else 1
        else:
            key = await self._vault.person_key(tx, person_id)
            version = seen + 1
            sealed = self._vault.seal(_GROUP, person_id, _TABLE, version, orjson.dumps(said), key=key)
            done = await tx.run(
                _WRITE, person_id=person_id, version=version, sealed=sealed, now=self._clock.now(), seen=seen
            )
        if done != 1:
            raise Conflict(
                "profile-changed", "Your profile was changed elsewhere meanwhile. Please open the page again."
            )

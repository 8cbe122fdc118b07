"""Making the keys of a new database. Run by the owner, after the migrations; twice changes nothing."""

import os
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from core.database import Query, Tx
from privacy.vault.aead import KEY_BYTES
from privacy.vault.kek import KeyEncryptionKeys
from privacy.vault.keyring import BUCKETED, BUCKETS, SINGLE, Keyring, place_of
from privacy.vault.person_keys import PersonKeyStore
from privacy.vault.tables import VaultKey

NOBODY = UUID(int=0)
"""Stands where a line, a key or a value belongs to no person."""

_T: Any = VaultKey.__table__  # type: ignore[attr-defined]
HAVE = Query(select(*_T.c))
ADD = Query(
    insert(_T).values({name: bindparam(name) for name in _T.c.keys()}).on_conflict_do_nothing()  # noqa: SIM118
)


def buckets_of(purpose: str) -> int:
    """How many keys a purpose has per version."""
    return BUCKETS if purpose in BUCKETED else 1


def wrapped_key(keks: KeyEncryptionKeys, purpose: str, bucket: int, version: int, state: str) -> dict[str, object]:
    """A fresh random data key as a row."""
    kek_id, wrapped = keks.wrap(place_of(purpose, bucket, version), os.urandom(KEY_BYTES))
    return {
        "purpose": purpose,
        "bucket": bucket,
        "key_version": version,
        "state": state,
        "kek_id": kek_id,
        "wrapped": wrapped,
    }


async def create_missing_keys(tx: Tx, keks: KeyEncryptionKeys) -> int:
    """Version 1 of every data key that has none, and the key of lines without a subject.

    Gives the number of data keys made. Needs the owner's login.
    """
    have = {(row["purpose"], row["bucket"]) for row in await tx.rows(HAVE)}
    missing = [
        (purpose, bucket)
        for purpose in (*BUCKETED, *SINGLE)
        for bucket in range(buckets_of(purpose))
        if (purpose, bucket) not in have
    ]
    await tx.run_many(ADD, [wrapped_key(keks, purpose, bucket, 1, "active") for purpose, bucket in missing])
    # Read back: when two migrations run at once, the rows decide which keys are the keys.
    ring = Keyring.unwrap(await tx.rows(HAVE), keks)
    await PersonKeyStore(ring).make(tx, [NOBODY])
    return len(missing)

"""Rotation of keys, by the owner's login. No format changes: sealed values name their key's version.

A new version goes through three states. `next`: every process knows it at its next start, none seals with
it (for blind indexes: written, not searched). `active`: seals. `previous`: opens only, until what it sealed
has been sealed anew and it is dropped.
"""

from typing import Any

from sqlalchemy import bindparam, delete, update

from core.database import Query, Tx
from privacy.vault.create import ADD, HAVE, buckets_of, wrapped_key
from privacy.vault.errors import VaultError
from privacy.vault.kek import KeyEncryptionKeys
from privacy.vault.keyring import place_of
from privacy.vault.tables import VaultKey

_T: Any = VaultKey.__table__  # type: ignore[attr-defined]
_OF_VERSION = (_T.c.purpose == bindparam("of_purpose"), _T.c.key_version == bindparam("of_version"))
_REWRAP = Query(
    update(_T)
    .where(*_OF_VERSION, _T.c.bucket == bindparam("of_bucket"), _T.c.kek_id == bindparam("old_kek_id"))
    .values(kek_id=bindparam("kek_id"), wrapped=bindparam("wrapped"))
)
_RETIRE = Query(
    update(_T)
    .where(
        _T.c.purpose == bindparam("of_purpose"),
        _T.c.key_version != bindparam("of_version"),
        _T.c.state == "active",
    )
    .values(state="previous")
)
_ACTIVATE = Query(update(_T).where(*_OF_VERSION, _T.c.state == "next").values(state="active"))
_DROP = Query(delete(_T).where(*_OF_VERSION, _T.c.state == "previous"))


async def rewrap(tx: Tx, keks: KeyEncryptionKeys) -> int:
    """Wraps every data key anew under the active key-encryption key; gives how many were under another.

    Afterwards the old key-encryption key may be taken out of the file. Raises VaultError.
    """
    done = 0
    for row in await tx.rows(HAVE):
        if row["kek_id"] == keks.active:
            continue
        place = place_of(row["purpose"], row["bucket"], row["key_version"])
        kek_id, wrapped = keks.wrap(place, keks.unwrap(row["kek_id"], place, row["wrapped"]))
        done += await tx.run(
            _REWRAP,
            kek_id=kek_id,
            wrapped=wrapped,
            of_purpose=row["purpose"],
            of_bucket=row["bucket"],
            of_version=row["key_version"],
            old_kek_id=row["kek_id"],
        )
    return done


async def add_key_version(tx: Tx, keks: KeyEncryptionKeys, purpose: str) -> int:
    """Makes the next version of a purpose's keys, in state `next`; gives its number.

    Raises VaultError for an unknown purpose, for `pseudonyms` (a new key would change every subject), and
    while another version waits.
    """
    if purpose == "pseudonyms":
        raise VaultError("the pseudonym key is never rotated: every subject would change")
    rows = [row for row in await tx.rows(HAVE) if row["purpose"] == purpose]
    if not rows:
        raise VaultError(f"there is no purpose {purpose}")
    if any(row["state"] == "next" for row in rows):
        raise VaultError(f"{purpose}: another version waits already")
    version = max(int(row["key_version"]) for row in rows) + 1
    await tx.run_many(
        ADD, [wrapped_key(keks, purpose, bucket, version, "next") for bucket in range(buckets_of(purpose))]
    )
    return version


async def activate_key_version(tx: Tx, purpose: str, key_version: int) -> None:
    """Makes a waiting version the one that seals (or is searched). Every process must have loaded it.

    Raises VaultError when the version does not wait, completely.
    """
    await tx.run(_RETIRE, of_purpose=purpose, of_version=key_version)
    if await tx.run(_ACTIVATE, of_purpose=purpose, of_version=key_version) != buckets_of(purpose):
        raise VaultError(f"{purpose}: version {key_version} does not wait to be activated")


async def drop_key_version(tx: Tx, purpose: str, key_version: int) -> int:
    """Deletes a previous version. The caller has counted that nothing is sealed by it any more."""
    return await tx.run(_DROP, of_purpose=purpose, of_version=key_version)

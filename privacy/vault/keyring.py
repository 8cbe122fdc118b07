"""The unwrapped data keys of one process."""

from collections.abc import Iterable
from uuid import UUID

from core.database import Row
from privacy.vault.aead import SealingKey, key_id_of
from privacy.vault.errors import KeyMissing, VaultError
from privacy.vault.kek import KeyEncryptionKeys

BUCKETS = 256
"""Data keys per field group; a person's bucket is the last (random) byte of his id."""

BUCKETED = ("civil", "family", "residence", "sensitive", "person")
"""Purposes with a key per bucket: the field groups, and the one that wraps the persons' keys."""

SINGLE = ("index", "system", "pseudonyms")
"""Purposes with one key: blind indexes, secrets of the service itself, pairwise subjects."""


def place_of(purpose: str, bucket: int, key_version: int) -> bytes:
    """What a wrapped key is bound to, so that two rows cannot be exchanged."""
    name = purpose.encode()
    return len(name).to_bytes(1, "big") + name + bucket.to_bytes(2, "big") + key_version.to_bytes(4, "big")


class KeyVersions:
    """All versions of one data key: the active one seals, every one opens."""

    __slots__ = ("_by_id", "active")

    def __init__(self, active: SealingKey, by_id: dict[int, SealingKey]) -> None:
        self.active = active
        self._by_id = by_id

    def __repr__(self) -> str:
        return f"KeyVersions(active={self.active.key_id}, versions={sorted(self._by_id)})"

    def seal(self, context: bytes, plaintext: bytes) -> bytes:
        return self.active.seal(context, plaintext)

    def unseal(self, context: bytes, sealed: bytes) -> bytes:
        """Opens with the version the value names. Raises KeyMissing, SealBroken."""
        key_id = key_id_of(sealed)
        key = self._by_id.get(key_id)
        if key is None:
            raise KeyMissing(f"version {key_id} of the data key is not loaded")
        return key.unseal(context, sealed)


class Keyring:
    """Sealing keys by purpose and bucket; raw keys only for the purposes that compute with them."""

    __slots__ = ("_raw", "_sealing", "active_index", "active_secret")

    def __init__(self) -> None:
        self._sealing: dict[str, list[KeyVersions | None]] = {}
        self._raw: dict[str, dict[int, bytes]] = {}
        self.active_index = 0
        self.active_secret: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"Keyring(purposes={sorted({*self._sealing, *self._raw})}, keys=hidden)"

    @classmethod
    def unwrap(cls, rows: Iterable[Row], keks: KeyEncryptionKeys) -> "Keyring":
        """Unwraps every row. Raises VaultError when one does not open, or a purpose or bucket has none."""
        ring = cls()
        found: dict[tuple[str, int], dict[int, SealingKey]] = {}
        active: dict[tuple[str, int], int] = {}
        for row in rows:
            purpose, bucket, version = row["purpose"], row["bucket"], row["key_version"]
            key = keks.unwrap(row["kek_id"], place_of(purpose, bucket, version), row["wrapped"])
            if row["state"] == "active":
                active[purpose, bucket] = version
            if purpose in ("index", "pseudonyms"):
                ring._raw.setdefault(purpose, {})[version] = key
            else:
                found.setdefault((purpose, bucket), {})[version] = SealingKey(key, version)
        for (purpose, bucket), versions in found.items():
            if (purpose, bucket) in active:
                chosen = versions[active[purpose, bucket]]
                by_bucket = ring._sealing.setdefault(purpose, [None] * BUCKETS)
                by_bucket[bucket] = KeyVersions(chosen, versions)
        ring._check(active)
        ring.active_index = active["index", 0]
        ring.active_secret = {"pseudonyms": active["pseudonyms", 0]}
        return ring

    @staticmethod
    def _check(active: dict[tuple[str, int], int]) -> None:
        for purpose in (*BUCKETED, *SINGLE):
            buckets = BUCKETS if purpose in BUCKETED else 1
            for bucket in range(buckets):
                if (purpose, bucket) not in active:
                    raise VaultError(f"no active data key for {purpose}, bucket {bucket}: run `migrate`")

    def of_person(self, purpose: str, person_id: UUID) -> KeyVersions:
        """The data key of a purpose for a person's bucket. Raises KeyMissing for an unknown purpose."""
        return self.of_bucket(purpose, person_id.int & 0xFF)

    def of_bucket(self, purpose: str, bucket: int) -> KeyVersions:
        by_bucket = self._sealing.get(purpose)
        key = None if by_bucket is None else by_bucket[bucket]
        if key is None:
            raise KeyMissing(f"there is no data key for {purpose}")
        return key

    def raw(self, purpose: str) -> dict[int, bytes]:
        """Key versions of a purpose that computes with the bytes themselves."""
        return self._raw[purpose]

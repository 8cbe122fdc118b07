"""The vault as one process holds it: loaded once, then only memory, except for keys of persons."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from core.database import Reads, Tx
from privacy.vault import create
from privacy.vault.aead import label_context, record_context
from privacy.vault.blind import Blind, BlindIndexes
from privacy.vault.errors import SealBroken, VaultError
from privacy.vault.kek import KeyEncryptionKeys
from privacy.vault.keyring import Keyring
from privacy.vault.person_keys import PersonKey, PersonKeyStore

BUCKET_GROUPS = frozenset({"civil", "family", "residence", "sensitive"})
"""Field groups sealed by the data key of the person's bucket."""

PERSON_GROUPS = frozenset({"contact", "journal"})
"""Groups sealed by the person's own key, so that destroying it erases them."""


class Vault:
    """Seals, opens, blinds. Never shows a key."""

    def __init__(self, ring: Keyring) -> None:
        self._ring = ring
        self._people = PersonKeyStore(ring)
        self._index = BlindIndexes(ring)
        self._system = ring.of_bucket("system", 0)

    def __repr__(self) -> str:
        return "Vault(keys=hidden)"

    @staticmethod
    async def create_missing_keys(tx: Tx, keks: KeyEncryptionKeys) -> int:
        """Makes what a new database lacks (see `create`); the owner's login. Raises VaultError."""
        return await create.create_missing_keys(tx, keks)

    @classmethod
    async def load(cls, tx: Reads, keks: KeyEncryptionKeys) -> "Vault":
        """Reads and unwraps all data keys; the key-encryption keys are not kept. Raises VaultError.

        Outside a transaction where the keys may be in hardware: it is asked for more than a thousand, and a transaction
        that does nothing is ended by the database.
        """
        return cls(Keyring.unwrap(await tx.rows(create.HAVE), keks))

    # --- values of persons -------------------------------------------------------------------------------

    def seal(
        self,
        group: str,
        person_id: UUID,
        table: str,
        version: int,
        plaintext: bytes,
        *,
        key: PersonKey | None = None,
    ) -> bytes:
        """Seals one field group of one row.

        table: e.g. "population_db.civil". version: the row's version number, 0 and up. key: the person's
        key, for the groups `contact` and `journal`; without it the key must be in memory (made by
        `new_person_key` or fetched by `person_key` before), or KeyMissing is raised.
        """
        context = record_context(table, person_id, group, version)
        if group in BUCKET_GROUPS:
            return self._ring.of_person(group, person_id).seal(context, plaintext)
        return self._key_of(group, person_id, key).seal(context, plaintext)

    def unseal(
        self,
        group: str,
        person_id: UUID,
        table: str,
        version: int,
        sealed: bytes,
        *,
        key: PersonKey | None = None,
    ) -> bytes:
        """Opens what `seal` made for the same place. Raises SealBroken, KeyMissing."""
        context = record_context(table, person_id, group, version)
        if group in BUCKET_GROUPS:
            return self._ring.of_person(group, person_id).unseal(context, sealed)
        return self._key_of(group, person_id, key).unseal(context, sealed)

    def _key_of(self, group: str, person_id: UUID, key: PersonKey | None) -> PersonKey:
        if group not in PERSON_GROUPS:
            raise VaultError(f"there is no field group {group}")
        if key is None:
            return self._people.kept(person_id)
        if key.person_id != person_id:
            raise VaultError("the key belongs to another person")
        return key

    # --- secrets of the service --------------------------------------------------------------------------

    def seal_system(self, label: str, plaintext: bytes) -> bytes:
        """Seals a secret of the service (an authenticator's seed, a signing key) for the place `label`."""
        return self._system.seal(label_context(label), plaintext)

    def unseal_system(self, label: str, sealed: bytes) -> bytes:
        """Opens what `seal_system` made for the same label. Raises SealBroken, KeyMissing."""
        return self._system.unseal(label_context(label), sealed)

    def secret(self, name: str) -> bytes:
        """A 32-byte secret that a room computes with: only "pseudonyms". Raises VaultError."""
        if name != "pseudonyms":
            raise VaultError(f"there is no secret {name}")
        return self._ring.raw(name)[self._ring.active_secret[name]]

    # --- blind indexes -----------------------------------------------------------------------------------

    def blind(self, kind: str, value: str | bytes) -> Blind:
        """The blind index to search by."""
        return self._index.blind(kind, value)

    def blinds(self, kind: str, value: str | bytes) -> list[Blind]:
        """The blind indexes to write: every live key version."""
        return self._index.blinds(kind, value)

    # --- keys of persons ---------------------------------------------------------------------------------

    def new_person_key(self, person_id: UUID) -> bytes:
        """A fresh key for a person who is being entered, wrapped, to be stored by `add_person_keys`.

        It is in memory at once, so `seal("contact", …)` works right after.
        """
        return self._people.new(person_id)

    async def add_person_keys(self, tx: Tx, wrapped: Sequence[tuple[UUID, bytes]]) -> None:
        """Stores keys made by `new_person_key` (a bulk import may COPY them: see PERSON_KEYS_COPY)."""
        await self._people.add(tx, wrapped)

    async def person_key(self, tx: Tx, person_id: UUID) -> PersonKey:
        """The person's key, made in this transaction when missing. Raises SealBroken when it does not open.

        Do not disclose about the same person before this transaction ends: the journal would wait for it.
        To open only, use `find_person_keys`, which makes none.
        """
        key = (await self._people.make(tx, [person_id])).get(person_id)
        if key is None:
            raise SealBroken("the person's key does not open")
        return key

    async def find_person_keys(self, tx: Reads, person_ids: Iterable[UUID]) -> Mapping[UUID, PersonKey]:
        """The keys that exist, for opening; makes none."""
        return await self._people.find(tx, person_ids)

    async def make_person_keys(self, tx: Tx, person_ids: Iterable[UUID]) -> Mapping[UUID, PersonKey]:
        """The keys, made where missing."""
        return await self._people.make(tx, person_ids)

    async def destroy_person_key(self, tx: Tx, person_id: UUID) -> bool:
        """Erases contacts and journal content of a person by destroying his key (other processes forget
        it within a minute). False when there was none. Needs the worker's login.
        """
        return await self._people.destroy(tx, person_id)

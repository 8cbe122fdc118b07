"""The door of the vault."""

from privacy.vault.aead import OVERHEAD_BYTES
from privacy.vault.blind import Blind
from privacy.vault.errors import KeyMissing, SealBroken, VaultError
from privacy.vault.hardware_place import HardwarePlace
from privacy.vault.kek import KeyEncryptionKeys
from privacy.vault.person_keys import PersonKey
from privacy.vault.rotate import activate_key_version, add_key_version, drop_key_version, rewrap
from privacy.vault.vault import BUCKET_GROUPS, PERSON_GROUPS, Vault

PERSON_KEYS_COPY = ("privacy", "person_keys", ("person_id", "sealed"))
"""Schema, table and columns for a COPY of `(person_id, vault.new_person_key(person_id))` rows."""

__all__ = [
    "BUCKET_GROUPS",
    "OVERHEAD_BYTES",
    "PERSON_GROUPS",
    "PERSON_KEYS_COPY",
    "Blind",
    "HardwarePlace",
    "KeyEncryptionKeys",
    "KeyMissing",
    "PersonKey",
    "SealBroken",
    "Vault",
    "VaultError",
    "activate_key_version",
    "add_key_version",
    "drop_key_version",
    "rewrap",
]

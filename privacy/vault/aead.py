"""The one sealed format, and the key object that makes and opens it.

    version (1 byte) ‖ key id (4 bytes, big-endian) ‖ nonce (12) ‖ AES-256-GCM ciphertext and tag

The associated data is the first five bytes and a context that names the place of the value, so that a
ciphertext copied to another row, group or version does not open. The key id is the version of a data key
or the random number of a person's key: a rotation needs no other format. Nonces are random; NIST SP 800-38D
§8.3 allows 2^32 messages for a key with random nonces, and a data key here sees one 256th of a field group.
"""

import os
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privacy.vault.errors import KeyMissing, SealBroken

FORMAT = 1
KEY_BYTES = 32
NONCE_BYTES = 12
HEAD_BYTES = 5
OVERHEAD_BYTES = HEAD_BYTES + NONCE_BYTES + 16
"""What sealing adds to a plaintext."""


class SealingKey:
    """An AES-256-GCM key with its id. Shows neither itself nor its bytes."""

    __slots__ = ("_aead", "_head", "key_id")

    def __init__(self, key: bytes, key_id: int) -> None:
        """key: 32 bytes. key_id: 0..2^32-1, written into each sealed value."""
        if len(key) != KEY_BYTES:
            raise ValueError("a key has 32 bytes")
        self._aead = AESGCM(key)
        self._head = bytes((FORMAT,)) + key_id.to_bytes(4, "big")
        self.key_id = key_id

    def __repr__(self) -> str:
        return f"SealingKey(key_id={self.key_id}, key=hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a key is not copied or pickled")

    def seal(self, context: bytes, plaintext: bytes) -> bytes:
        """Seals for the place that `context` names."""
        nonce = os.urandom(NONCE_BYTES)
        return self._head + nonce + self._aead.encrypt(nonce, plaintext, self._head + context)

    def unseal(self, context: bytes, sealed: bytes) -> bytes:
        """Opens. Raises KeyMissing for another key's id, SealBroken for anything else that does not fit."""
        if sealed[:HEAD_BYTES] != self._head:
            if key_id_of(sealed) != self.key_id:
                raise KeyMissing(f"sealed by key {key_id_of(sealed)}, this is key {self.key_id}")
            raise SealBroken("unknown format")
        try:
            return self._aead.decrypt(
                sealed[HEAD_BYTES : HEAD_BYTES + NONCE_BYTES],
                sealed[HEAD_BYTES + NONCE_BYTES :],
                self._head + context,
            )
        except (InvalidTag, ValueError):
            raise SealBroken("the sealed value does not open here") from None


def key_id_of(sealed: bytes) -> int:
    """The id of the key that sealed a value. Raises SealBroken when the format is not ours."""
    if len(sealed) < OVERHEAD_BYTES or sealed[0] != FORMAT:
        raise SealBroken("not a sealed value of a known format")
    return int.from_bytes(sealed[1:HEAD_BYTES], "big")


@lru_cache(maxsize=256)
def _place(table: str, group: str) -> bytes:
    # Lengths before the names: ("ab", "c") and ("a", "bc") must not give the same bytes.
    names = (table.encode(), group.encode())
    return b"".join(len(name).to_bytes(2, "big") + name for name in names)


def record_context(table: str, person_id: UUID, group: str, version: int) -> bytes:
    """The associated data of a person's value: table, group, person, version of the row."""
    return _place(table, group) + person_id.bytes + version.to_bytes(8, "big")


def label_context(label: str) -> bytes:
    """The associated data of a value that belongs to no person."""
    return b"\xff\xff" + label.encode()

"""Key-encryption keys, from a file of mode 0600 or in a hardware token (privacy/vault/hardware.py).

    {"active": "1", "keys": {"1": "<base64 of 32 bytes>"}}

Several ids may stand in the file: `active` wraps, all unwrap. After `rewrap` an old id may be taken out.
"""

import base64
import binascii
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privacy.vault.aead import KEY_BYTES, NONCE_BYTES
from privacy.vault.errors import VaultError

if TYPE_CHECKING:
    from privacy.vault.hardware import HardwareToken

_WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + 16


class Wrapper(Protocol):
    """AES-256-GCM by one key, wherever that key is: VaultError when it is not reached. `decrypt` raises InvalidTag."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes: ...


class KeyEncryptionKeys:
    """The keys that wrap the data keys. They never seal anything else and never reach the database."""

    __slots__ = ("_keys", "active")

    def __init__(self, keys: dict[str, bytes], active: str, held: Mapping[str, Wrapper] | None = None) -> None:
        """keys: id → 32 bytes. held: keys that are used where they are.

        Raises VaultError when a key has another length or `active` is not there.
        """
        if active not in {*keys, *(held or {})}:
            raise VaultError("the active key-encryption key is not there")
        for name, key in keys.items():
            if len(key) != KEY_BYTES or not 0 < len(name) <= 64:
                raise VaultError(f"key-encryption key {name[:64]!r} does not have 32 bytes")
        self._keys: dict[str, Wrapper] = {**{name: AESGCM(key) for name, key in keys.items()}, **(held or {})}
        self.active = active

    def __repr__(self) -> str:
        return f"KeyEncryptionKeys(ids={sorted(self._keys)}, active={self.active!r}, keys=hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a key is not copied or pickled")

    @classmethod
    def from_file(cls, path: Path) -> "KeyEncryptionKeys":
        """Reads the file. Raises VaultError, naming the file, when missing, open to others, or wrong."""
        return cls(*_content(path))

    @classmethod
    def create(cls, path: Path) -> "KeyEncryptionKeys":
        """Makes the file with one random key, id "1", mode 0600. Raises VaultError when it exists."""
        content = {"active": "1", "keys": {"1": base64.b64encode(os.urandom(KEY_BYTES)).decode()}}
        try:
            _write_new(path, json.dumps(content))
        except FileExistsError:
            raise VaultError(f"{path.name}: exists already, a key file is never overwritten") from None
        return cls.from_file(path)

    @classmethod
    def add(cls, path: Path) -> "KeyEncryptionKeys":
        """Adds a random key under the next free id and makes it active; the others stay. Then `rewrap`."""
        cls.from_file(path)
        content = json.loads(path.read_text())
        fresh = str(max((int(name) for name in content["keys"] if name.isdigit()), default=0) + 1)
        content["keys"][fresh] = base64.b64encode(os.urandom(KEY_BYTES)).decode()
        content["active"] = fresh
        beside = path.with_name(path.name + ".new")
        beside.unlink(missing_ok=True)
        _write_new(beside, json.dumps(content))
        beside.replace(path)  # atomic: a crash leaves the old file or the new one, never half a file
        return cls.from_file(path)

    @classmethod
    def in_hardware(cls, token: "HardwareToken", path: Path | None = None) -> "KeyEncryptionKeys":
        """The keys in a token: the newest wraps. path: a file whose keys still unwrap, until after `rewrap`.

        The token is asked when a data key is unwrapped, at the start of a process, and not after. Raises VaultError.
        """
        ids = token.kek_ids()
        if not ids:
            raise VaultError("the token holds no key-encryption key: run `dinhdanh keys kek-add`")
        keys = _content(path)[0] if path is not None else {}
        return cls(keys, ids[-1], {name: token.kek(name) for name in ids})

    def wrap(self, place: bytes, key: bytes) -> tuple[str, bytes]:
        """Wraps a data key for the row that `place` names; gives the id of the wrapping key and the bytes."""
        nonce = os.urandom(NONCE_BYTES)
        return self.active, nonce + self._keys[self.active].encrypt(nonce, key, _bound(self.active, place))

    def unwrap(self, kek_id: str, place: bytes, wrapped: bytes) -> bytes:
        """Unwraps. Raises VaultError when the id is unknown, the row was changed, or the key cannot be reached."""
        kek = self._keys.get(kek_id)
        if kek is None:
            raise VaultError(f"key-encryption key {kek_id!r} is not there")
        if len(wrapped) != _WRAPPED_BYTES:
            raise VaultError("a wrapped key has the wrong length")
        try:
            return kek.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _bound(kek_id, place))
        except InvalidTag:
            raise VaultError(f"a data key does not unwrap under key-encryption key {kek_id!r}") from None


def _bound(kek_id: str, place: bytes) -> bytes:
    name = kek_id.encode()
    return b"dinhdanh data key 1" + len(name).to_bytes(1, "big") + name + place


def _content(path: Path) -> tuple[dict[str, bytes], str]:
    text = _read_private(path)
    try:
        content = json.loads(text)
        keys = {str(name): base64.b64decode(key, validate=True) for name, key in content["keys"].items()}
        return keys, str(content["active"])
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise VaultError(f"{path.name}: not a file of key-encryption keys") from None


def _read_private(path: Path) -> str:
    try:
        with path.open() as file:
            # Asked of the open file, so that nobody swaps it between the look and the reading.
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode) or mode & 0o077:
                raise VaultError(f"{path.name}: may be read by others; its mode must be 0600")
            return file.read(1 << 20)
    except OSError as error:
        raise VaultError(f"{path.name}: cannot be read ({error.strerror})") from None


def _write_new(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())

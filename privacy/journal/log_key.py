"""The key that signs checkpoints: Ed25519, in a file of mode 0600 (PEM, PKCS#8). Only the worker reads it.

It does not lie in the database, not even wrapped: whoever owns the database can neither use nor exchange it.
"""

import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privacy.journal.note import Signer, origin_of, verifier_key


class LogKeyError(Exception):
    """The file of the log key is missing, open to others, or holds something else."""


class LogKey:
    """The signing key of the log."""

    __slots__ = ("_key", "public_key")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key: bytes = key.public_key().public_bytes_raw()
        """32 bytes (RFC 8032)."""

    def __repr__(self) -> str:
        return "LogKey(hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a key is not copied or pickled")

    @classmethod
    def create(cls, path: Path) -> "LogKey":
        """Makes the file, mode 0600. Raises LogKeyError when it exists: a log has one key."""
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise LogKeyError(f"{path.name}: exists already, a log key is never overwritten") from None
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        return cls(key)

    @classmethod
    def from_file(cls, path: Path) -> "LogKey":
        """Reads the file. Raises LogKeyError."""
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                if not stat.S_ISREG(mode) or mode & 0o077:
                    raise LogKeyError(f"{path.name}: may be read by others; its mode must be 0600")
                key = serialization.load_pem_private_key(file.read(1 << 16), password=None)
        except OSError as error:
            raise LogKeyError(f"{path.name}: cannot be read ({error.strerror})") from None
        except (ValueError, TypeError):
            raise LogKeyError(f"{path.name}: not a private key in PEM") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise LogKeyError(f"{path.name}: not an Ed25519 key")
        return cls(key)

    def signer(self, issuer: str) -> Signer:
        """Signs for the log of an issuer (see `origin_of`)."""
        return Signer(origin_of(issuer), self._key)

    def verifier_key(self, issuer: str) -> str:
        """The public key as text, to be handed to verifiers and witnesses (C2SP signed-note `vkey`)."""
        return verifier_key(origin_of(issuer), self.public_key)

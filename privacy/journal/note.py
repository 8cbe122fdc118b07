"""Signed notes (C2SP signed-note v1.0.0) with Ed25519, as the sequencer writes them.

A note is a text that ends in a newline, an empty line, and signature lines
`— <name> <base64(key id (4) ‖ signature (64))>`, where the key id is the first four bytes of
SHA-256(name ‖ "\\n" ‖ 0x01 ‖ public key). The signature is over the text alone.
"""

import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519 = b"\x01"


def origin_of(issuer: str) -> str:
    """The log's origin: the issuer without its scheme, and the path of the journal.

    E.g. "https://id.example.vn" → "id.example.vn/journal". Raises ValueError for a name a note cannot hold.
    """
    name = issuer.partition("://")[2] + "/journal"
    if name.startswith("/") or "+" in name or any(letter.isspace() for letter in name):
        raise ValueError("the issuer gives no usable name for the log")
    return name


def key_id(name: str, public_key: bytes) -> bytes:
    """The four bytes that name a key in a signature line."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:4]


def verifier_key(name: str, public_key: bytes) -> str:
    """`name+key id+key`, the text form of a public key."""
    return f"{name}+{key_id(name, public_key).hex()}+{base64.b64encode(ED25519 + public_key).decode()}"


class Signer:
    """Signs notes under one name."""

    __slots__ = ("_key", "name", "public_key")

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self.name = name
        self._key = key
        self.public_key: bytes = key.public_key().public_bytes_raw()

    def __repr__(self) -> str:
        return f"Signer({self.name!r}, key=hidden)"

    def sign(self, text: str, name: str | None = None) -> str:
        """The note of a text. name: another key name than the signer's own."""
        named = name or self.name
        signature = key_id(named, self.public_key) + self._key.sign(text.encode())
        return f"{text}\n— {named} {base64.b64encode(signature).decode()}\n"

    def wrote(self, note: str, name: str | None = None) -> str | None:
        """The text of a note that this key signed (among others), else None."""
        text, gap, lines = note.rpartition("\n\n")
        named = name or self.name
        for line in lines.splitlines() if gap else ():
            dash, _, rest = line.partition(" ")
            signer, _, encoded = rest.partition(" ")
            if dash != "—" or signer != named:
                continue
            try:
                signed = base64.b64decode(encoded, validate=True)
                if signed[:4] == key_id(named, self.public_key):
                    self._key.public_key().verify(signed[4:], (text + "\n").encode())
                    return text + "\n"
            except (InvalidSignature, ValueError):
                return None
        return None

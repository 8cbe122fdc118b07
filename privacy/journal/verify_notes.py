"""The verifier's own reading of signed notes, checkpoints and statements (C2SP signed-note, tlog-checkpoint).

Written apart from the code that signs. Anything that is not exactly as it should be raises NoteBroken.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX_NOTE = 64 * 1024
MAX_SIGNATURES = 100
_SIGNATURE = re.compile(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_STATEMENT = re.compile(
    r"(?P<origin>[^\n]+)/chain\nserial (?P<serial>[1-9][0-9]*)\ntime (?P<time>[^\n]+)\n"
    r"checkpoint (?P<checkpoint>[0-9a-f]{64})\nbefore (?P<before>[0-9a-f]{64})\n"
)
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class NoteBroken(Exception):
    """Not a note that this key signed; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class SignedRoot:
    origin: str
    tree_size: int
    root_hash: bytes
    text: str


@dataclass(frozen=True, slots=True)
class SignedStatement:
    origin: str
    serial: int
    time: datetime
    checkpoint_sha256: bytes
    before_sha256: bytes
    text: str


def public_key_of(verifier_key: str) -> tuple[str, bytes]:
    """Name and 32-byte key out of `name+key id+key`. Raises NoteBroken."""
    parts = verifier_key.strip().split("+", 2)
    try:
        name, hint, encoded = parts
        raw = b64decode(encoded, validate=True)
    except (ValueError, NotBase64):
        raise NoteBroken("not a verifier key") from None
    if len(raw) != 33 or raw[:1] != b"\x01" or hint != _hint(name, raw[1:]).hex():
        raise NoteBroken("not a verifier key of Ed25519")
    return name, raw[1:]


def opened(note: str, name: str, public_key: bytes) -> str:
    """The text of a note signed by this key under this name. Raises NoteBroken."""
    if len(note) > MAX_NOTE or any(ord(letter) < 0x20 and letter != "\n" for letter in note):
        raise NoteBroken("not a note")
    end = note.rfind("\n\n")
    if end < 0 or not note.endswith("\n"):
        raise NoteBroken("a note without signatures")
    text, lines = note[: end + 1], note[end + 2 : -1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteBroken("too many signatures")
    for line in lines:
        match = _SIGNATURE.fullmatch(line)
        if match is None:
            raise NoteBroken("a signature line is malformed")
        try:
            signed = b64decode(match[2], validate=True)
        except NotBase64:
            raise NoteBroken("a signature line is malformed") from None
        if match[1] == name and signed[:4] == _hint(name, public_key):
            try:
                Ed25519PublicKey.from_public_bytes(public_key).verify(signed[4:], text.encode())
            except InvalidSignature:
                raise NoteBroken("the signature of the log's key is false") from None
            return text
    raise NoteBroken("not signed by the log's key")


def signed_root(note: str, public_key: bytes) -> SignedRoot:
    """Reads a checkpoint under the origin it names. Raises NoteBroken."""
    origin = note.split("\n", 1)[0]
    text = opened(note, origin, public_key)
    lines = text.split("\n")
    if len(lines) != 4 or _SIZE.fullmatch(lines[1]) is None:
        raise NoteBroken("not a checkpoint")
    try:
        root_hash = b64decode(lines[2], validate=True)
    except NotBase64:
        raise NoteBroken("not a checkpoint") from None
    if len(root_hash) != 32:
        raise NoteBroken("not a checkpoint")
    return SignedRoot(origin, int(lines[1]), root_hash, text)


def signed_statement(note: str, origin: str, public_key: bytes) -> SignedStatement:
    """Reads the statement beside a checkpoint of `origin`. Raises NoteBroken."""
    text = opened(note, f"{origin}/chain", public_key)
    match = _STATEMENT.fullmatch(text)
    if match is None or match["origin"] != origin:
        raise NoteBroken("not a statement")
    try:
        time = datetime.fromisoformat(match["time"])
    except ValueError:
        raise NoteBroken("not a statement") from None
    if time.tzinfo is None:
        raise NoteBroken("not a statement")
    return SignedStatement(
        origin,
        int(match["serial"]),
        time,
        bytes.fromhex(match["checkpoint"]),
        bytes.fromhex(match["before"]),
        text,
    )


def _hint(name: str, public_key: bytes) -> bytes:
    return sha256(b"\n".join((name.encode(), b"\x01" + public_key))).digest()[:4]

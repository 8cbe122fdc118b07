"""Checkpoints: the signed root of the tree (C2SP tlog-checkpoint), and beside it our own statement.

The checkpoint's text is the origin, the tree size and the root, nothing else: extension lines are not
recommended, and witnesses co-sign this text later. What they do not need, but our verifier does, stands in
a second note under the key name `<origin>/chain`: a serial number and the hash of the statement before, so
that a checkpoint cannot be taken out, and the time by our clock, so that a clock set back shows.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.database import Row
from privacy.journal.line import instant_text
from privacy.journal.merkle import Frontier
from privacy.journal.note import Signer

NO_STATEMENT = bytes(32)
"""Stands for the statement before the first."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A row of privacy.journal_checkpoints. frontier: the packed subtree roots at tree_size."""

    serial: int
    tree_size: int
    root_hash: bytes
    frontier: bytes
    signed_at: datetime
    note: str
    statement: str

    @classmethod
    def of_row(cls, row: Row) -> "Checkpoint":
        return cls(**{name: row[name] for name in cls.__slots__})

    def values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def checkpoint_text(origin: str, tree_size: int, root_hash: bytes) -> str:
    return f"{origin}\n{tree_size}\n{base64.b64encode(root_hash).decode()}\n"


def statement_text(origin: str, serial: int, at: datetime, checkpoint: str, before: bytes) -> str:
    """checkpoint: the checkpoint's text. before: SHA-256 of the previous statement's text."""
    return (
        f"{origin}/chain\n"
        f"serial {serial}\n"
        f"time {instant_text(at)}\n"
        f"checkpoint {hashlib.sha256(checkpoint.encode()).hexdigest()}\n"
        f"before {before.hex()}\n"
    )


def sign_checkpoint(signer: Signer, tree: Frontier, last: Checkpoint | None, at: datetime) -> Checkpoint:
    """The next checkpoint after `last`."""
    serial = 1 if last is None else last.serial + 1
    text = checkpoint_text(signer.name, tree.size, tree.root())
    before = NO_STATEMENT
    if last is not None:
        before = hashlib.sha256((last.statement.rpartition("\n\n")[0] + "\n").encode()).digest()
    statement = statement_text(signer.name, serial, at, text, before)
    return Checkpoint(
        serial=serial,
        tree_size=tree.size,
        root_hash=tree.root(),
        frontier=tree.to_bytes(),
        signed_at=at,
        note=signer.sign(text),
        statement=signer.sign(statement, f"{signer.name}/chain"),
    )

"""Checkpoints against the tree that is being rebuilt: signatures, chain, roots, frontiers."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from core.database import Row
from privacy.journal.verify_notes import NoteBroken, SignedRoot, SignedStatement, signed_root, signed_statement
from privacy.journal.verify_report import Tally
from privacy.journal.verify_tree import StreamedTree


class CheckpointChecks:
    """Takes checkpoints in the order of their serials and leaves in the order of their indexes."""

    def __init__(self, tally: Tally, public_key: bytes, origin: str | None) -> None:
        self._tally = tally
        self._public_key = public_key
        self._expected_origin = origin
        self.tree: StreamedTree | None = StreamedTree()
        """None while a gap in the leaves makes the root unknowable."""
        self.position = 0
        """Index the next leaf should have."""
        self._begins = 0
        self._serial = 0
        self._before: bytes | None = bytes(32)
        self._time: datetime | None = None
        self._order: tuple[datetime, UUID] | None = None
        self._odd: list[tuple[int, UUID]] = []

    # --- leaves ------------------------------------------------------------------------------------------

    def leaf(self, row: Row, rebuilt: bytes | None) -> None:
        """Takes a leaf; `rebuilt` is the hash computed from its line, None when there is none."""
        index, line_id = row["leaf_index"], row["line_id"]
        if index != self.position:
            self._tally.find(
                "leaf-missing", f"leaf {self.position}", f"leaves {self.position} to {index - 1} are missing"
            )
            self.tree, self.position = None, index
        order = (row["recorded_at"], line_id)
        if self._order is not None and order <= self._order:
            self._tally.find("leaf-order", f"leaf {index}", f"line {line_id} is not in its place")
        self._order = order
        if rebuilt is not None and rebuilt != row["leaf_hash"]:
            self._odd.append((index, line_id))
        if self._time is not None and (self._time - row["recorded_at"]).total_seconds() > LATE_SECONDS:
            self._tally.note(f"line {line_id} was recorded long before the checkpoint that it came after")
        if self.tree is not None:
            self.tree.add(row["leaf_hash"])
        self.position += 1

    # --- checkpoints -------------------------------------------------------------------------------------

    def size_of(self, row: Row) -> int:
        """The tree size a checkpoint signs, or claims when its note is broken."""
        try:
            return signed_root(row["note"], self._public_key).tree_size
        except NoteBroken:
            return int(row["tree_size"])

    def checkpoint(self, row: Row) -> None:
        """Checks a checkpoint whose leaves have all been taken (or never will be)."""
        self._tally.checkpoints += 1
        place = f"checkpoint {row['serial']}"
        if row["serial"] != self._serial + 1:
            self._tally.find(
                "checkpoint-missing",
                f"checkpoint {self._serial + 1}",
                f"checkpoints {self._serial + 1} to {row['serial'] - 1} are missing",
            )
            self._before = None
        self._serial = int(row["serial"])
        root = self._signed_root(place, row)
        self._signed_statement(place, row, root)
        self._check_tree(place, row, root)
        self._begins, self._order, self._odd = self.position, None, []

    def end(self) -> None:
        """After the last checkpoint: leaves beyond it were never signed."""
        if self.position > self._begins:
            self._tally.find(
                "leaf-unsigned",
                f"leaf {self._begins}",
                f"no checkpoint covers leaves {self._begins} to {self.position - 1}",
            )
        for index, line_id in self._odd:
            self._tally.find("leaf-changed", f"leaf {index}", f"its hash is not that of line {line_id}")

    def _signed_root(self, place: str, row: Row) -> SignedRoot | None:
        try:
            root = signed_root(row["note"], self._public_key)
        except NoteBroken as broken:
            self._tally.find("checkpoint-signature", place, f"note: {broken}")
            return None
        for column, signed in (("tree_size", root.tree_size), ("root_hash", root.root_hash)):
            if row[column] != signed:
                self._tally.find("checkpoint-changed", place, f"{column}: is not what the note signs")
        if self._tally.origin is not None and root.origin != self._tally.origin:
            self._tally.note(f"{place}: the origin changes from {self._tally.origin} to {root.origin}")
        if self._expected_origin is not None and root.origin != self._expected_origin:
            self._tally.find("checkpoint-changed", place, f"the origin is {root.origin}")
        self._tally.origin = root.origin
        return root

    def _signed_statement(self, place: str, row: Row, root: SignedRoot | None) -> None:
        origin = row["note"].split("\n", 1)[0] if root is None else root.origin
        before, self._before = self._before, None
        try:
            statement = signed_statement(row["statement"], origin, self._public_key)
        except NoteBroken as broken:
            self._tally.find("checkpoint-signature", place, f"statement: {broken}")
            return
        self._before = sha256(statement.text.encode()).digest()
        for what, same in _statement_agrees(statement, row, root, before):
            if not same:
                self._tally.find("checkpoint-changed", place, f"{what}: is not what the statement signs")
        if self._time is not None and statement.time < self._time:
            seconds = (self._time - statement.time).total_seconds()
            self._tally.note(f"{place}: the clock was set back by {seconds:.3f} s before it was signed")
        self._time = statement.time

    def _check_tree(self, place: str, row: Row, root: SignedRoot | None) -> None:
        size = int(row["tree_size"]) if root is None else root.tree_size
        complete = self.position == size
        if not complete and self.position < size:
            self._tally.find(
                "leaf-missing", f"leaf {self.position}", f"leaves {self.position} to {size - 1} are missing"
            )
        same = complete and root is not None and self.tree is not None and self.tree.root() == root.root_hash
        if complete and root is not None and self.tree is not None and not same:
            self._tally.find(
                "checkpoint-root",
                place,
                f"leaves {self._begins} to {size - 1} do not give the root that was signed",
            )
        # With the right root the leaves are as signed, so it is the line that differs; else it is the leaf.
        for index, line_id in self._odd:
            if same:
                self._tally.find("line-changed", f"line {line_id}", f"its content is not what leaf {index} holds")
            else:
                self._tally.find("leaf-changed", f"leaf {index}", f"its hash is not that of line {line_id}")
        if same and self.tree is not None and self.tree.subtrees() != row["frontier"]:
            self._tally.find("checkpoint-changed", place, "frontier: is not that of the signed tree")
        if not same and root is not None:
            self._resume(row, root)

    def _resume(self, row: Row, root: SignedRoot) -> None:
        """Goes on from the stored frontier if the signed root vouches for it, so that one fault does not
        hide the next."""
        resumed = StreamedTree.resumed(root.tree_size, row["frontier"])
        if resumed is None or resumed.root() != root.root_hash:
            self.tree = None
        elif self.position <= root.tree_size:
            self.tree, self.position = resumed, root.tree_size
        else:
            self.tree = None


LATE_SECONDS = 600
"""A line committed this long after its time of recording is noted: set clock, or a very long transaction."""


def _statement_agrees(
    statement: SignedStatement, row: Row, root: SignedRoot | None, before: bytes | None
) -> list[tuple[str, bool]]:
    agrees = [
        ("serial", statement.serial == row["serial"]),
        ("signed_at", statement.time == row["signed_at"]),
    ]
    if root is not None:
        agrees.append(("note", statement.checkpoint_sha256 == sha256(root.text.encode()).digest()))
    if before is not None:
        agrees.append(("the checkpoint before", statement.before_sha256 == before))
    return agrees

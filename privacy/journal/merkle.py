"""The sequencer's tree: RFC 6962 hashing, kept as a frontier.

The frontier of a tree of n leaves is one hash per one-bit of n: the roots of the perfect subtrees from
left to right. It is all that is needed to append and to compute the root, in O(log n) memory.
(The verifier has its own code: `verify_tree.py`. Neither imports the other; tests compare them.)
"""

import hashlib
from collections.abc import Iterable

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """An inner node (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """An append-only tree of leaf hashes."""

    __slots__ = ("_roots", "size")

    def __init__(self, size: int = 0, roots: Iterable[bytes] = ()) -> None:
        """roots: from the largest (leftmost) subtree to the smallest. Raises ValueError when they do not fit."""
        self._roots = list(roots)
        self.size = size
        if size < 0 or len(self._roots) != size.bit_count() or any(len(r) != HASH_BYTES for r in self._roots):
            raise ValueError("the frontier does not fit the tree size")

    @classmethod
    def from_bytes(cls, size: int, packed: bytes) -> "Frontier":
        """Reads what `to_bytes` made."""
        return cls(size, [packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)])

    def to_bytes(self) -> bytes:
        return b"".join(self._roots)

    def append(self, leaf_hash: bytes) -> int:
        """Adds a leaf; gives its index."""
        index, carry = self.size, leaf_hash
        # Like adding one to a binary number: each trailing one-bit is a subtree that becomes full.
        while index & 1:
            carry = node_hash(self._roots.pop(), carry)
            index >>= 1
        self._roots.append(carry)
        self.size += 1
        return self.size - 1

    def root(self) -> bytes:
        """The root hash at this size."""
        if not self._roots:
            return EMPTY_ROOT
        root = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            root = node_hash(left, root)
        return root

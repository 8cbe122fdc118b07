"""The verifier's own tree (RFC 6962 §2.1), written apart from the sequencer's.

It reads leaves as a stream and keeps complete subtrees on a stack of (height, hash): two of the same height
at the top become one of the next. Joining what is left on the stack from the right gives the root, because
RFC 6962 splits at the largest power of two below the size.
"""

from hashlib import sha256

_LEAF, _NODE = b"\x00", b"\x01"


def leaf_of(opened: bytes) -> bytes:
    """The leaf hash of what a line's seal holds: salt, then the canonical line."""
    commitment = sha256()
    commitment.update(opened)
    return sha256(_LEAF + commitment.digest()).digest()


class StreamedTree:
    """A tree of which only the complete subtrees are kept."""

    def __init__(self) -> None:
        self._stack: list[tuple[int, bytes]] = []
        self.leaves = 0

    def add(self, leaf: bytes) -> None:
        height, hashed = 0, leaf
        while self._stack and self._stack[-1][0] == height:
            _, left = self._stack.pop()
            hashed = sha256(_NODE + left + hashed).digest()
            height += 1
        self._stack.append((height, hashed))
        self.leaves += 1

    def root(self) -> bytes:
        if not self._stack:
            return sha256().digest()
        joined: bytes | None = None
        for _, hashed in self._stack[::-1]:
            joined = hashed if joined is None else sha256(_NODE + hashed + joined).digest()
        assert joined is not None  # noqa: S101  # the stack is not empty
        return joined

    def subtrees(self) -> bytes:
        """The hashes on the stack, in order: what a checkpoint's frontier must hold."""
        return b"".join(hashed for _, hashed in self._stack)

    @classmethod
    def resumed(cls, leaves: int, subtrees: bytes) -> "StreamedTree | None":
        """A tree taken up at a stored state; None when the state does not fit the number of leaves.

        The caller must compare its root with a signed one before he believes it.
        """
        heights = [height for height in range(leaves.bit_length() - 1, -1, -1) if leaves >> height & 1]
        if len(subtrees) != 32 * len(heights):
            return None
        tree = cls()
        tree.leaves = leaves
        tree._stack = [(height, subtrees[32 * at : 32 * at + 32]) for at, height in enumerate(heights)]
        return tree

"""Both trees, the sequencer's and the verifier's, on the published roots."""

import hashlib
import json
from pathlib import Path

import pytest

from privacy.journal.merkle import EMPTY_ROOT, Frontier
from privacy.journal.verify_tree import StreamedTree

VECTORS = json.loads(Path(__file__).with_name("rfc6962.json").read_text())
LEAVES = [hashlib.sha256(b"\x00" + bytes.fromhex(data)).digest() for data in VECTORS["leaf_inputs"]]


@pytest.mark.parametrize("size", range(1, len(LEAVES) + 1))
def test_both_trees_give_the_published_roots(size: int) -> None:
    frontier, streamed = Frontier(), StreamedTree()
    for leaf in LEAVES[:size]:
        frontier.append(leaf)
        streamed.add(leaf)
    assert frontier.root().hex() == VECTORS["roots"][size - 1]
    assert streamed.root().hex() == VECTORS["roots"][size - 1]


def test_the_empty_tree() -> None:
    assert EMPTY_ROOT.hex() == VECTORS["empty_root"]
    assert Frontier().root() == StreamedTree().root() == EMPTY_ROOT

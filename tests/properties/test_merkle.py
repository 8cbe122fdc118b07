"""The two trees against each other and against the recursive definition of RFC 6962 §2.1."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from privacy.journal.line import leaf_hash_of
from privacy.journal.merkle import Frontier
from privacy.journal.verify_tree import StreamedTree, leaf_of

leaves_lists = st.lists(st.binary(min_size=32, max_size=32), max_size=300)


def defined_root(leaves: list[bytes]) -> bytes:
    """MTH, read straight off the RFC (over leaf hashes)."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    halves = defined_root(leaves[:split]) + defined_root(leaves[split:])
    return hashlib.sha256(b"\x01" + halves).digest()


@given(leaves_lists)
def test_both_trees_are_the_defined_one(leaves: list[bytes]) -> None:
    frontier, streamed = Frontier(), StreamedTree()
    for at, leaf in enumerate(leaves):
        assert frontier.append(leaf) == at
        streamed.add(leaf)
    assert frontier.root() == streamed.root() == defined_root(leaves)
    assert frontier.to_bytes() == streamed.subtrees()


@given(leaves_lists, st.integers(min_value=0, max_value=300))
def test_a_stored_frontier_goes_on_as_if_never_stored(leaves: list[bytes], cut: int) -> None:
    cut = min(cut, len(leaves))
    first = Frontier()
    for leaf in leaves[:cut]:
        first.append(leaf)
    again = Frontier.from_bytes(cut, first.to_bytes())
    resumed = StreamedTree.resumed(cut, first.to_bytes())
    assert resumed is not None
    for leaf in leaves[cut:]:
        again.append(leaf)
        resumed.add(leaf)
    assert again.root() == resumed.root() == defined_root(leaves)


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=64, unique=True), st.data())
def test_no_change_of_leaves_keeps_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(min_value=0, max_value=len(leaves) - 1))
    how = data.draw(st.sampled_from(["drop", "swap", "flip"]))
    changed = list(leaves)
    if how == "drop":
        del changed[at]
    elif how == "swap":
        other = (at + 1) % len(leaves)
        changed[at], changed[other] = changed[other], changed[at]
    else:
        changed[at] = bytes([changed[at][0] ^ 1]) + changed[at][1:]
    assert defined_root(changed) != defined_root(leaves)


@given(st.binary(max_size=400))
def test_both_leaf_hashes_are_the_commitment(opening: bytes) -> None:
    expected = hashlib.sha256(b"\x00" + hashlib.sha256(opening).digest()).digest()
    assert leaf_hash_of(opening) == leaf_of(opening) == expected


@given(st.integers(min_value=0, max_value=1 << 40), st.binary(max_size=400))
def test_a_frontier_that_does_not_fit_is_refused(size: int, packed: bytes) -> None:
    fits = len(packed) == 32 * size.bit_count()
    assert (StreamedTree.resumed(size, packed) is not None) == fits
    try:
        Frontier.from_bytes(size, packed)
    except ValueError:
        assert not fits
    else:
        assert fits

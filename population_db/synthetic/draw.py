"""Draws that are the same for ever: integers from SHAKE-256 in counter mode, nothing else.

`random.Random` promises to keep only `random()` the same between Python versions, and floats invite rounding;
so the words come from a hash of seed, label and counter, and every choice is integer arithmetic on them.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from hashlib import shake_256
from itertools import accumulate
from struct import Struct
from typing import Generic, TypeVar

T = TypeVar("T")

_WORDS = Struct("<128I")
RATE = 10_000
"""`chance` is in so many parts of this."""


class Weighted(Generic[T]):
    """Values with integer weights; those of weight 0 never come."""

    __slots__ = ("sums", "total", "values")

    def __init__(self, pairs: Iterable[tuple[T, int]]) -> None:
        kept = [(value, weight) for value, weight in pairs if weight > 0]
        self.values = tuple(value for value, _ in kept)
        self.sums = tuple(accumulate(weight for _, weight in kept))
        self.total = self.sums[-1]


class Draw:
    """One stream of draws, named by seed and label: streams do not depend on each other."""

    __slots__ = ("_block", "_key", "_words")

    def __init__(self, seed: int, label: str) -> None:
        self._key = f"{seed}/{label}/".encode()
        self._block = 0
        self._words: list[int] = []

    def below(self, bound: int) -> int:
        """An integer from 0 to bound - 1; bound at most 2**32."""
        words = self._words or self._refill()
        return words.pop() * bound >> 32

    def between(self, first: int, last: int) -> int:
        """An integer from first to last, both included."""
        words = self._words or self._refill()
        return first + (words.pop() * (last - first + 1) >> 32)

    def chance(self, rate: int) -> bool:
        """True in `rate` of 10,000 draws."""
        words = self._words or self._refill()
        return words.pop() * RATE >> 32 < rate

    def pick(self, values: Sequence[T]) -> T:
        """One of the values, each as likely."""
        words = self._words or self._refill()
        return values[words.pop() * len(values) >> 32]

    def weighted(self, choice: Weighted[T]) -> T:
        """One of the values, by weight."""
        words = self._words or self._refill()
        return choice.values[bisect_right(choice.sums, words.pop() * choice.total >> 32)]

    def digits(self, count: int) -> str:
        """So many decimal digits (at most 9)."""
        return f"{self.below(10**count):0{count}d}"

    def _refill(self) -> list[int]:
        digest = shake_256(self._key + self._block.to_bytes(8, "little")).digest(_WORDS.size)
        self._block += 1
        self._words = list(_WORDS.unpack(digest))
        return self._words

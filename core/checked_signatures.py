"""A memory of signatures that held: for tokens that come again and again."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # core.jose asks this memory
    from core.jose import VerificationKey, VerifiedJwt

MOST = 2_048


class CheckedSignatures:
    """Tokens whose signature was checked and held, or made here, so that none is put to the curve again.

    Times, issuer and audience are looked at each time, and the key must still be among the keys. One memory is
    for one use: the same algorithms and types at every call. Tokens are kept as hashes, the oldest go first.
    """

    __slots__ = ("_held", "_most")

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held: OrderedDict[bytes, tuple[VerificationKey, VerifiedJwt]] = OrderedDict()

    def find(self, token: str, keys: "Sequence[VerificationKey]") -> "VerifiedJwt | None":
        """What was kept of a token, when the key it was checked with still counts."""
        held = self._held.get(_digest(token))
        return held[1] if held is not None and any(key is held[0] for key in keys) else None

    def keep(self, token: str, key: "VerificationKey", verified: "VerifiedJwt") -> None:
        self._held[_digest(token)] = (key, verified)
        if len(self._held) > self._most:
            self._held.popitem(last=False)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()

"""What the journal asks of others; plugged in by the composition root."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from core.database import Tx
from privacy.journal.line import Line


class PersonKey(Protocol):
    """The key of one person."""

    def seal(self, context: bytes, plaintext: bytes) -> bytes: ...

    def unseal(self, context: bytes, sealed: bytes) -> bytes:
        """Raises ValueError when it does not open."""
        ...


class PersonKeys(Protocol):
    """Keys of persons; the vault is one. The nil UUID has a key too."""

    async def find_person_keys(self, tx: Tx, person_ids: Iterable[UUID]) -> Mapping[UUID, PersonKey]:
        """The keys that exist."""
        ...

    async def make_person_keys(self, tx: Tx, person_ids: Iterable[UUID]) -> Mapping[UUID, PersonKey]:
        """The keys, made where missing."""
        ...


class DisclosureGuard(Protocol):
    """Asked inside the transaction that writes the lines: is what the decision rested on still true?"""

    async def refused(self, tx: Tx, asked: Sequence[tuple[Line, Mapping[str, Any]]]) -> Mapping[int, str]:
        """Position → reason for each that is to be refused; empty when all may go out.

        asked: lines of one batch with the basis each caller gave. Must not write and must not raise for
        one bad member: an exception makes the whole batch unavailable.
        """
        ...

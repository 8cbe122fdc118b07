"""Import files: what they are, where their rows begin, how a row becomes a mapping.

JSON Lines (one object per line) or CSV (a header, one row per line, nested values as JSON text), UTF-8, with
or without a byte order mark. A row is one line: a line break inside a quoted cell is refused, so that rows
can be found without reading the file twice, and one broken quote never swallows its neighbours.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from population_db.import_fields import Bad
from population_db.import_row import COLUMNS, NESTED, check_values
from population_db.import_shape import quick_json, quick_mapping

MAX_ROW_BYTES = 65_536
MAX_CHUNK_BYTES = 8 << 20
"""A batch ends early after this many bytes, so that memory does not depend on the file."""

_BLOCK = 1 << 20
_BOM = b"\xef\xbb\xbf"
_JSON_NAMES = (".json", ".jsonl", ".ndjson")


class FileRefused(Exception):
    """The whole file is refused; the text says why in a sentence and holds nothing of the file."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a file is. header: the columns of a CSV file. offset, line: where the rows begin (lines from 1)."""

    kind: str
    header: tuple[str, ...]
    separator: str
    offset: int
    line: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of lines: the unit of work and of resuming."""

    batch: int
    offset: int
    end: int
    first_line: int


@dataclass(frozen=True, slots=True)
class RawRow:
    """A line that is not blank. data is None when the line is too long to be held."""

    line: int
    offset: int
    data: bytes | None


def probe(path: Path) -> Shape:
    """Looks at the head of a file. Raises FileRefused when it is not one of ours."""
    try:
        with path.open("rb") as file:
            head = file.read(MAX_ROW_BYTES)
    except OSError as error:
        raise FileRefused(f"the file cannot be read: {error.strerror}") from None
    if not head:
        raise FileRefused("the file is empty")
    _check_encoding(head)
    start = len(_BOM) if head.startswith(_BOM) else 0
    first = head[start:].lstrip()[:1]
    if first == b"{":
        return Shape("jsonl", (), "", start, 1)
    if first == b"[" or path.suffix.lower() in _JSON_NAMES:
        raise FileRefused("the file is not JSON Lines: one object per line is needed, not one list of all")
    header, separator, end = _header(head[start:])
    return Shape("csv", header, separator, start + end, 2)


def _check_encoding(head: bytes) -> None:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in head:
        raise FileRefused("the file is UTF-16, UTF-32 or binary: save it as UTF-8")
    if head[:2] == b"\x1f\x8b" or head[:4] in (b"PK\x03\x04", b"\x28\xb5\x2f\xfd") or head[:3] == b"BZh":
        raise FileRefused("the file is compressed: unpack it first")
    lines = head.split(b"\n")
    beyond_ascii = [line for line in (lines[:-1] if len(lines) > 1 else lines) if not line.isascii()]
    if beyond_ascii and not any(map(_is_utf8, beyond_ascii)):
        raise FileRefused("the file is in another encoding (TCVN3, VNI, Windows-1258?): convert it to UTF-8")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _header(head: bytes) -> tuple[tuple[str, ...], str, int]:
    end = head.find(b"\n")
    if end < 0:
        raise FileRefused("the file has a header and no rows")
    text = head[:end].decode(errors="replace").rstrip("\r")
    separator = ";" if ";" in text and "," not in text else ","
    try:
        names = tuple(next(csv.reader([text], delimiter=separator, strict=True)))
    except (csv.Error, StopIteration):
        raise FileRefused("the header cannot be read") from None
    if len(set(names)) != len(names):
        raise FileRefused("a column stands in the header twice")
    if "number" not in names:
        raise FileRefused("the header has no column `number`: this is not an import file")
    if unknown := sum(name not in COLUMNS for name in names):
        raise FileRefused(f"{unknown} of the header's columns are not known")
    return names, separator, end + 1


def digest(path: Path, progress: Callable[[int], None]) -> bytes:
    """SHA-256 of the whole file: the same file is resumed, another never is. progress: bytes so far."""
    hashed, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            hashed.update(block)
            done += len(block)
            progress(done)
    return hashed.digest()


def chunks(path: Path, shape: Shape, rows: int) -> Iterator[Chunk]:
    """Cuts a file after every `rows` lines (or MAX_CHUNK_BYTES); the same cuts at every run."""
    offset, line, batch = shape.offset, shape.line, 0
    begun, counted, position = offset, 0, offset
    with path.open("rb") as file:
        file.seek(offset)
        while block := file.read(_BLOCK):
            at = block.find(b"\n")
            while at >= 0:
                counted += 1
                end = position + at + 1
                if counted == rows or end - begun >= MAX_CHUNK_BYTES:
                    yield Chunk(batch, begun, end, line)
                    batch, begun, line, counted = batch + 1, end, line + counted, 0
                at = block.find(b"\n", at + 1)
            position += len(block)
    if position > begun:
        yield Chunk(batch, begun, position, line)


def raw_rows(file: BinaryIO, chunk: Chunk) -> Iterator[RawRow]:
    """The lines of a chunk; one that is too long is passed over without being held in memory."""
    file.seek(chunk.offset)
    offset, line = chunk.offset, chunk.first_line
    while offset < chunk.end:
        data = file.readline(MAX_ROW_BYTES + 1)
        length = len(data)
        if length > MAX_ROW_BYTES:
            rest = data
            while rest and not rest.endswith(b"\n"):
                rest = file.readline(_BLOCK)
                length += len(rest)
            yield RawRow(line, offset, None)
        elif stripped := data.strip():
            yield RawRow(line, offset, stripped)
        offset += length
        line += 1


def values_of(shape: Shape, data: bytes | None) -> dict[str, Any]:
    """A line as checked values by field: the quick way where it can be gone. Raises Bad."""
    if data is None:
        raise Bad("row-too-long")
    if shape.kind == "csv":
        cells = parse(shape, data)
        return quick_mapping(cells) or check_values(cells)
    row = quick_json(data)
    if row is None:
        return check_values(parse(shape, data))
    _refuse_repeats(row, data)
    return row


def parse(shape: Shape, data: bytes | None) -> dict[str, Any]:
    """A line as a mapping of field to value, nothing checked. Raises Bad."""
    if data is None:
        raise Bad("row-too-long")
    return _parse_json(data) if shape.kind == "jsonl" else _parse_csv(shape, data)


def _parse_json(data: bytes) -> dict[str, Any]:
    try:
        row = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise Bad("syntax" if _is_utf8(data) else "encoding") from None
    if type(row) is not dict:
        raise Bad("syntax")
    _refuse_repeats(row, data)
    return row


def _refuse_repeats(row: dict[str, Any], data: bytes) -> None:
    # A repeated name is told from white space and escapes only by reading again, slowly. A compact row that
    # repeats none is exactly as long as what its content is written as.
    if len(orjson.dumps(row)) != len(data):
        try:
            json.loads(data, object_pairs_hook=_no_repeats)
        except (ValueError, RecursionError):
            raise Bad("syntax") from None


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Bad("repeated-field")
    return found


def _parse_csv(shape: Shape, data: bytes) -> dict[str, Any]:
    try:
        cells = next(csv.reader([data.decode()], delimiter=shape.separator, strict=True))
    except UnicodeDecodeError:
        raise Bad("encoding") from None
    except csv.Error:
        raise Bad("syntax") from None
    if len(cells) != len(shape.header):
        raise Bad("columns")
    row: dict[str, Any] = {}
    for name, cell in zip(shape.header, cells, strict=True):
        if not cell:
            continue
        if name not in NESTED:
            row[name] = cell
            continue
        try:
            row[name] = orjson.loads(cell)
        except orjson.JSONDecodeError:
            raise Bad("syntax", name) from None
    return row

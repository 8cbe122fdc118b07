"""Import files as bytes: encodings, line ends, lengths, CSV, cuts."""

import csv
import io
from pathlib import Path
from typing import Any

import orjson
import pytest

from population_db.generate import rows
from population_db.import_fields import Bad
from population_db.import_reader import MAX_ROW_BYTES, Chunk, FileRefused, Shape, chunks, probe, raw_rows, values_of
from population_db.import_row import NESTED

LINE = b'{"number":"001190012345","full_name":"Nguy\xe1\xbb\x85n An","sources":{}}'


def written(folder: Path, data: bytes, name: str = "people.jsonl") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def read(path: Path, batch: int = 3) -> list[tuple[int, Any]]:
    """(line, values or reason code) of every row."""
    shape = probe(path)
    found: list[tuple[int, Any]] = []
    with path.open("rb") as file:
        for chunk in chunks(path, shape, batch):
            for raw in raw_rows(file, chunk):
                try:
                    found.append((raw.line, values_of(shape, raw.data)))
                except Bad as bad:
                    found.append((raw.line, bad.code))
    return found


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_with_and_without_mark_and_last_break(tmp_path: Path, before: bytes, end: bytes, last: bool) -> None:
    data = before + end.join([LINE, b"", LINE, b"  "]) + (end + LINE if last else b"")
    assert [line for line, _ in read(written(tmp_path, data))] == ([1, 3, 5] if last else [1, 3])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (LINE.decode().encode("utf-16"), "UTF-8"),
        (LINE.decode().encode("utf-16-le"), "UTF-8"),
        (b"\x1f\x8b\x08" + bytes(range(1, 200)), "compressed"),
        (b"PK\x03\x04rest", "compressed"),
        (b"[" + LINE + b"]", "JSON Lines"),
        ("number,full_name\n001190012345,Nguyễn An\n".encode("cp1258", "replace").replace(b"?", b"\xea"), "encoding"),
        (b'{"number":"001190012345","full_name":"Nguy\xd4n"}\n' * 20, "encoding"),
        (b"number,number\n1,2\n", "twice"),
        (b"number,shoe_size\n1,2\n", "not known"),
        (b"name,birth\n1,2\n", "`number`"),
        (b"number,full_name", "no rows"),
        (b'number,"full_name\n1,2\n', "header"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused_in_a_sentence(tmp_path: Path, data: bytes, says: str) -> None:
    with pytest.raises(FileRefused, match=says):
        probe(written(tmp_path, data, "people.dat"))


def test_a_file_that_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="No such file"):
        probe(tmp_path / "none.jsonl")
    with pytest.raises(FileRefused, match="directory"):
        probe(tmp_path)


def test_one_row_in_another_encoding_is_one_refused_row(tmp_path: Path) -> None:
    broken = LINE.replace(b"\xe1\xbb\x85", b"\xd4")
    assert [
        what if isinstance(what, str) else "taken"
        for _, what in read(written(tmp_path, b"\n".join([LINE, broken, LINE])))
    ] == [
        "taken",
        "encoding",
        "taken",
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", "syntax"),
        (b"[1]", "syntax"),
        (b"1", "syntax"),
        (b"{}{}", "syntax"),
        (b'{"number":NaN}', "syntax"),
        (b'{"number":"\\ud800"}', "syntax"),
        (b'{"number":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "syntax"),
        (b'{"number":"001190012345","number":"001190012346"}', "repeated-field"),
        (b'{"number": "001190012345", "card":{"issued_by":"a","issued_by":"b"}}', "repeated-field"),
        (LINE[:-1] + b',"number":1.0e5}', "repeated-field"),
        (LINE[:-1] + b',"number":"001190012346"}', "repeated-field"),
        (b'{"x":"' + b"a" * MAX_ROW_BYTES + b'"}', "row-too-long"),
        (b"{" + b" " * (10 << 20) + b"}", "row-too-long"),
    ],
)
def test_a_broken_line_is_told_and_its_neighbours_are_read(tmp_path: Path, line: bytes, code: str) -> None:
    found = read(written(tmp_path, b"\n".join([LINE, line, LINE])))
    assert [number for number, _ in found] == [1, 2, 3]
    assert found[1][1] == code
    assert found[0][1] == found[2][1] == orjson.loads(LINE)


def test_a_row_of_just_the_longest_length_is_read(tmp_path: Path) -> None:
    padded = LINE + b" " * (MAX_ROW_BYTES - len(LINE) - 1) + b"\n"
    assert len(padded) == MAX_ROW_BYTES
    assert [type(what) for _, what in read(written(tmp_path, padded + LINE))] == [dict, dict]
    assert next(what for _, what in read(written(tmp_path, b" " + padded + LINE))) == "row-too-long"


def test_cuts_are_the_same_at_every_run_and_cover_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, (LINE + b"\n") * 10)
    shape = probe(path)
    cuts = list(chunks(path, shape, 4))
    assert cuts == list(chunks(path, shape, 4))
    length = len(LINE) + 1
    assert cuts == [
        Chunk(0, 0, 4 * length, 1),
        Chunk(1, 4 * length, 8 * length, 5),
        Chunk(2, 8 * length, 10 * length, 9),
    ]


def test_long_rows_end_a_batch_early(tmp_path: Path) -> None:
    path = written(tmp_path, (b"{" + b" " * 60_000 + b"}\n") * 300)
    cuts = list(chunks(path, probe(path), 2_000))
    assert len(cuts) == 3
    assert cuts[-1].end == path.stat().st_size


def as_csv(people: list[dict[str, Any]], separator: str = ",") -> bytes:
    columns = sorted({name for row in people for name in row})
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    writer.writerow(columns)
    for row in people:
        cells = [orjson.dumps(row[c]).decode() if c in NESTED and c in row else row.get(c, "") for c in columns]
        writer.writerow(cells)
    return out.getvalue().encode()


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_csv_says_what_json_lines_say(tmp_path: Path, separator: str, mark: bytes) -> None:
    people = list(rows(50, seed=5))
    found = read(written(tmp_path, mark + as_csv(people, separator), "people.csv"))
    assert [line for line, _ in found] == list(range(2, 52))
    assert [what for _, what in found] == people


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("001190012345", "columns"),
        ("001190012345,An,x", "columns"),
        ('001190012345,"An', "syntax"),
        ('001190012345,"An"x', "syntax"),
        ('001190012345,=HYPERLINK("a")', "formula"),
        ('001190012345,"=HYPERLINK(""a"")"', "formula"),
    ],
)
def test_a_broken_csv_row_does_not_swallow_its_neighbours(tmp_path: Path, row: str, code: str) -> None:
    good = "001190012345,Nguyễn An"
    found = read(written(tmp_path, "\n".join(["number,full_name", good, row, good]).encode(), "people.csv"))
    assert [line for line, _ in found] == [2, 3, 4]
    assert found[1][1] == code
    assert found[0][1] == found[2][1] == {"number": "001190012345", "full_name": "Nguyễn An"}


def test_a_nested_cell_that_is_no_json_is_named(tmp_path: Path) -> None:
    shape = Shape("csv", ("number", "card"), ",", 0, 2)
    with pytest.raises(Bad) as refused:
        values_of(shape, b'001190012345,{"issued_on"')
    assert (refused.value.code, refused.value.field) == ("syntax", "card")

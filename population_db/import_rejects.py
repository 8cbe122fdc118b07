"""The rejects file: JSON Lines, one refused row each: line, reason code, reason, the number masked.

Written from the marks of the batches at the end of every run, stopped ones too, so it is complete and holds
each row once however often the run was resumed. Of the row itself it tells no more than the masked number,
read again from the import file.
"""

import os
import uuid
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from population_db.import_fields import Bad
from population_db.import_look import Connection
from population_db.import_reader import MAX_ROW_BYTES, Shape, parse
from population_db.import_reasons import reason_text

_BATCHES = """
    SELECT rejects FROM population_db.import_batches
    WHERE run_id = $1 AND batch = $2"""
_WITH_REJECTS = """
    SELECT batch FROM population_db.import_batches WHERE run_id = $1 AND rejected > 0 ORDER BY batch"""


async def write_rejects(conn: Connection, run_id: uuid.UUID, path: Path, shape: Shape, rejects_path: Path) -> None:
    """Writes the rejects of a run, mode 0600; an empty file when there are none."""
    beside = rejects_path.with_name(rejects_path.name + ".part")
    beside.unlink(missing_ok=True)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out, path.open("rb") as rows:
        for row in await conn.fetch(_WITH_REJECTS, run_id):
            rejects = await conn.fetchval(_BATCHES, run_id, row["batch"])
            for line, offset, code, field in rejects:
                out.write(_line(rows, shape, line, offset, code, field))
    beside.replace(rejects_path)


def _line(rows: BinaryIO, shape: Shape, line: int, offset: int, code: str, field: str) -> bytes:
    told: dict[str, Any] = {"line": line, "code": code, "reason": reason_text(code, field)}
    if field:
        told["field"] = field
    masked = _masked_number(rows, shape, offset)
    if masked:
        told["number"] = masked
    return orjson.dumps(told) + b"\n"


def _masked_number(rows: BinaryIO, shape: Shape, offset: int) -> str | None:
    rows.seek(offset)
    data = rows.readline(MAX_ROW_BYTES + 1)
    if len(data) > MAX_ROW_BYTES:
        return None
    try:
        number = parse(shape, data.strip()).get("number")
    except Bad:
        return None
    if not isinstance(number, str) or len(number) != 12 or not number.isdecimal():
        return None
    return f"{number[:4]}*****{number[-3:]}"

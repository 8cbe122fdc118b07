"""Looking for needles: in text and in bytes, as they are and in the disguises data are kept in."""

import base64
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import asyncpg
from redis.asyncio import Redis

from population_db.names import fold
from tests.support.leak_canaries import Needles

_HEX_BLOB = re.compile(rb"\\\\x((?:[0-9a-f]{2})+)")
MAX_FILE_BYTES = 64 << 20


def disguises(text: str) -> set[bytes]:
    """How a text may look in a dump: folded, in capitals, decomposed, escaped, in hex, in base64."""
    forms = {text, text.lower(), text.upper(), unicodedata.normalize("NFD", text), text.replace(" ", "")}
    try:
        folded = fold(text)
        forms |= {folded, folded.upper(), folded.replace(" ", "")}
    except ValueError:
        pass  # not a name
    written = {form.encode() for form in forms}
    for form in forms:
        written |= {json.dumps(form)[1:-1].encode(), quote(form).encode(), quote_plus(form).encode()}
    raw = text.encode()
    written |= {raw.hex().encode(), raw.hex().upper().encode(), text.encode("utf-16-le")}
    for shift in range(3):
        # Of a base64 text what stands in its middle does not depend on what stands before and after.
        middle = base64.b64encode(b"\0" * shift + raw)[4:-4]
        if len(middle) >= 8:
            written |= {middle, middle.replace(b"+", b"-").replace(b"/", b"_")}
    return {form for form in written if len(form) >= 6}


class Scanner:
    """Finds needles in heaps. found: (heap, kind, needle) of each."""

    def __init__(self, needles: Needles, *, plain: bool = False) -> None:
        """plain: as they are only, for heaps too large for every disguise."""
        self._forms = [
            (text, kind, {text.encode()} if plain else disguises(text)) for text, kind in needles.texts.items()
        ]
        codes = "|".join(sorted(needles.codes)) or "(?!)"
        self._codes = re.compile(rb"(?<![0-9A-Za-z.])(?:" + codes.encode() + rb")(?![0-9A-Za-z])")
        self.found: set[tuple[str, str, str]] = set()

    def look(self, heap: str, content: bytes, *, codes: bool = True) -> None:
        """codes: whether one-time codes are looked for as well (not in binary heaps)."""
        for text, kind, forms in self._forms:
            if any(form in content for form in forms):
                self.found.add((heap, kind, text))
        if codes:
            self.found |= {(heap, "one-time code", match.decode()) for match in self._codes.findall(content)}

    def look_all(self, heaps: Mapping[str, bytes], *, codes: bool = True) -> None:
        for name, content in heaps.items():
            self.look(name, content, codes=codes)


async def dump_tables(url: str) -> dict[str, bytes]:
    """Every table of every schema of ours in plain text, and once more with its binary columns decoded.

    url: a superuser's, so that nothing is hidden. Statistics of the planner count as a table: they hold values.
    """
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
        )
        dumped = {}
        await connection.execute("ANALYZE")
        for row in [*tables, {"nspname": "pg_catalog", "relname": "pg_statistic"}]:
            parts: list[bytes] = []

            async def keep(chunk: bytes, parts: list[bytes] = parts) -> None:
                parts.append(chunk)

            await connection.copy_from_table(row["relname"], schema_name=row["nspname"], output=keep)
            text = b"".join(parts)
            blobs = [bytes.fromhex(blob.decode()) for blob in _HEX_BLOB.findall(text)]
            name = f"{row['nspname']}.{row['relname']}"
            dumped[f"table {name}"] = text
            dumped[f"binary columns of {name}"] = b"\n".join(blobs)
        return dumped
    finally:
        await connection.close()


async def database_files(url: str) -> dict[str, bytes]:
    """The files of the database itself: also what was deleted, and what an index keeps."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CHECKPOINT")
        folder = Path(await connection.fetchval("SHOW data_directory"))
        oid = await connection.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
    finally:
        await connection.close()
    files = sorted((folder / "base" / str(oid)).iterdir())
    return {f"file {one.name}": one.read_bytes() for one in files if 0 < one.stat().st_size <= MAX_FILE_BYTES}


async def server_logs(url: str) -> dict[str, bytes]:
    """What the embedded servers wrote."""
    connection = await asyncpg.connect(url)
    try:
        folder = Path(await connection.fetchval("SHOW data_directory")).parent / "log"
    finally:
        await connection.close()
    logs = {f"server log {one.name}": one.read_bytes() for one in folder.iterdir()}
    assert {"server log postgres.log", "server log redis.log"} <= logs.keys()
    return logs


async def redis_now(redis: "Redis") -> Iterable[bytes]:
    """Every key, and every value of every kind."""
    found: list[bytes] = []
    async for key in redis.scan_iter(count=1_000):
        found.append(key)
        kind = await redis.type(key)
        if kind == b"string":
            found.append(_octets(await redis.get(key) or b""))
        elif kind == b"hash":
            found += [_octets(part) for pair in (await redis.hgetall(key)).items() for part in pair]
        elif kind == b"set":
            found += [_octets(each) for each in await redis.smembers(key)]
        elif kind == b"list":
            found += [_octets(each) for each in await redis.lrange(key, 0, -1)]
        elif kind != b"none":
            raise AssertionError(f"a kind of key that nobody looks into: {kind!r}")
    return found


def _octets(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()

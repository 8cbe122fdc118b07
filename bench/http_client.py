"""A small HTTP/1.1 client for load: one keep-alive connection, one request at a time, bytes prepared ahead.

A full client library costs more CPU per request than the servers under test. This one reads the status, the
headers and the whole body and does nothing else. Only 127.0.0.1 is ever connected to.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httptools
import orjson

ADDRESS = "127.0.0.1"
PATIENCE_SECONDS = 30.0
FORM = "application/x-www-form-urlencoded"
MAX_BODY = 4 * 1024 * 1024


class Failed(Exception):
    """An answer that was not expected, or none: a run with one of these gives no figure."""


@dataclass(slots=True)
class Answer:
    """One answer. headers: lower-case names, the last one wins; cookies apart."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    def json(self) -> dict[str, object]:
        read: dict[str, object] = orjson.loads(self.body)
        return read


class Connection(asyncio.Protocol):
    """One connection. `requests` counts what was sent over it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests = 0
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._answer = Answer()
        self._chunks: list[bytes] = []
        self._parser = httptools.HttpResponseParser(self)

    async def open(self) -> "Connection":
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_connection(lambda: self, ADDRESS, self.port)
        return self

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    async def send(self, request: bytes, *, expect: int | None = 200) -> Answer:
        """Sends and waits. Raises Failed for another status than `expect` (None: any), or a broken connection."""
        if self._transport is None or self._transport.is_closing():
            raise Failed("the connection is closed")
        self._answer, self._chunks = Answer(), []
        self._parser = httptools.HttpResponseParser(self)
        self._waiting = asyncio.get_running_loop().create_future()
        self.requests += 1
        self._transport.write(request)
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer = await self._waiting
        if expect is not None and answer.status != expect:
            line = request.split(b"\r\n", 1)[0].split(b"?")[0].decode("latin-1")
            raise Failed(f"{line}: {answer.status} where {expect} was expected: {answer.text[:300]}")
        return answer

    # --- asyncio.Protocol and the parser's callbacks -------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Failed("the connection broke"))

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.decode("latin-1").lower()
        if key == "set-cookie":
            cookie, _, content = value.decode("latin-1").split(";", 1)[0].partition("=")
            self._answer.cookies[cookie] = content
        else:
            self._answer.headers[key] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        answer = self._answer
        answer.status, answer.body = self._parser.get_status_code(), b"".join(self._chunks)
        if len(answer.body) > MAX_BODY:
            raise Failed("an answer larger than any of ours")
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(answer)


def request(method: str, path: str, port: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {ADDRESS}:{port}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def form(path: str, port: int, fields: Mapping[str, str], headers: Mapping[str, str] | None = None) -> bytes:
    """A POST of a form."""
    return request("POST", path, port, {"Content-Type": FORM, **(headers or {})}, urlencode(fields).encode())


def cookie_header(cookies: Mapping[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}

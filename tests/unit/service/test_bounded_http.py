"""A head, or a trailer, that never ends does not fill the memory; one that trickles in is let go."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

import service.bounded_http
from service.bounded_http import MAX_HEAD_BYTES, BoundedHttp

GET = b"GET / HTTP/1.1\r\nHost: test\r\n"
POST = b"POST / HTTP/1.1\r\nHost: test\r\n"


async def size_of_body(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the number of bytes that came."""
    if scope["path"] == "/pieces":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"first", b"second"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    if scope["path"] == "/breaks":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        raise RuntimeError("in the middle of an answer")
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(str(size)))]})
    await send({"type": "http.response.body", "body": str(size).encode()})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = uvicorn.Config(size_of_body, host="127.0.0.1", port=0, http=BoundedHttp, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield server.servers[0].sockets[0].getsockname()[1]
    await server.shutdown()


async def answer_to(port: int, *pieces: bytes) -> bytes:
    """What comes back until the connection closes or is quiet; a reset is an end like any other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    told = b""
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(2):
            while got := await reader.read(65536):
                told += got
    except (ConnectionError, TimeoutError):
        pass
    finally:
        writer.close()
    return told


async def test_honest_requests_pass(port: int) -> None:
    assert b"200 OK" in await answer_to(port, GET + b"DPoP: " + b"a" * 9000 + b"\r\n\r\n")
    body = b"x" * 1_000_000
    assert (await answer_to(port, POST + b"Content-Length: 1000000\r\n\r\n", body)).endswith(b"1000000")
    pipelined = await answer_to(port, (GET + b"\r\n") * 50)
    assert pipelined.count(b"200 OK") == 50


async def test_a_header_without_end_is_cut_off(port: int) -> None:
    told = await answer_to(port, GET + b"X: ", *(b"a" * 16_384 for _ in range(2 * MAX_HEAD_BYTES // 16_384)))
    assert b"200" not in told
    assert told[:12] in {b"HTTP/1.1 431", b""}  # the reset of a connection with unread bytes may overtake the answer


async def test_a_large_head_in_one_piece_is_refused(port: int) -> None:
    told = await answer_to(port, GET + b"".join(b"X%d: aaaa\r\n" % n for n in range(12_000)) + b"\r\n")
    assert b"200" not in told


async def test_a_trailer_without_end_is_cut_off(port: int) -> None:
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: "
    told = await answer_to(port, head, *(b"a" * 16_384 for _ in range(2 * MAX_HEAD_BYTES // 16_384)))
    assert b"200" not in told


async def test_a_head_that_trickles_in_is_let_go(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service.bounded_http, "HEAD_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET)
    async with asyncio.timeout(2):
        assert await reader.read() == b""
    writer.close()


async def test_a_head_and_its_body_are_one_write(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    made = BoundedHttp.connection_made

    def watched(self: BoundedHttp, transport: asyncio.Transport) -> None:
        made(self, transport)
        self.transport = _Watched(transport, written)  # type: ignore[assignment]

    monkeypatch.setattr(BoundedHttp, "connection_made", watched)
    told = await answer_to(port, GET + b"\r\n", GET + b"\r\n")
    assert told.count(b"200 OK") == 2
    assert len(written) == 2
    assert b"".join(written) == told


class _Watched:
    """A transport whose writes are seen."""

    def __init__(self, transport: asyncio.Transport, written: list[bytes]) -> None:
        self._transport, self._written = transport, written

    def write(self, data: bytes) -> None:
        self._written.append(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


async def test_answers_without_a_body_in_pieces_and_after_a_wait_are_whole(port: int) -> None:
    pieces = GET.replace(b"GET /", b"GET /pieces")
    head = b"HEAD / HTTP/1.1\r\nHost: test\r\n\r\n"
    told = await answer_to(port, head, pieces + b"\r\n", GET + b"Connection: close\r\n\r\n")
    none, _, rest = told.partition(b"\r\n\r\n")
    assert b"200 OK" in none
    assert rest.count(b"200 OK") == 2
    assert b"5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n" in rest
    assert rest.endswith(b"connection: close\r\n\r\n0")
    waited = await answer_to(port, POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", b"abc")
    assert waited.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert waited.endswith(b"\r\n\r\n3")


async def test_an_answer_that_breaks_off_ends_the_connection(port: int) -> None:
    told = await answer_to(port, GET.replace(b"GET /", b"GET /breaks") + b"\r\n", GET + b"\r\n")
    assert told.count(b"HTTP/1.1") <= 1
    assert not told.endswith(b"0")

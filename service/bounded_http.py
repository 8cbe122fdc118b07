"""uvicorn's HTTP protocol with the two limits it lacks: how large a request's head may be, and how long it may take;
and with one write for an answer's head and body, where it has two.

httptools collects a header, or a trailer of a chunked body, without end before anybody sees it: a stranger could
fill a web process's memory with one request. Source: RFC 6585 section 5 (431 Request Header Fields Too Large).
"""

import asyncio
from collections.abc import Callable

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024
"""Request line and headers. The largest honest ones carry a DPoP proof with an RSA key and a signed token: 8 KiB."""
HEAD_SECONDS = 20.0
"""From the connection, or a further request's first byte, to the end of the head: one that trickles in is let go."""

_INTERIM = b"HTTP/1.1 100 "
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class _Answer:
    """A transport as one answer writes to it: the head waits for the first piece of the body.

    A write to a socket costs as much as signing a token does. In everything else it is the transport.
    """

    __slots__ = ("_head", "_on_complete", "_transport")

    def __init__(self, transport: asyncio.Transport, on_complete: Callable[[], None]) -> None:
        self._transport = transport
        self._on_complete = on_complete
        self._head: bytes | None = None

    def write(self, data: bytes) -> None:
        if self._head is not None:
            data, self._head = self._head + data, b""
        elif not data.startswith(_INTERIM):
            self._head = data
            return
        if data:
            self._transport.write(data)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def complete(self) -> None:
        """An answer without a body has only this end."""
        self._flush()
        self._on_complete()

    def _flush(self) -> None:
        if self._head:
            self._transport.write(self._head)
            self._head = b""


class BoundedHttp(HttpToolsProtocol):
    """Closes connections whose head is too large or too slow; everything else is uvicorn's."""

    _got_on = False
    _unfinished_bytes = 0
    _header_bytes = 0
    _in_head = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._got_on = False
        super().data_received(data)
        # What completed neither a head nor a piece of a body lies in the parser's memory.
        self._unfinished_bytes = 0 if self._got_on else self._unfinished_bytes + len(data)
        if self._in_head and self._deadline is None:
            self._wait_for_head()  # most heads come in one piece and need no alarm
        if self._unfinished_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        self._header_bytes = 0
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        # A head that came in one piece is counted here; the parser's error is answered with 400.
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MAX_HEAD_BYTES:
            raise httptools.HttpParserError("the head is too large")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._got_on = True
        self._in_head = False
        self._head_is_here()
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not None and self.cycle is not before:
            written = _Answer(self.transport, self.cycle.on_response)
            self.cycle.transport, self.cycle.on_response = written, written.complete  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        self._got_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._got_on = True
        super().on_message_complete()

    def _wait_for_head(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _head_is_here(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()

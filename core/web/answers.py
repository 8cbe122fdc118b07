"""Answers of hot routes: bytes and headers that are ready, without the framework's making of them."""

from collections.abc import Iterable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_NOT_KEPT = (b"cache-control", b"no-store")


def redirection(to: str) -> Response:
    """303 See Other that nobody keeps. to: an address as it stands in the header, nothing left to be encoded."""
    return ReadyResponse(b"", 303, ((b"location", to.encode("ascii")), _NOT_KEPT))


class ReadyResponse(Response):
    """A whole body with raw headers (lower-case names); the length is added."""

    def __init__(self, body: bytes, status: int, raw_headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.status_code, self.background, self.body = status, None, body
        self.raw_headers = [*raw_headers, (b"content-length", str(len(body)).encode())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})

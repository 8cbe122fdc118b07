"""Servers of others, as the outbound client meets them: real sockets, real TLS, every kind of bad manners."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Answering = Callable[["Asked", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Asked:
    """A request as it came. method, path, headers (names in lower case), body."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class OtherServer:
    """A server on the loopback address. answering: what it does with a request; may be changed at any time."""

    port: int
    answering: Answering
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0

    def url(self, path: str = "/", host: str = "keys.example", scheme: str = "https") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                asked = await _read(reader)
                self.asked.append(asked)
                await self.answering(asked, writer)
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        finally:
            self.at_once -= 1
            writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, path, headers, body)


def answers(
    body: bytes = b"{}", *, status: str = "200 OK", content_type: str = "application/json", **headers: str
) -> Answering:
    """Answers every request alike. headers: further ones, `_` in a name for `-`."""
    more = {"Content-Type": content_type, "Content-Length": str(len(body))}
    more |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in more.items())
    whole = f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body

    async def answer(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(whole)

    return answer


def says(*pieces: bytes, again: bytes = b"", every_seconds: float = 0.0) -> Answering:
    """Writes the pieces as they are; then `again` for ever, with a pause each time."""

    async def answer(_: Asked, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
        while again:
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(every_seconds)

    return answer


@asynccontextmanager
async def other_server(answering: Answering, tls: ssl.SSLContext | None, port: int = 0) -> AsyncIterator[OtherServer]:
    """A running server, at any free port unless one is given; whoever still talks to it at the end is cut off."""
    made = OtherServer(0, answering)
    talking: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(made.serve(reader, writer))
        talking.add(task)
        task.add_done_callback(talking.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", port, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in list(talking):
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        await server.wait_closed()


@dataclass
class NameServer:
    """A resolver that tells what it is set to. answers: one per question, the last for ever."""

    answers: list[Sequence[str]]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

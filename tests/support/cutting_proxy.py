"""A way to PostgreSQL that cuts the client off at the moment of COMMIT, before or after the server has it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import parse_qs, urlsplit, urlunsplit

Cut = Literal["before", "after"] | None


class CuttingProxy:
    """Set `cut` to act on the next COMMIT: "before" the server hears it, or "after" it has answered."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self.cut: Cut = None
        self.cuts = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._host.startswith("/"):
            server = await asyncio.open_unix_connection(f"{self._host}/.s.PGSQL.{self._port}")
        else:
            server = await asyncio.open_connection(self._host, self._port)
        pumps = [
            asyncio.create_task(self._to_server(reader, server[1], writer)),
            asyncio.create_task(self._to_client(server[0], writer)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for closed in (server[1], writer):
            closed.close()

    async def _to_server(
        self, reader: asyncio.StreamReader, server: asyncio.StreamWriter, client: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(65536):
            if self.cut is not None and b"COMMIT;" in data:
                cut, self.cut = self.cut, None
                self.cuts += 1
                client.transport.abort()
                if cut == "after":
                    server.write(data)
                    await server.drain()
                    await asyncio.sleep(0.2)  # let the server do it; the client is gone already
                return
            server.write(data)
            await server.drain()

    @staticmethod
    async def _to_client(server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while data := await server.read(65536):
            client.write(data)
            await client.drain()


@asynccontextmanager
async def cutting_proxy(url: str) -> AsyncIterator[tuple[CuttingProxy, str]]:
    """A proxy before the server of `url`, and the URL that leads through it."""
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    host = asked["host"][0] if "host" in asked else parts.hostname or "localhost"
    proxy = CuttingProxy(host, parts.port or int(asked.get("port", ["5432"])[0]))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    login = parts.netloc.rpartition("@")[0]
    try:
        yield proxy, urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}", query=""))
    finally:
        server.close()

"""A way to Redis that can be broken: connections reset while idle, answers lost or held back when all was done.

The server itself is shared with the other processes of the test run: whoever paused it, or ended the connections of
others, would break their tests.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit


class RedisProxy:
    """Between a cache and the Redis of the tests.

    lose_answers: what Redis says goes nowhere, the connection ends. speaks: while it is not set, what Redis says waits.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        self._path = parts.path
        self._password, self._db = query.get("password", [""])[0], query.get("db", ["0"])[0]
        self._clients: set[asyncio.StreamWriter] = set()
        self.lose_answers = False
        self.speaks = asyncio.Event()
        self.speaks.set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/{self._db}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["RedisProxy"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self._clients:
                writer.close()

    def reset(self) -> None:
        """Ends every connection as a host that went away does: by RST."""
        for writer in self._clients:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_redis, to_redis = await asyncio.open_unix_connection(self._path)
        self._clients.add(writer)
        asking = asyncio.create_task(_pump(reader, to_redis))
        while (answer := await from_redis.read(65_536)) and not self.lose_answers:
            await self.speaks.wait()
            writer.write(answer)
        asking.cancel()
        self._clients.discard(writer)
        writer.close()
        to_redis.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)
    writer.close()

"""Host names to addresses, by the system's resolver, in threads of its own.

The resolver blocks and cannot be called off. In threads of its own a name server that does not answer holds up
nobody but those who ask it.
"""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

THREADS = 8


class NameLookup:
    """Asks for names; one per process, `close` at its end."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="names")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host in the resolver's order, each once; none when it is not known."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, _ask, host, port)
        except (OSError, UnicodeError):
            return ()
        return tuple(dict.fromkeys(found))


def _ask(host: str, port: int) -> list[str]:
    return [str(where[0]) for *_, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]

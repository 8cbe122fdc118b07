"""The network as the outbound client sees it: connections to checked addresses, TLS for the name."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import httpcore


class PinnedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to the checked addresses, whatever name it is told."""

    def __init__(self, addresses: Callable[[], Awaitable[Sequence[str]]]) -> None:
        self._addresses = addresses
        self._network = httpcore.AnyIOBackend()
        self._opened: list[httpcore.AsyncNetworkStream] = []

    async def aclose(self) -> None:
        """Closes what was opened: the library forgets a connection when it is called off amid the TLS handshake."""
        for stream in self._opened:
            await stream.aclose()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (the library's interface; the whole call has one limit)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failed = httpcore.ConnectError()
        for address in await self._addresses():
            try:
                self._opened.append(await self._network.connect_tcp(address, port))
            except httpcore.ConnectError as error:
                failed = error
            else:
                return self._opened[-1]
        raise failed

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  (as above)
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def is_of_tls(error: BaseException | None) -> bool:
    """Whether the secure connection was at fault, as the errors below this one tell."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates are checked, for the name, by the system's authorities and those of the file."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    return context

"""The one client by which this service calls others: key sets, sector documents, logout tokens, pings.

Whoever registers an address here chooses where we connect to, so an address is believed in nothing. https only;
the name is resolved once, by us, every address found is checked, and the connection goes to the checked address
itself, while the certificate is checked for the name: a name that points elsewhere a moment later wins nothing.
No redirect is followed, no proxy of the environment used, no cookie kept, no encoding undone; time, size, head and
the number at once are bounded. There is no switch that turns any of this off. For test environments
`DINHDANH_OUTBOUND_ALLOWED` names hosts with their port that may lie in a private network, and
`DINHDANH_OUTBOUND_CA_FILE` holds certificate authorities to believe beside the system's.
"""

import asyncio
import contextlib
import re
import weakref
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpcore

from core.name_lookup import NameLookup
from core.pinned_network import PinnedNetwork, is_of_tls, tls_context
from core.public_address import is_public
from core.settings import Settings

MAX_AT_ONCE = 32
MAX_AT_ONCE_PER_HOST = 4
MAX_URL = 2048
MAX_HEAD_BYTES = 16 * 1024
MAX_JSON_BYTES = 64 * 1024
MAX_ANSWER_BYTES = 16 * 1024
TOTAL_SECONDS = 5.0
"""From the first question to the resolver to the last byte of the answer, waiting for a place included."""
MAX_ADDRESSES = 4
"""How many of a host's addresses are tried."""
USER_AGENT = "dinhdanh"

_URL = re.compile(r"[A-Za-z0-9\-._~:/?\[\]!$&'()*+,;=%@]+", re.ASCII)
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_REASONS = {
    "url": "the address is not an https address that is called",
    "address": "the host does not lie at a public address",
    "name": "the host is not found",
    "connect": "no connection",
    "tls": "the certificate or the secure connection does not hold",
    "time": "no full answer in time",
    "protocol": "the answer is not HTTP",
    "head": "the head of the answer is too large",
    "size": "the answer is too large",
    "encoding": "the answer is encoded, though plain was asked for",
    "redirect": "the answer is a redirect, which is not followed",
    "status": "the answer is not 200",
    "content-type": "the answer has another content type",
}

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port → addresses, as text."""


class OutboundRefused(Exception):
    """The call did not come about, or its answer is not taken. reason: one of a few words; `str` says it in plain
    English that may be shown to a developer. passing: whether a later try may do better."""

    def __init__(self, reason: str) -> None:
        super().__init__(_REASONS[reason])
        self.reason = reason

    @property
    def passing(self) -> bool:
        return self.reason in {"name", "connect", "time", "protocol", "status"}


@dataclass(frozen=True, slots=True)
class OutboundAnswer:
    """An answer within the limits. headers: names in lower case; of a repeated one the last."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Target:
    """A URL as it was read, once."""

    url: str
    host: str
    port: int
    allowed: bool


class Outbound:
    """The client; one per process. allowed: `host:port` that may be private. sandbox: those may be plain http too.

    resolve: given by tests that play a hostile name server.
    """

    def __init__(
        self,
        *,
        allowed: Iterable[str] = (),
        ca_file: Path | None = None,
        sandbox: bool = False,
        resolve: Resolve | None = None,
    ) -> None:
        self._allowed = frozenset(each.lower() for each in allowed)
        self._sandbox = sandbox
        self._lookup = NameLookup()
        self._resolve = resolve or self._lookup.addresses
        self._context = tls_context(ca_file)
        self._places = asyncio.Semaphore(MAX_AT_ONCE)
        self._per_host: weakref.WeakValueDictionary[str, asyncio.Semaphore] = weakref.WeakValueDictionary()

    @classmethod
    def from_settings(cls, settings: Settings) -> "Outbound":
        return cls(allowed=settings.outbound_allowed, ca_file=settings.outbound_ca_file, sandbox=settings.sandbox)

    def close(self) -> None:
        """Ends the threads that ask for names."""
        self._lookup.close()

    async def get_json(
        self,
        url: str,
        *,
        max_bytes: int = MAX_JSON_BYTES,
        timeout_seconds: float = TOTAL_SECONDS,
        accept: Collection[str] = ("application/json",),
    ) -> OutboundAnswer:
        """A JSON document; the answer is a 200. accept: media types; one with `+json` is taken as well.

        Raises OutboundRefused.
        """
        headers = {"Accept": ", ".join(accept)}
        answer = await self._call("GET", url, headers, b"", max_bytes, timeout_seconds, whole=True)
        if answer.status != 200:
            raise OutboundRefused("status")
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in {*accept, "application/json"} and not media_type.endswith("+json"):
            raise OutboundRefused("content-type")
        return answer

    async def post(
        self,
        url: str,
        *,
        body: bytes,
        content_type: str,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = TOTAL_SECONDS,
    ) -> OutboundAnswer:
        """Sends a body; gives whatever status came back. Of the answer's body no more than MAX_ANSWER_BYTES is read.

        Raises OutboundRefused.
        """
        sent = {"Content-Type": content_type, **(headers or {})}
        return await self._call("POST", url, sent, body, MAX_ANSWER_BYTES, timeout_seconds, whole=False)

    async def _call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        max_bytes: int,
        timeout_seconds: float,
        *,
        whole: bool,
    ) -> OutboundAnswer:
        target = self._read(url)
        of_host = self._per_host.setdefault(target.host, asyncio.Semaphore(MAX_AT_ONCE_PER_HOST))
        try:
            async with asyncio.timeout(timeout_seconds), of_host, self._places:
                return await self._exchange(method, target, headers, body, max_bytes, whole=whole)
        except TimeoutError:
            raise OutboundRefused("time") from None

    async def _exchange(
        self, method: str, target: _Target, headers: Mapping[str, str], body: bytes, max_bytes: int, *, whole: bool
    ) -> OutboundAnswer:
        # A pool of one connection for one call: what was checked is what is used, and nothing is kept.
        backend = PinnedNetwork(partial(self._checked, target))
        sent = {
            **headers,
            "User-Agent": USER_AGENT,
            # A body is never unpacked: a few bytes could become gigabytes.
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        with _as_refusal():
            async with (
                contextlib.aclosing(backend),
                httpcore.AsyncConnectionPool(
                    ssl_context=self._context,
                    proxy=None,
                    max_connections=1,
                    max_keepalive_connections=0,
                    http1=True,
                    http2=False,
                    retries=0,
                    network_backend=backend,
                ) as pool,
                pool.stream(method, target.url, headers=list(sent.items()), content=body or None) as answer,
            ):
                return await _read_answer(answer, max_bytes, whole=whole)

    def _read(self, url: str) -> _Target:
        """What the URL says, in one reading; everything that two readers could read differently is refused."""
        if len(url) > MAX_URL or _URL.fullmatch(url) is None:
            raise OutboundRefused("url")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise OutboundRefused("url") from None
        host = parts.hostname or ""
        if "@" in parts.netloc or parts.scheme not in {"https", "http"} or port == 0 or not host:
            raise OutboundRefused("url")
        port = port or (443 if parts.scheme == "https" else 80)
        allowed = f"{host}:{port}" in self._allowed
        if parts.scheme == "http" and not (allowed and self._sandbox):
            raise OutboundRefused("url")
        # A bare address has no certificate that means anything; in which spelling ever, it is not a name.
        if not allowed and (_NAME.fullmatch(host) is None or _NUMBER.fullmatch(host.rpartition(".")[2])):
            raise OutboundRefused("address")
        return _Target(url, host, port, allowed)

    async def _checked(self, target: _Target) -> Sequence[str]:
        """The addresses to connect to. One that is not public spoils all: its name server plays with us."""
        addresses = await self._resolve(target.host, target.port)
        if not addresses:
            raise OutboundRefused("name")
        if not target.allowed and not all(is_public(address) for address in addresses):
            raise OutboundRefused("address")
        return addresses[:MAX_ADDRESSES]


async def _read_answer(answer: httpcore.Response, max_bytes: int, *, whole: bool) -> OutboundAnswer:
    if sum(len(name) + len(value) for name, value in answer.headers) > MAX_HEAD_BYTES:
        raise OutboundRefused("head")
    if 300 <= answer.status < 400:
        raise OutboundRefused("redirect")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise OutboundRefused("encoding")
    body = bytearray()
    async for piece in answer.aiter_stream():
        body += piece
        if len(body) > max_bytes:
            if whole:
                raise OutboundRefused("size")
            break
    return OutboundAnswer(answer.status, headers, bytes(body[:max_bytes]))


@contextlib.contextmanager
def _as_refusal() -> Iterator[None]:
    """The library's errors as ours. Raises OutboundRefused."""
    try:
        yield
    except httpcore.ConnectError as error:
        raise OutboundRefused("tls" if is_of_tls(error) else "connect") from error
    except (httpcore.NetworkError, httpcore.TimeoutException) as error:
        raise OutboundRefused("connect") from error
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise OutboundRefused("protocol") from error

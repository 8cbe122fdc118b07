"""A watched HTTP client: whatever it asks and gets is written down, to be judged when the load is over."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl

import httpx

PATIENCE_SECONDS = 20.0


class Dropped(Exception):
    """The connection broke before the whole answer was there."""


@dataclass
class Exchange:
    """One request and its fate. status: None while it runs and when the connection broke. Times: monotonic."""

    who: str
    method: str
    path: str
    started: float
    query: dict[str, str] = field(default_factory=dict)
    sent: str = ""
    ended: float | None = None
    status: int | None = None
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    body: str = ""

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.sent))

    @property
    def dropped(self) -> bool:
        return self.ended is not None and self.status is None

    def __str__(self) -> str:
        return f"{self.who}: {self.method} {self.path} -> {self.status} {self.body[:300]}"


@dataclass
class Watch:
    """Everything that was asked."""

    exchanges: list[Exchange] = field(default_factory=list)
    running: int = 0

    def of(self, path: str, *, status: int | None = None) -> Iterator[Exchange]:
        """Finished ones whose path starts so; of one status, or all."""
        for one in self.exchanges:
            if one.path.startswith(path) and one.ended is not None and (status is None or one.status == status):
                yield one


class WatchedClient(httpx.AsyncClient):
    """An HTTP client that tells a `Watch`. Raises Dropped for every broken connection."""

    def __init__(self, watch: Watch, who: str, base_url: str, transport: httpx.AsyncBaseTransport) -> None:
        super().__init__(base_url=base_url, transport=transport, timeout=PATIENCE_SECONDS)
        self.watch = watch
        self.who = who

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        asked = Exchange(
            self.who,
            request.method,
            request.url.path,
            monotonic(),
            query=dict(parse_qsl(request.url.query.decode())),
            sent=request.content.decode("utf-8", "replace"),
        )
        self.watch.exchanges.append(asked)
        self.watch.running += 1
        try:
            response = await super().send(request, **options)
        except httpx.TransportError as error:
            asked.body = repr(error)
            raise Dropped(type(error).__name__) from error
        else:
            asked.status, asked.headers, asked.body = response.status_code, response.headers, response.text
            return response
        finally:
            asked.ended = monotonic()
            self.watch.running -= 1

"""Load: some walks at once, each on a connection of its own, bounded in time and in number."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter

from bench.http_client import Connection

Walk = Callable[[Connection, int], Awaitable[None]]
"""One unit of work on a connection; the number is different for every walk of a work."""

MAX_WALKS = 1_000_000


@dataclass(slots=True)
class Load:
    """What was done. latencies: seconds, one per walk."""

    seconds: float = 0.0
    requests: int = 0
    latencies: list[float] = field(default_factory=list)

    @property
    def done(self) -> int:
        return len(self.latencies)

    def percentile_ms(self, share: float) -> float:
        if not self.latencies:
            return 0.0
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


async def run_load(
    port: int, walk: Walk, turns: "itertools.count[int]", *, in_flight: int, seconds: float, most: int = MAX_WALKS
) -> Load:
    """Runs walks until the time or the number is used up. Raises Failed at the first that went wrong."""
    load = Load()
    connections = [await Connection(port).open() for _ in range(in_flight)]
    left = itertools.count(most, -1)
    started = perf_counter()
    end = started + seconds

    async def one_after_the_other(connection: Connection) -> None:
        while perf_counter() < end and next(left) > 0:
            began = perf_counter()
            await walk(connection, next(turns))
            load.latencies.append(perf_counter() - began)

    try:
        async with asyncio.TaskGroup() as group:
            for connection in connections:
                group.create_task(one_after_the_other(connection))
    except* Exception as failures:
        raise failures.exceptions[0] from None
    finally:
        load.seconds = perf_counter() - started
        load.requests = sum(connection.requests for connection in connections)
        for connection in connections:
            connection.close()
    return load

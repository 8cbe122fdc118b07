"""Measuring one work: our runs and the peer's in turn, medians of them, CPU of every part."""

import itertools
import statistics
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from time import process_time
from typing import Any

from bench.load import MAX_WALKS, Load, Walk, run_load
from bench.machine import busy_share, clock_of_all, cpu_seconds, memory_mb

WARM_UP_SECONDS = 1.5


@dataclass(frozen=True)
class Server:
    """A server under load. parts: its processes by what they are; "server" is the one on the core of its own."""

    name: str
    port: int
    parts: Callable[[], Mapping[str, Iterable[int]]]


@dataclass(frozen=True)
class Contender:
    """One way to do a work. prepare: makes its walk (tokens fetched, bytes built) on a running server."""

    label: str
    server: Server
    prepare: Callable[[], Awaitable[Walk]]


@dataclass(frozen=True)
class Work:
    """What is measured. goal: least ratio of ours to the first peer; goal_rate: least rate; most: walks per run."""

    key: str
    title: str
    ours: Contender
    peers: tuple[Contender, ...] = ()
    goal: float | None = None
    goal_rate: float | None = None
    goal_text: str = ""
    in_flight: int = 32
    most: int = MAX_WALKS


@dataclass
class Run:
    """One run of one contender. CPU in seconds by part ("client" is this process)."""

    load: Load
    cpu: dict[str, float]
    memory: float
    busy: float

    @property
    def rate(self) -> float:
        return self.load.done / self.load.seconds

    def cpu_ms(self, part: str) -> float:
        return self.cpu.get(part, 0.0) * 1000 / max(1, self.load.done)


@dataclass
class Figures:
    """The medians of a contender's runs."""

    label: str
    server: str
    rates: list[float]
    p50_ms: float
    p95_ms: float
    cpu_ms: dict[str, float]
    memory_mb: float
    busy: float
    requests_per_walk: float

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def per_cpu_second(self) -> float:
        """What a whole core of the server would do: the figure that other load on the machine disturbs least."""
        return 1000 / self.cpu_ms["server"] if self.cpu_ms.get("server") else 0.0


@dataclass
class Outcome:
    """A measured work. error: why there are no figures."""

    work: Work
    ours: Figures | None = None
    peers: list[Figures] = field(default_factory=list)
    error: str = ""


def figures(contender: Contender, runs: list[Run]) -> Figures:
    def median(of: Callable[[Run], float]) -> float:
        return statistics.median(of(run) for run in runs)

    return Figures(
        label=contender.label,
        server=contender.server.name,
        rates=[run.rate for run in runs],
        p50_ms=median(lambda run: run.load.percentile_ms(0.5)),
        p95_ms=median(lambda run: run.load.percentile_ms(0.95)),
        cpu_ms={part: median(lambda run, part=part: run.cpu_ms(part)) for part in runs[0].cpu},  # type: ignore[misc]
        memory_mb=median(lambda run: run.memory),
        busy=median(lambda run: run.busy),
        requests_per_walk=median(lambda run: run.load.requests / max(1, run.load.done)),
    )


async def measure(work: Work, *, rounds: int, seconds: float, tell: Callable[[str], Any]) -> Outcome:
    """All rounds of a work, contenders in turn. Raises Failed when a walk went wrong."""
    contenders = (work.ours, *work.peers)
    walks = [await contender.prepare() for contender in contenders]
    turns: list[itertools.count[int]] = [itertools.count() for _ in contenders]
    runs: list[list[Run]] = [[] for _ in contenders]
    for number in range(rounds):
        for at, contender in enumerate(contenders):
            tell(f"{work.title}: {contender.label}, run {number + 1} of {rounds}")
            if number == 0 and work.most == MAX_WALKS:
                await run_load(
                    contender.server.port,
                    walks[at],
                    turns[at],
                    in_flight=work.in_flight,
                    seconds=WARM_UP_SECONDS,
                )
            runs[at].append(await _run(work, contender.server, walks[at], turns[at], seconds))
    found = [figures(contender, of_it) for contender, of_it in zip(contenders, runs, strict=True)]
    return Outcome(work, found[0], found[1:])


async def _run(work: Work, server: Server, walk: Walk, turns: "itertools.count[int]", seconds: float) -> Run:
    parts = {name: list(pids) for name, pids in server.parts().items()}
    before = {name: cpu_seconds(pids) for name, pids in parts.items()}
    client, clock = process_time(), clock_of_all()
    load = await run_load(server.port, walk, turns, in_flight=work.in_flight, seconds=seconds, most=work.most)
    cpu = {"client": process_time() - client}
    # Looked up anew: a connection of PostgreSQL that was opened meanwhile is a process of its own.
    for name, pids in server.parts().items():
        cpu[name] = max(0.0, cpu_seconds(pids) - before[name])
    return Run(load, cpu, memory_mb(parts["server"]), busy_share(clock, clock_of_all()))

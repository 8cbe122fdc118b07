"""`python -m bench`: measure, print one table, write it to bench/results/."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.status import Status

from bench import house as houses
from bench import peer_server, registry, works_lookup, works_sign_in, works_tokens
from bench.http_client import Connection, Failed
from bench.limits import argon2_rate, copy_rate
from bench.load import Walk
from bench.machine import OTHER_CORE, can_pin, pin
from bench.measure import Outcome, Work, measure
from bench.peer_server import NoPeer, Peer
from bench.report import Report, show, write
from bench.stage import PASSWORDS, SCOPE, PeerClients, Stage, set_up

DATA_DIR = Path(__file__).with_name(".data")
FEW_PEOPLE = 4_000
PROBE_EVERY_SECONDS = 0.05


def main(
    only: Annotated[list[str] | None, typer.Option(help="Only works whose key starts so; may be repeated.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each, taken in turn.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.5, help="Length of a run.")] = 4.0,
    people: Annotated[int, typer.Option(min=FEW_PEOPLE, help="Size of the imported population.")] = 100_000,
    port: Annotated[int, typer.Option(help="Ours; the peer takes the one ten above.")] = 8500,
    peer: Annotated[bool, typer.Option(help="Whether to measure the peer as well.")] = True,
) -> None:
    """Measure our works beside the peer's and beside limits."""
    data_dir = Path(os.environ.get("DINHDANH_DATA_DIR") or DATA_DIR).absolute()
    console = Console(highlight=False)
    settings = {"rounds": rounds, "seconds a run": seconds, "people": people}
    report = Report(settings, pinned=can_pin(), load_before=os.getloadavg()[0])
    with console.status("Starting …") as status, ExitStack() as stack:
        house = _started(stack, data_dir, port, report, status)
        file = data_dir / "people.jsonl"
        _population(house, file, only, people, report, status)
        status.update("Preparing clients and people …")
        stage = uvloop.run(set_up(house, file, passwords=PASSWORDS if _wanted("password", only) else 0))
        if report.pinned:
            house.pin()
            pin([os.getpid()], OTHER_CORE)
        clients = PeerClients()
        other = _peer(stack, house, port + 10, clients, report) if peer else None
        works = [
            *works_tokens.works(stage, other, clients),
            *works_sign_in.works(stage, other, clients, rounds),
            *works_lookup.works(stage),
        ]
        for work in works:
            if _wanted(work.key, only):
                report.outcomes.append(_measured(work, stage, report, rounds, seconds, status.update))
    report.load_after = os.getloadavg()[0]
    if not peer:
        report.no_peer = "left out by choice"
    show(report, Console(highlight=False, width=max(200, console.width)) if not console.is_terminal else console)
    console.print(f"Written: bench/results/{write(report).name}")


def _started(stack: ExitStack, data_dir: Path, port: int, report: Report, status: Status) -> houses.House:
    """The sandbox: started afresh, stopped, and started again, with both times."""
    houses.fresh(data_dir)
    with houses.running(data_dir, port) as first:
        report.starts.append(first.start_seconds)
    status.update("Starting again …")
    house = stack.enter_context(houses.running(data_dir, port))
    report.starts.append(house.start_seconds)
    return house


def _population(
    house: houses.House, file: Path, only: Sequence[str] | None, people: int, report: Report, status: Status
) -> None:
    """People in the registry: many when the import is measured, some in any case."""
    data_dir, port = house.settings.data_dir, house.port
    whole = _wanted("import", only)
    size = people if whole else FEW_PEOPLE
    status.update(f"Generating {size:,} people …")
    generated = registry.generate(size, file, data_dir, port)
    status.update(f"Importing {size:,} people …")
    first = registry.import_file(file, data_dir, port)
    if whole:
        status.update("Importing them again …")
        second = registry.import_file(file, data_dir, port)
        status.update("Copying the same rows …")
        copied = asyncio.run(copy_rate(house.settings))
        report.registry = registry.RegistryFigures(size, generated, first, second, copied)


def _peer(stack: ExitStack, house: houses.House, port: int, clients: PeerClients, report: Report) -> Peer | None:
    try:
        running = stack.enter_context(
            peer_server.running(house, port, clients.registered(), f"{house.issuer}/api/lookup")
        )
    except NoPeer as why:
        report.no_peer = str(why)
        return None
    if report.pinned:
        running.pin()
    return running


def _measured(
    work: Work, stage: Stage, report: Report, rounds: int, seconds: float, tell: Callable[[str], None]
) -> Outcome:
    """One work; a failed one is told and does not end the rest."""
    whole = measure(work, rounds=rounds, seconds=seconds * (4 if work.key == "password" else 1), tell=tell)
    try:
        if work.key != "password":
            return uvloop.run(whole)
        report.argon2_rate = argon2_rate(stage.house.settings)
        return uvloop.run(_beside_a_probe(whole, stage, report))
    except (Failed, OSError, TimeoutError) as failed:
        return Outcome(work, error=str(failed) or type(failed).__name__)


async def _beside_a_probe(whole: Awaitable[Outcome], stage: Stage, report: Report) -> Outcome:
    """The password work, with a userinfo request now and then: what others feel of it."""
    walk: Walk = await works_tokens.userinfo_walk(stage, SCOPE)
    connection = await Connection(stage.house.port).open()
    latencies: list[float] = []

    async def probe() -> None:
        while True:
            started = perf_counter()
            await walk(connection, len(latencies))
            latencies.append(perf_counter() - started)
            await asyncio.sleep(PROBE_EVERY_SECONDS)

    task = asyncio.create_task(probe())
    try:
        return await whole
    finally:
        task.cancel()
        connection.close()
        if latencies:
            report.probe_p95_ms = sorted(latencies)[int(0.95 * (len(latencies) - 1))] * 1000


def _wanted(key: str, only: Sequence[str] | None) -> bool:
    return not only or any(key.startswith(each) for each in only)


if __name__ == "__main__":
    typer.run(main)

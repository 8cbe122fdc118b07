"""`dinhdanh registry generate|import`: a synthetic population into a file, a file into the registry."""

from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from core.settings import load_settings
from service.servers import servers_for_command

app = typer.Typer(help="The registry of persons.", no_args_is_help=True)


@app.command("generate")
def generate_command(
    people: Annotated[int, typer.Option(min=0, help="How many people.")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="The JSON Lines file to write.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
) -> None:
    """Write a deterministic synthetic population. The file appears whole or not at all."""
    from population_db.generate import generate_file

    started = monotonic()
    with _people_bar() as bar:
        task = bar.add_task("Making people", total=people)
        done = generate_file(people, seed, out, lambda made: bar.update(task, completed=made))
    _say_done(f"{done:,} people written to {out}", done, started)


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="JSON Lines or CSV.")],
    rejects: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where refused rows go, with line and reason.")
    ] = None,
) -> None:
    """Import people. May be stopped and called again: it goes on where it stopped; twice changes nothing."""
    from service.import_people import import_people

    rejects = rejects or file.with_name(file.name + ".rejects.jsonl")
    with servers_for_command(load_settings()) as servers:
        report = import_people(servers.settings, file, rejects)
    console = Console(highlight=False)
    resumed = f" ({report.resumed:,} of them before this call)" if report.resumed else ""
    console.print(
        f"{report.read:,} rows read{resumed}: {report.inserted:,} new, {report.updated:,} changed, "
        f"{report.unchanged:,} unchanged, {report.rejected:,} refused; "
        f"{report.seconds:.1f} s, {report.rows_per_second:,.0f} rows/s.",
        soft_wrap=True,
    )
    if report.rejected:
        console.print(f"The refused rows and why: {rejects}", soft_wrap=True)


def _people_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def _say_done(what: str, count: int, started: float) -> None:
    seconds = max(monotonic() - started, 1e-6)
    Console(highlight=False).print(f"{what} in {seconds:.1f} s ({count / seconds:,.0f} rows/s).", soft_wrap=True)

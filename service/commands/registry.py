"""`dinhdanh registry generate|import`: a synthetic population into a file, a file into the registry."""

from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

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
    with people_bar() as bar:
        task = bar.add_task("Making people", total=people)
        done = generate_file(people, seed, out, lambda made: bar.update(task, completed=made))
    _say_done(f"{done:,} people written to {out}", done, started)


def people_bar() -> Progress:
    """A bar that counts people, on standard error."""
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

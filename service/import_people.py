"""Import a file of people from the command line: prepared database, progress bar, report."""

import asyncio
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from core.clock import Clock
from core.outbox import Outbox
from core.settings import Settings, secret_value
from population_db.import_crew import ImportFailed
from population_db.import_reader import FileRefused
from population_db.import_run import ImportReport, import_file
from population_db.import_run import Progress as Step
from privacy.vault.api import VaultError
from service.compose import composed
from service.errors import CommandError
from service.key_files import make_sandbox_keys, open_keks
from service.prepare import prepare_database

STAGES = {"checking": "Checking the file", "importing": "Importing"}


def import_people(settings: Settings, file: Path, rejects: Path) -> ImportReport:
    """Import, or go on with, this file. In the sandbox the database is prepared first.

    Raises CommandError: the file is refused, another import runs, the database or the keys do not answer.
    """
    if settings.sandbox:
        make_sandbox_keys(settings)
        prepare_database(settings)
    try:
        return asyncio.run(_import(settings, file, rejects))
    except (FileRefused, ImportFailed, VaultError) as error:
        raise CommandError(str(error)) from None


async def _import(settings: Settings, file: Path, rejects: Path) -> ImportReport:
    async with composed(settings, login="worker") as parts:
        clock: Clock = parts.get(Clock)  # type: ignore[type-abstract]
        events = parts.get(Outbox).names()
    with _bar() as bar:
        tasks = {stage: bar.add_task(text, total=None, visible=False, people="") for stage, text in STAGES.items()}

        def tell(step: Step) -> None:
            people = f"{step.counts.read:,} people" if step.counts.read else ""
            bar.update(
                tasks[step.stage],
                completed=step.done_bytes,
                total=step.total_bytes,
                visible=True,
                people=people,
            )

        return await import_file(
            file,
            database_url=secret_value(settings.database_worker_url, "DATABASE_WORKER_URL"),
            open_keys=partial(open_keks, settings),
            clock=clock,
            events=events,
            rejects_path=rejects,
            progress=tell,
        )


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[people]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )

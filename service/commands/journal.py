"""`dinhdanh journal verify`: is every line of the journal as it was signed?"""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from core.clock import SystemClock
from core.database import Database
from core.settings import Settings, load_settings, secret_value
from privacy.journal.api import LogKey, VerifyReport, verify
from privacy.journal.api import Progress as Step
from privacy.vault.api import KeyEncryptionKeys, Vault
from service.errors import CommandError
from service.key_files import key_files
from service.servers import servers_for_command

app = typer.Typer(help="The tamper-evident journal of disclosures.", no_args_is_help=True)
TAMPERED = 3


@app.callback()
def journal() -> None:
    """The tamper-evident journal of disclosures."""


@app.command("verify")
def verify_command(
    at_least: Annotated[int, typer.Option(help="A tree size seen before: a shorter journal is a finding.")] = 0,
) -> None:
    """Rebuild the journal's tree from the raw rows and name what was changed. Exit code 3 when something was."""
    with servers_for_command(load_settings()) as servers:
        report = asyncio.run(_verify(servers.settings, at_least))
    console = Console(highlight=False)
    for finding in report.findings:
        console.print(str(finding), style="red", soft_wrap=True, markup=False)
    for note in report.notes:
        console.print(f"note: {note}", soft_wrap=True, markup=False)
    counted = (
        f"{report.lines} lines, {report.leaves} leaves, {report.checkpoints} checkpoints, {report.pending} pending"
    )
    if not report.ok:
        console.print(f"The journal was TAMPERED with: {report.found} findings in {counted}.", soft_wrap=True)
        raise typer.Exit(TAMPERED)
    console.print(f"The journal is whole: {counted}; root {report.root_hash.hex()}.", soft_wrap=True)


async def _verify(settings: Settings, at_least: int) -> VerifyReport:
    files = key_files(settings)
    if not files.log_key.exists() or not files.kek.exists():
        raise CommandError("the key files are not here: has the service ever run?")
    keks, log_key = KeyEncryptionKeys.from_file(files.kek), LogKey.from_file(files.log_key)
    url = secret_value(settings.database_reader_url, "DATABASE_READER_URL")
    database = await Database.connect(url, sessions=1, raw=2, application_name="dinhdanh-verify")
    try:
        async with database.raw() as tx:
            vault = await Vault.load(tx, keks)
        with _bar() as bar:
            stages = {stage: bar.add_task(stage, total=None, visible=False) for stage in ("leaves", "pending", "lines")}

            def tell(step: Step) -> None:
                bar.update(stages[step.stage], completed=step.done, total=step.total or None, visible=True)

            async with database.raw() as tx:
                return await verify(
                    tx, vault, log_key.public_key, now=SystemClock().now(), at_least=at_least, progress=tell
                )
    finally:
        await database.close()


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )

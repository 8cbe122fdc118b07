"""Verify the journal from the command line: keys from their files, rows by the reader's login, a progress bar."""

import asyncio

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from core.database import Database
from core.settings import Settings, secret_value
from privacy.journal.api import LogKey, LogKeyError, VerifyReport, verify
from privacy.journal.api import Progress as Step
from privacy.vault.api import Vault, VaultError
from service.compose import clock_of
from service.errors import CommandError
from service.key_files import key_files, open_keks


def check_journal(settings: Settings, at_least: int) -> VerifyReport:
    """Rebuild the tree. Raises CommandError when keys are missing or do not open the vault."""
    try:
        return asyncio.run(_verify(settings, at_least))
    except (LogKeyError, VaultError) as error:
        raise CommandError(str(error)) from None


async def _verify(settings: Settings, at_least: int) -> VerifyReport:
    files = key_files(settings)
    if not files.log_key.exists() or (settings.kek_in == "file" and not files.kek.exists()):
        raise CommandError("the key files are not here: has the service ever run?")
    keks, log_key = open_keks(settings), LogKey.from_file(files.log_key)
    url = secret_value(settings.database_reader_url, "DATABASE_READER_URL")
    database = await Database.connect(url, sessions=1, raw=2, application_name="dinhdanh-verify")
    try:
        async with database.raw_read() as tx:
            vault = await Vault.load(tx, keks)
        with _bar() as bar:
            stages = {stage: bar.add_task(stage, total=None, visible=False) for stage in ("leaves", "pending", "lines")}

            def tell(step: Step) -> None:
                bar.update(stages[step.stage], completed=step.done, total=step.total or None, visible=True)

            async with database.raw() as tx:
                return await verify(
                    tx, vault, log_key.public_key, now=clock_of(settings).now(), at_least=at_least, progress=tell
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

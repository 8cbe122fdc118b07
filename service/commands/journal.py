"""`dinhdanh journal verify`: is every line of the journal as it was signed?"""

from typing import Annotated

import typer
from rich.console import Console

from core.settings import load_settings
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
    from service.journal_check import check_journal

    with servers_for_command(load_settings()) as servers:
        report = check_journal(servers.settings, at_least)
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

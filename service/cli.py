"""The command line `dinhdanh`. Every error is one sentence and an exit code, never a traceback.

Exit codes: 0 done, 1 it could not be done (the sentence says why), 2 wrong use,
3 the journal was tampered with, 130 interrupted.
With DINHDANH_DEBUG set, the traceback of an unexpected failure goes to `log/debug.log` in the data directory.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version as package_version
from pathlib import Path

import typer
from rich.console import Console

from core.settings import SettingsError
from service.commands import clients, journal, keys, registry, run, sandbox
from service.embedded import EMBEDDED_ERRORS
from service.errors import CommandError

FAILED = 1
INTERRUPTED = 130  # as shells have it: 128 + SIGINT
DEBUG = "DINHDANH_DEBUG"

app = typer.Typer(
    name="dinhdanh",
    help="Định Danh: national population-database identity and e-authentication service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("up")(run.up_command)
app.command("serve")(run.serve_command)
app.command("worker")(run.worker_command)
app.command("migrate")(run.migrate_command)
app.command("sandbox")(sandbox.sandbox_command)
app.add_typer(registry.app, name="registry")
app.add_typer(journal.app, name="journal")
app.add_typer(keys.app, name="keys")
app.add_typer(clients.app, name="clients")


@app.command("version")
def version_command() -> None:
    """Print the version."""
    Console(highlight=False).print(package_version("dinhdanh"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        app(args=list(arguments) if arguments is not None else None)  # tells wrong use itself, by SystemExit
    except KeyboardInterrupt:
        _tell("stopped")
        return INTERRUPTED
    except (CommandError, SettingsError, *EMBEDDED_ERRORS) as known:
        return _tell(str(known))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _keep_traceback()
        return _tell(f"{where}{error.strerror or type(error).__name__}")
    except Exception as error:
        if (sentence := _known(error)) is not None:
            return _tell(sentence)
        return _tell(f"it failed unexpectedly ({type(error).__name__}{_keep_traceback()})")
    return 0


def _known(error: Exception) -> str | None:
    """The sentence of an error of a lower room; those are loaded only when a command used them."""
    from core.errors import Refusal
    from privacy.vault.api import VaultError

    if isinstance(error, Refusal):
        return error.public
    return str(error) if isinstance(error, VaultError) else None


def _tell(sentence: str) -> int:
    Console(stderr=True, highlight=False).print(f"dinhdanh: {sentence}", markup=False, soft_wrap=True)
    return FAILED


def _keep_traceback() -> str:
    if not os.environ.get(DEBUG):
        return f"; set {DEBUG}=1 to keep the details"
    path = Path(os.environ.get("DINHDANH_DATA_DIR", ".data")) / "log" / "debug.log"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as log:
            log.write(traceback.format_exc())
    except OSError as error:
        return f"; details could not be kept: {error.strerror}"
    return f"; details in {path}"


if __name__ == "__main__":
    main()

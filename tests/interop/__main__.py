"""`python -m tests.interop`: start a sandbox, or take a running one, and let real client libraries talk to it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tests.interop import authlib_client
from tests.interop.outcome import Outcome
from tests.support.load_sandbox import start_sandbox

NODE = Path(__file__).parent / "node"
SCRIPTS = ("openid_client.mjs", "oauth4webapi.mjs")
INSTALL_SECONDS = 300
SCRIPT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class _Running:
    """A sandbox that serves. guide: what `dinhdanh sandbox --json` prints. ca: file to trust beside the system's."""

    guide: dict[str, Any]
    ca: Path | None


def interop(
    data_dir: Annotated[
        Path | None, typer.Option(help="Of a sandbox that runs already; without it one is started.")
    ] = None,
) -> None:
    """Run every library through every flow; exit code 1 when one of them fails."""
    console = Console(highlight=False)
    _install(console)
    with _sandbox(data_dir, console) as running:
        outcomes = [*authlib_client.run(running.guide), *_of_node(running, console)]
    for each in outcomes:
        mark = "ok    " if each.ok else "FAILED"
        reason = "" if each.ok else f": {each.reason}"
        console.print(f"{mark} {each.library}: {each.flow} ({each.ms} ms){reason}", soft_wrap=True, markup=False)
    failed = sum(not each.ok for each in outcomes)
    console.print(f"{len(outcomes) - failed} passed, {failed} failed")
    raise typer.Exit(1 if failed or not outcomes else 0)


def _install(console: Console) -> None:
    wanted = json.loads((NODE / "package.json").read_text("utf-8"))["dependencies"]
    if all(_installed(name) == version for name, version in wanted.items()):
        return
    if shutil.which("npm") is None or shutil.which("node") is None:
        console.print("Node 20 and npm are needed: install the packages nodejs and npm.")
        raise typer.Exit(1)
    console.print("Installing the client libraries from npm (first time only) ...")
    done = subprocess.run(
        ["npm", "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"],
        cwd=NODE,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        console.print(f"npm could not install them (exit code {done.returncode})")
        raise typer.Exit(1)


def _installed(name: str) -> str:
    try:
        return str(json.loads((NODE / "node_modules" / name / "package.json").read_text("utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return ""


@contextmanager
def _sandbox(data_dir: Path | None, console: Console) -> Iterator[_Running]:
    if data_dir is not None:
        yield _Running(_guide({"DINHDANH_DATA_DIR": str(data_dir)}), _ca_of(data_dir))
        return
    with tempfile.TemporaryDirectory(prefix="dinhdanh-interop-") as folder:
        with console.status("Starting a sandbox ..."):
            live = start_sandbox(Path(folder))
        try:
            yield _Running(_guide(live.environment), _ca_of(live.data_dir))
        finally:
            live.command.ends()


def _guide(environment: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "service.cli", "sandbox", "--json"]
    told = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    guide: dict[str, Any] = json.loads(told.stdout)
    return guide


def _ca_of(data_dir: Path) -> Path | None:
    found = sorted(data_dir.glob("tls/ca*.pem"))
    return found[0] if found else None


def _of_node(running: _Running, console: Console) -> Iterator[Outcome]:
    extra = {"NODE_EXTRA_CA_CERTS": str(running.ca)} if running.ca else {}
    for script in SCRIPTS:
        with console.status(f"{script} ..."):
            done = subprocess.run(
                ["node", script],
                cwd=NODE,
                input=json.dumps(running.guide),
                env={**os.environ, **extra},
                capture_output=True,
                text=True,
                timeout=SCRIPT_SECONDS,
                check=False,
            )
        yield from (Outcome(**json.loads(line)) for line in done.stdout.splitlines())
        if done.returncode != 0:
            yield Outcome(script, "the script itself", ok=False, ms=0, reason=done.stderr.strip()[-500:])


if __name__ == "__main__":
    typer.run(interop)

"""Run `dinhdanh` commands as processes, and look at the processes below them."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service.http_probe import answers
from tests.support.holders import CHECKOUT, PATIENCE_SECONDS, eventually

START_SECONDS = 120.0  # how long a test looks on while a loaded machine starts everything


def free_port() -> int:
    """A port nobody uses at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@dataclass
class Command:
    """A running `dinhdanh …` whose output goes to a file."""

    process: "subprocess.Popen[bytes]"
    output: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def said(self) -> str:
        return self.output.read_text("utf-8", "replace")

    def serves(self, url: str) -> bool:
        """Wait until the address answers, as long as the command lives."""
        eventually(lambda: self.process.poll() is not None or answers(url), START_SECONDS)
        return self.process.poll() is None and answers(url)

    def ends(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS * 2)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)


def start(arguments: list[str], environment: Mapping[str, str], output: Path) -> Command:
    """Start a command; it inherits nothing of the sandbox's settings but what is given."""
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", *arguments],
            cwd=CHECKOUT,
            env=clean_environment() | dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    return Command(process, output)


def run(arguments: list[str], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "service.cli", *arguments],
        cwd=CHECKOUT,
        env=clean_environment() | dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS,
    )


def clean_environment() -> dict[str, str]:
    """Ours without any setting of the service, wide enough for tables."""
    ours = ("DINHDANH_", "DATABASE_", "REDIS_URL", "PROMETHEUS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"COLUMNS": "200"}


def below(pid: int) -> set[int]:
    """Every living process below this one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue  # it ended while we looked
    found: set[int] = set()
    fresh = {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return found


def with_arguments(pids: set[int], *words: str) -> set[int]:
    """Those among the processes that have all the words among their arguments."""
    chosen = set()
    for pid in pids:
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        except OSError:
            continue
        if all(word in arguments for word in words):
            chosen.add(pid)
    return chosen

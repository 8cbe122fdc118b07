"""A whole `dinhdanh up` of its own for a test that kills parts of it: processes, addresses, kill -9.

The servers are durable ones, as a newcomer gets them; only 127.0.0.1 and sockets in the data directory are used.
"""

import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.settings import Settings, load_settings
from service.embedded import EmbeddedUrls
from service.sandbox import guide
from service.sandbox_guide import Sandbox
from tests.support.commands import Command, below, free_port, run, start, with_arguments
from tests.support.holders import eventually

Part = Literal["web", "worker", "postgres", "redis"]
PARTS: tuple[Part, ...] = ("web", "worker", "postgres", "redis")
WEB_PROCESSES = 2


@dataclass
class LiveSandbox:
    """A running sandbox. settings: of its database logins, for looking at it from outside."""

    command: Command
    environment: dict[str, str]
    settings: Settings
    sandbox: Sandbox

    @property
    def data_dir(self) -> Path:
        return self.settings.data_dir

    @property
    def issuer(self) -> str:
        return self.settings.issuer

    @property
    def urls(self) -> EmbeddedUrls:
        return _urls(self.data_dir)

    def pids(self, part: Part) -> set[int]:
        """The processes of a part that live now; of PostgreSQL its postmaster alone."""
        if part == "postgres":
            return {int(file.read_text().split("\n", 1)[0]) for file in self.data_dir.glob("postgres-*/postmaster.pid")}
        words = {
            "web": ("service.web_process",),
            "worker": ("service.cli", "worker"),
            "redis": (str(self.data_dir / "redis" / "redis.conf"),),
        }[part]
        return with_arguments(below(self.command.pid), *words)

    def kill(self, part: Part) -> int:
        """kill -9 of one process of a part; its pid."""
        victim = min(self.pids(part))
        os.kill(victim, signal.SIGKILL)
        return victim

    def run(self, *arguments: str) -> "tuple[int, str]":
        """A `dinhdanh` command beside the running sandbox: exit code, and what it printed."""
        done = run(list(arguments), self.environment)
        return done.returncode, done.stdout + done.stderr

    def logs(self) -> dict[str, str]:
        """What every process has written so far, the terminal's output included."""
        files = sorted((self.data_dir / "log").glob("*.log"))
        return {"up": self.command.said()} | {file.name: file.read_text("utf-8", "replace") for file in files}


def start_sandbox(folder: Path, **environment: str) -> LiveSandbox:
    """Starts one below `folder` and returns when it serves."""
    port, portal = free_port(), free_port()
    data_dir = folder / "data"
    given = {
        "DINHDANH_DATA_DIR": str(data_dir),
        "DINHDANH_PORT": str(port),
        "DINHDANH_PORTAL_PORT": str(portal),
        "DINHDANH_ISSUER": f"http://127.0.0.1:{port}",
        "DINHDANH_WORKERS": str(WEB_PROCESSES),
        **environment,
    }
    command = start(["up"], given, folder / "up.log")
    assert command.serves(f"http://127.0.0.1:{port}/health/ready"), command.said()
    # The people are shown when every process serves, the worker and the portal too.
    assert eventually(lambda: "One-time codes" in command.said()), command.said()
    settings = load_settings(
        mode="sandbox",
        data_dir=data_dir,
        port=port,
        portal_port=portal,
        issuer=given["DINHDANH_ISSUER"],
        **_urls(data_dir).by_name(),
    )
    return LiveSandbox(command, given, settings, guide(settings))


def _urls(data_dir: Path) -> EmbeddedUrls:
    return EmbeddedUrls(**json.loads((data_dir / "secrets" / "addresses.json").read_text("utf-8")))

"""The whole sandbox as real processes on free ports: what `make run` starts, in a data directory of its own."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.commands import Command, below, free_port, run, start


@dataclass(frozen=True)
class Persona:
    """A person of the sandbox as its JSON guide names him. level 0: without an account."""

    key: str
    name: str
    number: str
    birth_date: str
    password: str
    totp_secret: str


@dataclass(frozen=True)
class Running:
    """A running sandbox. issuer, portal: origins. guide: what `dinhdanh sandbox --json` prints. stranger_port: of the
    loopback address, where the services of the conformance clients are to be; a test serves them."""

    command: Command
    issuer: str
    portal: str
    guide: dict[str, Any]
    stranger_port: int

    def persona(self, key: str) -> Persona:
        one = next(one for one in self.guide["personas"] if one["key"] == key)
        return Persona(
            one["key"],
            one["name"],
            one["number"],
            one["birth_date"],
            one["password"] or "",
            one["totp_secret"] or "",
        )

    def client(self, client_id: str) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self.guide["clients"] if one["client_id"] == client_id)
        return found

    @contextmanager
    def frozen_cache(self) -> Iterator[None]:
        """Redis does not answer meanwhile, as behind a broken network."""
        caches = [pid for pid in below(self.command.pid) if _program(pid) == "redis-server"]
        assert caches, "no redis-server below the running command"
        for pid in caches:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in caches:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


@contextmanager
def running(directory: Path) -> Iterator[Running]:
    """Starts everything, waits until both sites answer, stops it in good order. directory: empty."""
    port, portal_port, stranger_port = free_port(), free_port(), free_port()
    environment = {
        "DINHDANH_DATA_DIR": str(directory / "data"),
        "DINHDANH_PORT": str(port),
        "DINHDANH_PORTAL_PORT": str(portal_port),
        "DINHDANH_WORKERS": "1",
        "DINHDANH_CONFORMANCE_REDIRECT": f"https://localhost:{stranger_port}/callback",
    }
    issuer, portal = f"http://localhost:{port}", f"http://localhost:{portal_port}"
    command = start(["up"], environment, directory / "up.log")
    try:
        assert command.serves(f"{issuer}/health/ready"), command.said()
        assert command.serves(f"{portal}/health"), command.said()
        told = run(["sandbox", "--json"], environment)
        assert told.returncode == 0, told.stderr
        yield Running(command, issuer, portal, json.loads(told.stdout), stranger_port)
    finally:
        if command.process.poll() is None:
            command.ends(signal.SIGINT)


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""

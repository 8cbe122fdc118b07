"""Our side: a whole sandbox with one web process, started as a newcomer starts it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.machine import OTHER_CORE, SERVER_CORE, arguments, below, pin
from bench.measure import Server
from core.runtime import Parts
from core.settings import Settings, load_settings
from service.compose import composed
from service.embedded import EmbeddedUrls
from service.http_probe import answers

START_SECONDS = 180.0
STOP_SECONDS = 60.0
TRUSTED = '["127.0.0.1"]'


class NoHouse(Exception):
    """The sandbox does not come up. `str()` is one sentence."""


@dataclass
class House:
    """A running sandbox. up: the process of `dinhdanh up`."""

    settings: Settings
    up: "subprocess.Popen[bytes]"
    start_seconds: float
    guide: dict[str, Any] = field(repr=False)

    @property
    def port(self) -> int:
        return self.settings.port

    @property
    def issuer(self) -> str:
        return self.settings.issuer

    def server(self) -> Server:
        return Server("ours", self.port, self.parts)

    def parts(self) -> dict[str, set[int]]:
        """Processes by part."""
        parts: dict[str, set[int]] = {"server": set(), "postgres": set(), "redis": set(), "worker": set()}
        postgres = {
            int(file.read_text().split()[0]) for file in self.settings.data_dir.glob("postgres-*/postmaster.pid")
        }
        for pid in below(self.up.pid):
            words = arguments(pid)
            if "service.web_process" in words:
                parts["server"].add(pid)
            elif words[-2:-1] == ["worker"]:
                parts["worker"].add(pid)
            elif words and "redis-server" in words[0]:
                parts["redis"].add(pid)
        for pid in postgres:
            parts["postgres"] |= below(pid)
        return parts

    def pin(self) -> None:
        """The web process to a core of its own, everything else to the other."""
        parts = self.parts()
        pin(below(self.up.pid) - parts["server"], OTHER_CORE)
        pin(parts["server"], SERVER_CORE)

    def client(self, client_id: str) -> dict[str, Any]:
        """A client of the guide."""
        return next(one for one in self.guide["clients"] if one["client_id"] == client_id)

    @asynccontextmanager
    async def rooms(self) -> AsyncIterator[Parts]:
        """The rooms, composed in this process on the same servers: for registering what the sandbox lacks."""
        async with composed(self.settings, login="web") as parts:
            yield parts


def environment(data_dir: Path, port: int) -> dict[str, str]:
    """Of our commands: one web process, a data directory and an issuer of the benchmark's own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "REDIS_"))}
    return inherited | {
        "DINHDANH_DATA_DIR": str(data_dir),
        "DINHDANH_PORT": str(port),
        "DINHDANH_PORTAL_PORT": str(port + 1),
        "DINHDANH_ISSUER": f"http://127.0.0.1:{port}",
        "DINHDANH_WORKERS": "1",
        # Only so that many addresses can be played from one: the limits per address stay what they are.
        "DINHDANH_TRUSTED_PROXIES": TRUSTED,
        "DINHDANH_LOG_LEVEL": os.environ.get("DINHDANH_LOG_LEVEL", "info"),
    }


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "service.cli", *words]


def fresh(data_dir: Path) -> None:
    """Removes what an earlier run left."""
    shutil.rmtree(data_dir, ignore_errors=True)
    data_dir.mkdir(mode=0o700, parents=True)


@contextmanager
def running(data_dir: Path, port: int) -> Iterator[House]:
    """`dinhdanh up` until the block ends. start_seconds: to the first served page. Raises NoHouse."""
    given = environment(data_dir, port)
    log = (data_dir / "bench-up.log").open("ab")
    started = time.monotonic()
    up = subprocess.Popen(command("up"), env=given, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        while not answers(f"http://127.0.0.1:{port}/"):
            if up.poll() is not None or time.monotonic() - started > START_SECONDS:
                raise NoHouse(f"`dinhdanh up` does not serve; what it said is in {log.name}")
            time.sleep(0.02)
        seconds = time.monotonic() - started
        yield House(_settings(data_dir, port), up, seconds, _guide(data_dir))
    finally:
        up.send_signal(signal.SIGINT)
        try:
            up.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            up.kill()
        log.close()


def _settings(data_dir: Path, port: int) -> Settings:
    urls = EmbeddedUrls(**json.loads((data_dir / "secrets" / "addresses.json").read_text("utf-8")))
    return load_settings(
        mode="sandbox",
        data_dir=data_dir,
        port=port,
        portal_port=port + 1,
        issuer=f"http://127.0.0.1:{port}",
        **urls.by_name(),
    )


def _guide(data_dir: Path) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((data_dir / "secrets" / "sandbox.json").read_text("utf-8"))
    return made

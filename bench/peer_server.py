"""The peer: oidc-provider on Node, installed from npm at bench time, with its state in the same Redis."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from bench.house import House
from bench.machine import SERVER_CORE, pin
from bench.measure import Server

FOLDER = Path(__file__).with_name("peer")
INSTALL_SECONDS = 300
DATABASE = 9
"""Number of the Redis database: the service's own is 0."""


class NoPeer(Exception):
    """The peer cannot be installed or started. `str()` is one sentence."""


@dataclass
class Peer:
    """A running peer."""

    port: int
    process: "subprocess.Popen[str]"
    house: House

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def server(self) -> Server:
        return Server("peer", self.port, lambda: {"server": {self.process.pid}, "redis": self.house.parts()["redis"]})

    def pin(self) -> None:
        pin({self.process.pid}, SERVER_CORE)


def installed_version(name: str) -> str:
    """Version of an installed package of the peer; "" when it is not there."""
    try:
        return str(json.loads((FOLDER / "node_modules" / name / "package.json").read_text("utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return ""


def install() -> None:
    """`npm install --ignore-scripts` of the exact versions, once. Raises NoPeer."""
    wanted = json.loads((FOLDER / "package.json").read_text("utf-8"))["dependencies"]
    if all(installed_version(name) == version for name, version in wanted.items()):
        return
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise NoPeer("node and npm are not on this machine")
    install_command = ["npm", "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            install_command, cwd=FOLDER, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NoPeer("npm did not finish in time") from None
    if done.returncode != 0:
        raise NoPeer(f"npm could not install it (exit code {done.returncode})")


@contextmanager
def running(house: House, port: int, clients: Sequence[dict[str, Any]], resource: str) -> Iterator[Peer]:
    """The peer until the block ends. Raises NoPeer."""
    install()
    told = {"port": port, "clients": clients, "resource": resource, "redis": _redis(house)}
    log = (house.settings.data_dir / "bench-peer.log").open("ab")
    process = subprocess.Popen(
        ["node", "server.mjs"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(told))
        process.stdin.close()
        if process.stdout.readline().strip() != "ready":
            raise NoPeer(f"it does not start; what it said is in {log.name}")
        yield Peer(port, process, house)
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def _redis(house: House) -> dict[str, Any]:
    """Options for ioredis out of our own address."""
    assert house.settings.redis_url is not None
    parts = urlsplit(house.settings.redis_url.get_secret_value())
    options: dict[str, Any] = {"db": DATABASE}
    query = parse_qs(parts.query)
    password = unquote(parts.password) if parts.password else query.get("password", [""])[0]
    if password:
        options["password"] = password
    if parts.scheme == "unix":
        return options | {"path": unquote(parts.path)}
    return options | {"host": parts.hostname, "port": parts.port}

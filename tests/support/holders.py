"""Start, kill and look at processes that hold embedded servers (`tests/support/embedded_holder.py`)."""

import json
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import redis

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30.0  # how long a test looks on; the servers themselves know no such limit


@dataclass
class Holder:
    """A running holder and what it told: server pids and addresses."""

    process: "subprocess.Popen[str]"
    told: dict[str, Any]

    @property
    def postgres_pid(self) -> int:
        return int(self.told["postgres"])

    @property
    def redis_pid(self) -> int:
        return int(self.told["redis"])

    def end(self) -> int:
        """Let it stop its servers in good order; its exit code."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()
        code = self.process.wait(PATIENCE_SECONDS)
        self._close()
        return code

    def kill(self) -> None:
        """kill -9, and reap it."""
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)
        self._close()

    def _close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


class HolderFailed(Exception):
    """It could not start its servers; carries what it said."""


def hold(data_dir: Path, root_way: str = "auto", *, user: tuple[int, int] | None = None) -> Holder:
    """Start a holder and wait until both servers serve. `user`: root becomes this user and group for it."""
    process = subprocess.Popen(
        [*_become(user), sys.executable, "-m", "tests.support.embedded_holder", str(data_dir), root_way],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
        raise HolderFailed(said.strip())
    return Holder(process, json.loads(line))


def _become(user: tuple[int, int] | None) -> list[str]:
    """A command prefix by which root becomes an ordinary user that may still *read* this Python and checkout.

    They may lie below a directory that only root can enter (/root). Reading is all the capability allows: the
    user owns nothing of root's, writes nowhere else, and is not 0.
    """
    if user is None:
        return []
    setpriv = shutil.which("setpriv")
    assert setpriv is not None, "setpriv (util-linux) is needed to test as an ordinary user"
    return [
        setpriv,
        f"--reuid={user[0]}",
        f"--regid={user[1]}",
        "--clear-groups",
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
        "--bounding-set=-all,+dac_read_search",
        "--",
    ]


def lives(pid: int) -> bool:
    """Whether the process exists and is not a zombie that only waits to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def owner_of(pid: int) -> int:
    """The user a process runs as."""
    return Path(f"/proc/{pid}").stat().st_uid


def reachable_by_all(path: Path) -> bool:
    """Whether every user may pass to `path`."""
    resolved = path.resolve()
    return all(step.stat().st_mode & stat.S_IXOTH for step in (resolved, *resolved.parents))


def gone(pid: int) -> bool:
    return not lives(pid)


def eventually(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


async def ask(url: str, sql: str) -> Any:
    """One value from PostgreSQL."""
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def tell(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def redis_answers(url: str) -> bool:
    client = redis.Redis.from_url(url, socket_timeout=2)
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


def modes_up(path: Path) -> dict[str, tuple[int, int, int]]:
    """Mode, owner and group of every directory above `path`."""
    found = {}
    for folder in path.resolve().parents:
        seen = folder.stat()
        found[str(folder)] = (seen.st_mode, seen.st_uid, seen.st_gid)
    return found

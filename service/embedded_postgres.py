"""A real PostgreSQL of our own, as a supervised child in the foreground."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from service.binaries import postgres_bin
from service.orphans import runs, wait_for_orphans
from service.places import Places
from service.secret_files import kept_secret, write_private
from service.supervise import Child, Supervised
from service.unprivileged import RootWay, RunAs, run_as

SUPERUSER = "postgres"
SUPERUSER_SECRET = "postgres-superuser"  # noqa: S105  # the name of a file, not the secret
SOCKET_NUMBER = 5432  # names the socket file when no TCP port is open
BUILTIN_LOCALE_SINCE = 17
STATUS_LINE = 7  # of postmaster.pid, counted from 0: "ready" when the server takes connections

# Personal data must not reach the server's log through statements, parameters or error details.
QUIET_LOG = {
    "log_min_messages": "log",  # beyond WARNING and ERROR: the message of an error may quote the value it is about
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
# Only for tests that never kill the server: a crash may lose anything.
FAST_AND_UNSAFE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "60s",
    "wal_level": "minimal",
}


class NoCluster(Exception):
    """The data directory cannot be made or used. `str()` is one sentence."""


@dataclass(frozen=True)
class PostgresOptions:
    """`port`: TCP port on 127.0.0.1 to open besides the socket, or None for the socket alone."""

    major: int
    port: int | None = None
    max_connections: int = 200
    fast_and_unsafe: bool = False
    root_way: RootWay = "auto"


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running server."""

    supervised: Supervised
    socket_dir: Path
    socket_number: int
    superuser_password: str

    def url(self, role: str, password: str, database: str) -> str:
        """`postgresql://…` through the Unix socket, understood by asyncpg, SQLAlchemy and libpq."""
        where = f"host={quote(str(self.socket_dir), safe='/')}&port={self.socket_number}"
        return f"postgresql://{quote(role)}:{quote(password, safe='')}@/{quote(database)}?{where}"


def start_postgres(places: Places, options: PostgresOptions) -> EmbeddedPostgres:
    """Make the cluster when missing and start it; returns when it takes connections.

    Raises ProgramMissing, CannotLeaveRoot, NoCluster, ChildFailed: each one sentence.
    """
    programs = postgres_bin(options.major)
    way = run_as(programs, places.data_dir, options.root_way)
    data = places.postgres(options.major)
    had_secret = (places.secrets / SUPERUSER_SECRET).exists()
    if data.exists() and not had_secret:
        raise NoCluster(f"{data} is here but its password in {places.secrets} is gone: restore it, or remove both")
    password = kept_secret(places.secrets, SUPERUSER_SECRET)
    socket_dir = _socket_dir(places, way)
    wait_for_orphans("postgres", data, signal.SIGINT)
    if not data.exists():
        _initialise(programs, way, data, password, options)
    number = options.port or SOCKET_NUMBER
    supervised = Supervised(
        Child(
            name="PostgreSQL",
            command=way.command(programs / "postgres", "-D", data, *_settings(options, socket_dir, number)),
            log_path=places.logs / "postgres.log",
            death_signal=signal.SIGINT,  # fast shutdown: sessions are cut, a checkpoint is written
            stop=((signal.SIGINT, 60.0), (signal.SIGQUIT, 20.0), (signal.SIGKILL, 10.0)),
            user=way.user,
            is_ready=lambda pid: _status(data, pid) == "ready",
            excused=_waits_for_leftovers,
            before_start=lambda: _clear_stale_pid(data),
        )
    )
    supervised.start()
    supervised.wait_ready()
    return EmbeddedPostgres(supervised, socket_dir, number, password)


def _initialise(programs: Path, way: RunAs, data: Path, password: str, options: PostgresOptions) -> None:
    draft = data.with_name(data.name + ".new")  # renamed when whole: a killed initdb leaves nothing half-made
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password_file = data.with_name(data.name + ".password")
    write_private(password_file, password + "\n")
    way.hand_over(draft)
    way.hand_over(password_file)
    if options.major >= BUILTIN_LOCALE_SINCE:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    else:
        locale = ["--locale=C"]
    command = way.command(
        programs / "initdb",
        "--pgdata", draft,
        "--username", SUPERUSER,
        "--auth=scram-sha-256",
        f"--pwfile={password_file}",
        "--encoding=UTF8",
        *locale,
        "--data-checksums",
        *(["--no-sync"] if options.fast_and_unsafe else []),
    )  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603  # our own program and paths
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=draft.parent if way.user is None else "/",
            user=way.user[0] if way.user else None,
            group=way.user[1] if way.user else None,
            extra_groups=[] if way.user else None,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        )
    finally:
        password_file.unlink()
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise NoCluster(f"initdb cannot make {data}: {lines[-1]}")
    draft.rename(data)


def _settings(options: PostgresOptions, socket_dir: Path, number: int) -> list[str]:
    settings = {
        "listen_addresses": "" if options.port is None else "127.0.0.1",
        "port": str(number),
        "unix_socket_directories": str(socket_dir),
        "unix_socket_permissions": "0700",
        "max_connections": str(options.max_connections),
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "max_wal_senders": "0",
        "lc_messages": "C",
        # Before recovery from a crash every file is made durable: at once, not 1,500 files one by one.
        "recovery_init_sync_method": "syncfs",
    } | QUIET_LOG
    if options.fast_and_unsafe:
        settings |= FAST_AND_UNSAFE
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _socket_dir(places: Places, way: RunAs) -> Path:
    """Where the server puts its socket. Another user gets a directory of its own and may pass ours to it."""
    if way.user is None:
        return places.socket_dir
    for folder in (places.data_dir, places.socket_dir):
        folder.chmod(0o711)  # pass through, not list
    own = places.socket_dir / "postgres"
    own.mkdir(mode=0o700, exist_ok=True)
    way.hand_over(own)
    return own


def _status(data: Path, pid: int) -> str:
    try:
        lines = (data / "postmaster.pid").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    if len(lines) <= STATUS_LINE or lines[0].strip() != str(pid):
        return ""
    return lines[STATUS_LINE].strip()


def _clear_stale_pid(data: Path) -> None:
    """Remove a `postmaster.pid` whose number now belongs to a stranger; PostgreSQL would refuse to start.

    One whose number is free is left alone: by it the server finds sessions that still hold its memory.
    """
    pid_file = data / "postmaster.pid"
    try:
        first = pid_file.read_text("utf-8", "replace").split("\n", 1)[0].strip()
    except OSError:
        return
    alive = first.isdigit() and Path(f"/proc/{first}").exists()
    if alive and not runs(int(first), "postgres", str(data)):
        pid_file.unlink(missing_ok=True)


def _waits_for_leftovers(tail: str) -> bool:
    """After a kill, sessions of the old server may hold its shared memory for a while: try until they end."""
    return "pre-existing shared memory block" in tail or "is another postmaster" in tail.lower()

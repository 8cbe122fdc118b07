"""A real Redis of our own, as a supervised child in the foreground. It keeps nothing on disk."""

import contextlib
import signal
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import redis

from service.binaries import redis_server
from service.orphans import wait_for_orphans
from service.places import Places
from service.secret_files import kept_secret, write_private
from service.supervise import Child, Supervised

DATABASES = 64  # tests give each of their workers one
MEMORY_LIMIT = "512mb"
PROBE_SECONDS = 2.0


@dataclass(frozen=True)
class EmbeddedRedis:
    """A running server."""

    supervised: Supervised
    socket: Path
    password: str

    def url(self, number: int = 0) -> str:
        """`unix://…` for redis-py; `number` is the logical database."""
        return f"unix://{quote(str(self.socket))}?db={number}&password={quote(self.password, safe='')}"


def start_redis(places: Places, port: int | None = None) -> EmbeddedRedis:
    """Start Redis on a private socket (and on 127.0.0.1:`port` when asked); returns when it answers.

    Raises ProgramMissing or ChildFailed: each one sentence.
    """
    program = redis_server()
    password = kept_secret(places.secrets, "redis")
    socket = places.socket_dir / "redis.sock"
    configuration = places.redis / "redis.conf"
    wait_for_orphans(program.name, configuration, signal.SIGTERM)
    write_private(configuration, _configuration(places, socket, password, port))
    supervised = Supervised(
        Child(
            name="Redis",
            command=[str(program), str(configuration)],
            log_path=places.logs / "redis.log",
            death_signal=signal.SIGINT,
            stop=((signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)),
            is_ready=lambda _pid: _answers(socket, password),
        )
    )
    supervised.start()
    supervised.wait_ready()
    return EmbeddedRedis(supervised, socket, password)


def _configuration(places: Places, socket: Path, password: str, port: int | None) -> str:
    lines = {
        "port": str(port or 0),  # 0: no TCP at all
        "bind": "127.0.0.1",
        "unixsocket": f'"{socket}"',
        "unixsocketperm": "700",
        "requirepass": password,  # in this file (0600), not among the arguments everybody can read
        "save": '""',  # no dump file: what is in here may be lost, and must not lie on disk
        "appendonly": "no",
        "dir": f'"{places.redis}"',
        "daemonize": "no",
        "databases": str(DATABASES),
        "maxmemory": MEMORY_LIMIT,
        "maxmemory-policy": "noeviction",  # a full cache is an error, a session silently gone a mystery
        "set-proc-title": "no",  # this file stays among the arguments: a leftover is recognised by it
        "loglevel": "notice",
    }
    return "".join(f"{name} {value}\n" for name, value in lines.items())


def _answers(socket: Path, password: str) -> bool:
    with contextlib.suppress(redis.RedisError, OSError):
        client = redis.Redis(unix_socket_path=str(socket), password=password, socket_timeout=PROBE_SECONDS)
        with contextlib.closing(client):
            return bool(client.ping())
    return False

"""Real PostgreSQL and real Redis of our own, for the sandbox and for tests.

Both run as children of the process that starts them, come back when they die, and are gone when it is gone.
In production nothing here is used: the addresses come from the settings.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from pathlib import Path

from service.binaries import ProgramMissing, wanted_postgres_major
from service.embedded_logins import DATABASE, OWNER, READER, ROLES, WEB, WORKER, ensure_logins
from service.embedded_postgres import (
    SUPERUSER,
    EmbeddedPostgres,
    NoCluster,
    PostgresOptions,
    start_postgres,
)
from service.embedded_redis import EmbeddedRedis, start_redis
from service.places import Places, PlaceTaken, PlaceUnusable, hold_place, leave_places, prepare_places
from service.ports import PortTaken, PortWish, require_free_port
from service.secret_files import kept_secret
from service.supervise import ChildFailed
from service.unprivileged import CannotLeaveRoot, RootWay

# Each says in one sentence why the servers cannot be started.
EMBEDDED_ERRORS = (
    CannotLeaveRoot,
    ChildFailed,
    NoCluster,
    PlaceTaken,
    PlaceUnusable,
    PortTaken,
    ProgramMissing,
)


@dataclass(frozen=True)
class EmbeddedOptions:
    """How to start.

    `postgres_port`, `redis_port`: None opens no TCP port, the Unix sockets serve alone. `other_ports` will be
    used later by other processes of the same run; that they are free is asked before anything is started.
    """

    data_dir: Path
    postgres_major: int = field(default_factory=wanted_postgres_major)
    postgres_port: int | None = None
    redis_port: int | None = None
    max_connections: int = 200
    fast_and_unsafe: bool = False
    root_way: RootWay = "auto"
    other_ports: Sequence[PortWish] = ()


@dataclass(frozen=True)
class EmbeddedUrls:
    """Addresses with passwords; never print or log one."""

    database_url: str = field(repr=False)
    database_owner_url: str = field(repr=False)
    database_worker_url: str = field(repr=False)
    database_reader_url: str = field(repr=False)
    redis_url: str = field(repr=False)

    def by_name(self) -> dict[str, str]:
        """The addresses by the names that `core.settings.Settings` gives them."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def environment(self) -> dict[str, str]:
        """The environment variables that hand these addresses to another process of ours."""
        return {name.upper(): url for name, url in self.by_name().items()}


@dataclass(frozen=True)
class Embedded:
    """Both servers, running. `after_crash`: the last holder of the directory did not end cleanly."""

    places: Places
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis
    after_crash: bool
    passwords: dict[str, str] = field(repr=False)

    @property
    def urls(self) -> EmbeddedUrls:
        return self.urls_for(DATABASE)

    @property
    def superuser_url(self) -> str:
        """For making databases in tests; the service itself never uses it."""
        return self.postgres.url(SUPERUSER, self.postgres.superuser_password, "postgres")

    def urls_for(self, database: str, redis_number: int = 0) -> EmbeddedUrls:
        """The addresses of another database of the same server."""
        login = {role: self.postgres.url(role, self.passwords[role], database) for role in ROLES}
        redis_url = self.redis.url(redis_number)
        return EmbeddedUrls(login[WEB], login[OWNER], login[WORKER], login[READER], redis_url)


@contextlib.contextmanager
def embedded_servers(options: EmbeddedOptions) -> Iterator[Embedded]:
    """Start both servers, hand them out, stop them at the end: Redis first, then PostgreSQL.

    Not to be called on an event loop (it waits). Raises one of EMBEDDED_ERRORS.
    """
    places = prepare_places(options.data_dir)
    with hold_place(places.data_dir) as after_crash, contextlib.ExitStack() as stack:
        stack.callback(leave_places, places)
        for wish in (*_own_ports(options), *options.other_ports):
            require_free_port(wish, patient=after_crash)
        postgres = start_postgres(
            places,
            PostgresOptions(
                major=options.postgres_major,
                port=options.postgres_port,
                max_connections=options.max_connections,
                fast_and_unsafe=options.fast_and_unsafe,
                root_way=options.root_way,
            ),
        )
        stack.callback(postgres.supervised.stop)
        redis = start_redis(places, options.redis_port)
        stack.callback(redis.supervised.stop)
        passwords = {role: kept_secret(places.secrets, role.replace("_", "-")) for role in ROLES}
        embedded = Embedded(places, postgres, redis, after_crash, passwords)
        # A thread of its own: the caller's thread may own an event loop that must stay as it is.
        with ThreadPoolExecutor(max_workers=1) as beside:
            beside.submit(asyncio.run, ensure_logins(embedded.superuser_url, passwords)).result()
        yield embedded


def _own_ports(options: EmbeddedOptions) -> Iterator[PortWish]:
    if options.postgres_port is not None:
        yield PortWish("127.0.0.1", options.postgres_port, "DINHDANH_POSTGRES_PORT")
    if options.redis_port is not None:
        yield PortWish("127.0.0.1", options.redis_port, "DINHDANH_REDIS_PORT")

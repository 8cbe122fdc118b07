"""Fixtures every test may ask for. Everything is real: PostgreSQL, Redis, migrations, logins.

    servers          (session)  addresses of the run's PostgreSQL and Redis; started at first use, shared by
                                all pytest-xdist workers, without durability
    database_urls    (module)   EmbeddedUrls of a fresh, migrated, empty database for this test module, with
                                all four logins, and of a Redis database of this xdist worker, flushed
    settings         (module)   core.settings.Settings in sandbox mode with these addresses and a data
                                directory of its own (mode 0700, its secrets/ exists)
    database         (module)   core.database.Database of the web login. Use `async with database.raw()` or
                                `database.page()`: they commit, the rows stay until the module ends
    owner_database, worker_database, reader_database   (module)  the same for the other logins
    tx               (function) RawTx of the web login, rolled back at the end
    session_tx       (function) SessionTx of the web login, rolled back at the end
    cache            (function) core.cache.Cache, flushed before each test
    clock            (function) FixedClock at 2026-11-02 09:00 in Viet Nam; `.advance(timedelta)`

    furnished        (module)  the whole application over a furnished sandbox (tests/support/furnished.py)
    plain_people     (module)  the people room, nobody enrolled (tests/support/people_fixture.py)
    plain_world      (module)  the whole application over three people and an agency (tests/support/provider_world.py);
                               most modules import `world` from tests/support/provider_fixture.py, which is the same

All tests and fixtures of a worker share one event loop (loop scope "session"), so pools may live long.
Tests that kill servers start their own with `service.embedded.embedded_servers` (see tests/faults).
"""

import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest

from core.cache import Cache
from core.clock import FixedClock
from core.database import Database, RawTx, SessionTx
from core.settings import Settings, load_settings
from service.embedded import EmbeddedUrls
from tests.support.databases import open_database, rolled_back_page, rolled_back_raw
from tests.support.furnished import furnished as furnished
from tests.support.furnished import furnished_template as furnished_template
from tests.support.people_fixture import plain_people as plain_people
from tests.support.provider_fixture import plain_world as plain_world
from tests.support.servers import ServerAddresses, make_template, running_servers
from tests.support.threads import run_beside

pytest.register_assert_rewrite("tests.support.metadata_checks")  # its test tells what the checks say

hypothesis.settings.register_profile("house", deadline=None)  # no test asserts a time
hypothesis.settings.load_profile("house")

SERVERS = pytest.StashKey[ServerAddresses]()
WORKER_INPUT = "dinhdanh_servers"


def _servers_of_run(config: pytest.Config) -> ServerAddresses:
    """Start the servers of this run at first use; they stop when pytest ends."""
    if SERVERS not in config.stash:
        stack = contextlib.ExitStack()
        config.add_cleanup(stack.close)
        addresses = stack.enter_context(running_servers())
        run_beside(make_template(addresses))
        config.stash[SERVERS] = addresses
    return config.stash[SERVERS]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: pytest.Session) -> None:
    """pytest-xdist, in its controller: hand the addresses to a worker that is about to start."""
    workerinput: dict[str, str] = node.workerinput  # type: ignore[attr-defined]  # an xdist WorkerController
    workerinput[WORKER_INPUT] = _servers_of_run(node.config).as_text()


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> ServerAddresses:
    workerinput: dict[str, str] | None = getattr(request.config, "workerinput", None)
    if workerinput is not None:
        return ServerAddresses.from_text(workerinput[WORKER_INPUT])
    return _servers_of_run(request.config)


@pytest.fixture(scope="session")
def worker_number(request: pytest.FixtureRequest) -> int:
    """1 without pytest-xdist, else 1, 2, … per worker."""
    workerinput: dict[str, str] = getattr(request.config, "workerinput", {})
    return int(workerinput.get("workerid", "gw0").removeprefix("gw")) + 1


@pytest.fixture(scope="module")
def database_urls(servers: ServerAddresses, worker_number: int) -> Iterator[EmbeddedUrls]:
    name = f"test_{worker_number}"
    run_beside(servers.clone_template(name))
    yield servers.urls_for(name, redis_number=worker_number)
    run_beside(servers.drop(name))


@pytest.fixture(scope="module")
def settings(database_urls: EmbeddedUrls, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    data_dir: Path = tmp_path_factory.mktemp("data")
    (data_dir / "secrets").mkdir(mode=0o700)
    return load_settings(mode="sandbox", data_dir=data_dir, **database_urls.by_name())


@pytest.fixture(scope="module")
async def database(database_urls: EmbeddedUrls) -> AsyncIterator[Database]:
    async with open_database(database_urls.database_url) as opened:
        yield opened


@pytest.fixture(scope="module")
async def owner_database(database_urls: EmbeddedUrls) -> AsyncIterator[Database]:
    async with open_database(database_urls.database_owner_url) as opened:
        yield opened


@pytest.fixture(scope="module")
async def worker_database(database_urls: EmbeddedUrls) -> AsyncIterator[Database]:
    async with open_database(database_urls.database_worker_url) as opened:
        yield opened


@pytest.fixture(scope="module")
async def reader_database(database_urls: EmbeddedUrls) -> AsyncIterator[Database]:
    async with open_database(database_urls.database_reader_url) as opened:
        yield opened


@pytest.fixture
async def tx(database: Database) -> AsyncIterator[RawTx]:
    async with rolled_back_raw(database) as opened:
        yield opened


@pytest.fixture
async def session_tx(database: Database) -> AsyncIterator[SessionTx]:
    async with rolled_back_page(database) as opened:
        yield opened


@pytest.fixture
async def cache(database_urls: EmbeddedUrls) -> AsyncIterator[Cache]:
    opened = Cache.connect(database_urls.redis_url)
    await opened.redis.flushdb()
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 2, 2, 0, tzinfo=UTC))

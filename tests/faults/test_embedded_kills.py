"""Embedded servers when somebody is killed: gone with their parent, back when they die themselves."""

import asyncio
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from tests.support.holders import Holder, ask, eventually, gone, hold, lives, redis_answers, tell

GONE_WITHIN_SECONDS = 10.0


async def answers_again(url: str) -> bool:
    """Whether the server takes connections again before the test's patience ends."""
    for _ in range(300):
        try:
            return bool(await ask(url, "SELECT true"))
        except (OSError, asyncpg.PostgresError):
            await asyncio.sleep(0.1)
    return False


def postmaster_pid(data_dir: Path) -> int:
    [pid_file] = data_dir.glob("postgres-*/postmaster.pid")
    return int(pid_file.read_text().split("\n", 1)[0])


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def holder(data_dir: Path) -> Iterator[Holder]:
    started = hold(data_dir)
    yield started
    if started.process.poll() is None:
        started.end()


async def test_killed_parent_takes_its_servers_along_and_the_next_start_is_whole(data_dir: Path) -> None:
    first = hold(data_dir)
    await tell(first.told["database_owner_url"], "CREATE TABLE kept (n int); INSERT INTO kept VALUES (41)")
    first.kill()
    assert eventually(lambda: not lives(first.postgres_pid), GONE_WITHIN_SECONDS)
    assert eventually(lambda: not lives(first.redis_pid), GONE_WITHIN_SECONDS)

    second = hold(data_dir)
    try:
        assert second.told["after_crash"] is True
        assert await ask(second.told["database_owner_url"], "SELECT n FROM kept") == 41
        assert redis_answers(second.told["redis_url"])
    finally:
        assert second.end() == 0


async def test_a_start_right_after_the_kill_waits_for_the_leftovers(data_dir: Path) -> None:
    first = hold(data_dir)
    await tell(first.told["database_owner_url"], "CREATE TABLE kept AS SELECT generate_series(1, 100000) AS n")
    first.process.send_signal(signal.SIGKILL)
    second = hold(data_dir)  # not a moment in between
    try:
        assert await ask(second.told["database_owner_url"], "SELECT count(*) FROM kept") == 100_000
        assert redis_answers(second.told["redis_url"])
        assert not lives(first.postgres_pid)
    finally:
        assert second.end() == 0
        first.kill()


async def test_killed_postgres_comes_back_with_what_was_committed(holder: Holder) -> None:
    url = holder.told["database_owner_url"]
    await tell(url, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)")
    os.kill(holder.postgres_pid, signal.SIGKILL)

    assert eventually(lambda: not lives(holder.postgres_pid))
    assert await answers_again(url)
    assert await ask(url, "SELECT n FROM kept") == 1


async def test_postgres_killed_again_and_again_always_comes_back(holder: Holder, data_dir: Path) -> None:
    url = holder.told["database_owner_url"]
    for _ in range(3):
        pid = postmaster_pid(data_dir)
        os.kill(pid, signal.SIGKILL)
        assert eventually(partial(gone, pid))
        assert await answers_again(url)


def test_killed_redis_comes_back_empty_on_the_same_socket(holder: Holder) -> None:
    os.kill(holder.redis_pid, signal.SIGKILL)
    assert eventually(lambda: not lives(holder.redis_pid))
    assert eventually(lambda: redis_answers(holder.told["redis_url"]))


def test_a_good_end_leaves_no_process_and_no_lock_behind(data_dir: Path) -> None:
    holder = hold(data_dir)
    assert holder.end() == 0
    assert not lives(holder.postgres_pid)
    assert not lives(holder.redis_pid)
    again = hold(data_dir)
    assert again.told["after_crash"] is False
    assert again.end() == 0

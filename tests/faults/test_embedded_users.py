"""Embedded servers for whoever runs the tests: below a closed directory, side by side, one holder each."""

import os
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.holders import HolderFailed, ask, hold, modes_up, owner_of, redis_answers


async def test_works_for_whoever_runs_it_below_a_closed_directory(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = modes_up(closed / "data")
    holder = hold(closed / "data")
    try:
        assert await ask(holder.told["database_url"], "SELECT current_user") == "dinhdanh_web"
        assert redis_answers(holder.told["redis_url"])
        assert owner_of(holder.postgres_pid) == os.geteuid()
    finally:
        assert holder.end() == 0
    assert modes_up(closed / "data") == before
    assert stat.S_IMODE((closed / "data").stat().st_mode) == 0o700


def test_every_secret_is_for_its_owner_alone(tmp_path: Path) -> None:
    holder = hold(tmp_path / "data")
    assert holder.end() == 0
    private = [tmp_path / "data" / "redis" / "redis.conf", *(tmp_path / "data" / "secrets").iterdir()]
    assert len(private) >= 7
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    [cluster] = (tmp_path / "data").glob("postgres-*")
    assert stat.S_IMODE(cluster.stat().st_mode) == 0o700


async def test_two_data_directories_live_side_by_side(tmp_path: Path) -> None:
    one, two = hold(tmp_path / "one"), hold(tmp_path / "two")
    try:
        for holder in (one, two):
            assert await ask(holder.told["database_url"], "SHOW listen_addresses") == ""
            assert redis_answers(holder.told["redis_url"])
        clusters = {
            await ask(each.told["database_url"], "SELECT system_identifier FROM pg_control_system()")
            for each in (one, two)
        }
        assert len(clusters) == 2
        assert one.told["redis_url"] != two.told["redis_url"]
    finally:
        assert one.end() == 0
        assert two.end() == 0


def test_one_data_directory_has_one_holder(tmp_path: Path) -> None:
    first = hold(tmp_path / "data")
    try:
        with pytest.raises(HolderFailed) as failed:
            hold(tmp_path / "data")
        assert f"already runs on {tmp_path / 'data'} (process {first.process.pid})" in str(failed.value)
        assert "DINHDANH_DATA_DIR" in str(failed.value)
    finally:
        assert first.end() == 0


async def test_a_path_too_long_for_sockets_still_works(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    holder = hold(deep / "data")
    try:
        assert await ask(holder.told["database_url"], "SELECT 1") == 1
        assert redis_answers(holder.told["redis_url"])
    finally:
        assert holder.end() == 0
    # The private directory for the sockets stood outside; nothing of it stays.
    outside = Path(parse_qs(urlsplit(holder.told["database_url"]).query)["host"][0])
    assert deep not in outside.parents
    assert not outside.exists()  # noqa: ASYNC240  # nothing else runs on this loop

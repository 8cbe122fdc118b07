"""Embedded servers when root runs the tests: PostgreSQL as `nobody`, and everything as an ordinary user.

Collected for root only (tests/faults/conftest.py): somebody else cannot become nobody, and already is the
ordinary user of these tests.
"""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.binaries import postgres_bin, wanted_postgres_major
from tests.support.holders import (
    HolderFailed,
    ask,
    eventually,
    gone,
    hold,
    modes_up,
    owner_of,
    reachable_by_all,
)

NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory that another user can pass through (pytest's own temporary directories are 0700)."""
    place = Path(tempfile.mkdtemp(prefix="dinhdanh-faults-"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place, ignore_errors=True)


async def test_root_without_namespaces_runs_postgres_as_nobody(open_place: Path) -> None:
    if not reachable_by_all(postgres_bin(wanted_postgres_major())):
        with pytest.raises(HolderFailed, match="nobody cannot reach"):
            hold(open_place / "data", "nobody")
        return
    before = modes_up(open_place / "data")
    holder = hold(open_place / "data", "nobody")
    try:
        assert owner_of(holder.postgres_pid) == NOBODY.pw_uid
        assert await ask(holder.told["database_worker_url"], "SELECT current_user") == "dinhdanh_worker"
    finally:
        holder.kill()
    assert eventually(lambda: gone(holder.postgres_pid))
    again = hold(open_place / "data", "nobody")
    assert again.end() == 0
    assert modes_up(open_place / "data") == before


async def test_root_says_in_a_sentence_when_nobody_cannot_reach_the_place(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(HolderFailed) as failed:
        hold(closed / "data", "nobody")
    said = str(failed.value)
    assert "nobody cannot reach" in said
    assert "Traceback" not in said


async def test_an_ordinary_user_runs_both_and_a_kill_leaves_nothing(open_place: Path) -> None:
    home = open_place / "home"
    home.mkdir(mode=0o700)
    os.chown(home, NOBODY.pw_uid, NOBODY.pw_gid)
    user = (NOBODY.pw_uid, NOBODY.pw_gid)
    first = hold(home / "data", user=user)
    assert owner_of(first.postgres_pid) == NOBODY.pw_uid
    assert owner_of(first.redis_pid) == NOBODY.pw_uid
    assert await ask(first.told["database_reader_url"], "SELECT current_user") == "dinhdanh_reader"
    first.kill()
    assert eventually(lambda: gone(first.postgres_pid))
    assert eventually(lambda: gone(first.redis_pid))
    second = hold(home / "data", user=user)
    assert second.end() == 0

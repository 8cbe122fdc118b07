"""`dinhdanh serve`: web processes come back when they die and are gone when their parent is gone."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from core.settings import Settings
from service.embedded import EmbeddedUrls
from service.key_files import make_sandbox_keys
from service.prepare import prepare_database
from tests.support.commands import Command, below, free_port, run, start, with_arguments
from tests.support.holders import eventually, gone

WORKERS = 2


@pytest.fixture(scope="module")
def environment(settings: Settings, database_urls: EmbeddedUrls) -> dict[str, str]:
    make_sandbox_keys(settings)
    prepare_database(settings)
    return {
        "DATABASE_URL": database_urls.database_url,
        "REDIS_URL": database_urls.redis_url,
        "DINHDANH_DATA_DIR": str(settings.data_dir),
        "DINHDANH_WORKERS": str(WORKERS),
        "DINHDANH_PORT": str(free_port()),
    }


@pytest.fixture
def serving(environment: dict[str, str], tmp_path: Path) -> Iterator[Command]:
    """`dinhdanh serve`, all of its web processes up."""
    command = start(["serve"], environment, tmp_path / "serve.log")
    assert command.serves(live(environment)), command.said()
    assert eventually(lambda: len(web_processes(command)) == WORKERS)
    yield command
    if command.process.poll() is None:
        command.ends()


def live(environment: dict[str, str]) -> str:
    return f"http://127.0.0.1:{environment['DINHDANH_PORT']}/health/live"


def web_processes(command: Command) -> set[int]:
    return with_arguments(below(command.pid), "service.web_process")


def test_a_killed_web_process_is_replaced_and_a_taken_port_told(serving: Command, environment: dict[str, str]) -> None:
    before = web_processes(serving)
    os.kill(min(before), signal.SIGKILL)
    assert eventually(lambda: len(web_processes(serving) - before) == 1)
    assert serving.serves(live(environment))

    second = run(["serve"], environment)
    assert second.returncode == 1
    port = environment["DINHDANH_PORT"]
    assert second.stderr == (
        f"dinhdanh: port {port} on 127.0.0.1 is taken by another program: set DINHDANH_PORT to another one\n"
    )

    processes = web_processes(serving)
    assert serving.ends(signal.SIGTERM) == 0
    assert all(gone(pid) for pid in processes)
    assert "Traceback" not in serving.said()


def test_all_web_processes_die_with_a_killed_parent(serving: Command) -> None:
    processes = web_processes(serving)
    serving.kill()
    for pid in processes:
        assert eventually(partial(gone, pid))


def test_a_database_that_does_not_answer_is_one_sentence(environment: dict[str, str]) -> None:
    nowhere = {"DATABASE_URL": "postgresql://dinhdanh_web:canary@127.0.0.1:1/dinhdanh"}
    failed = run(["serve"], environment | nowhere | {"DINHDANH_PORT": str(free_port())})
    assert failed.returncode == 1
    assert failed.stderr == ("dinhdanh: the database of DATABASE_URL does not let us in (ConnectionRefusedError)\n")

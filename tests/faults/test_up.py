"""`dinhdanh up`: the whole sandbox starts, is told in a sentence what is in its way, ends, and comes back."""

import contextlib
import json
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.commands import START_SECONDS, Command, below, free_port, run, start, with_arguments
from tests.support.holders import eventually, gone


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One data directory for the module: the second start finds what the first made."""
    return {
        "DINHDANH_DATA_DIR": str(tmp_path_factory.mktemp("up") / "data"),
        "DINHDANH_PORT": str(free_port()),
        "DINHDANH_PORTAL_PORT": str(free_port()),
        "DINHDANH_WORKERS": "2",
    }


@pytest.fixture(scope="module")
def up(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Shared by the module's tests, which leave it running; the last one kills it."""
    command = start(["up"], environment, tmp_path_factory.mktemp("log") / "up.log")
    eventually(lambda: command.process.poll() is not None or "Ctrl-C" in command.said(), START_SECONDS)
    assert "Ctrl-C stops everything" in command.said(), command.said()
    yield command
    if command.process.poll() is None:
        command.ends(signal.SIGINT)


def page(environment: dict[str, str], path: str) -> str:
    return f"http://127.0.0.1:{environment['DINHDANH_PORT']}{path}"


def test_everything_runs_and_is_told(up: Command, environment: dict[str, str]) -> None:
    assert up.serves(page(environment, "/health/ready"))
    assert up.serves(f"http://127.0.0.1:{environment['DINHDANH_PORTAL_PORT']}/")
    told = run(["sandbox", "--json"], environment)
    guide = json.loads(told.stdout)
    assert guide["issuer"] == f"http://localhost:{environment['DINHDANH_PORT']}"
    assert all(person["number"] in up.said() for person in guide["personas"])
    assert len(with_arguments(below(up.pid), "service.web_process")) == 2


def test_a_second_up_is_one_sentence(up: Command, environment: dict[str, str]) -> None:
    second = run(["up"], environment)
    assert second.returncode == 1
    assert second.stderr == (
        f"dinhdanh: Định Danh already runs on {environment['DINHDANH_DATA_DIR']} (process {up.pid}); "
        "stop it first, or set DINHDANH_DATA_DIR to another folder\n"
    )


@pytest.mark.parametrize("setting", ["DINHDANH_PORT", "DINHDANH_PORTAL_PORT"])
def test_a_taken_port_is_told_before_anything_starts(
    up: Command, environment: dict[str, str], setting: str, tmp_path: Path
) -> None:
    elsewhere = {
        "DINHDANH_DATA_DIR": str(tmp_path / "data"),
        "DINHDANH_PORT": str(free_port()),
        "DINHDANH_PORTAL_PORT": str(free_port()),
    }
    taken = run(["up"], elsewhere | {setting: environment[setting]})
    assert taken.returncode == 1
    assert taken.stderr.startswith(f"dinhdanh: port {environment[setting]} on 127.0.0.1 is taken")
    assert setting in taken.stderr
    assert not list((tmp_path / "data").glob("postgres-*"))


def test_commands_use_the_servers_of_the_running_sandbox(up: Command, environment: dict[str, str]) -> None:
    verified = run(["journal", "verify"], environment)
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.startswith("The journal is whole: ")
    assert up.process.poll() is None


def test_a_killed_up_leaves_nothing_and_the_next_one_is_whole_until_ctrl_c(
    up: Command, environment: dict[str, str], tmp_path: Path
) -> None:
    processes = below(up.pid)
    assert len(processes) > 10
    before = run(["sandbox", "--json"], environment).stdout
    up.kill()
    for pid in processes:
        assert eventually(partial(gone, pid), 60.0), told(pid)

    again = start(["up"], environment, tmp_path / "again.log")
    assert again.serves(page(environment, "/health/ready")), again.said()
    assert run(["sandbox", "--json"], environment).stdout == before
    processes = below(again.pid)
    assert again.ends(signal.SIGINT) == 0
    assert all(gone(pid) for pid in processes)
    assert "Traceback" not in again.said()


def told(pid: int) -> str:
    """What a process that should be gone is, for the message of the assertion."""
    with contextlib.suppress(OSError):
        place = Path("/proc") / str(pid)
        return f"{place.joinpath('cmdline').read_bytes()!r} {place.joinpath('status').read_text()}"
    return "gone meanwhile"

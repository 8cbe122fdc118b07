"""Supervision with real processes: restart, hopeless starts, order of signals, death with the parent."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from service.supervise import Child, ChildFailed, Supervised
from tests.support.holders import eventually, gone, lives

PYTHON = sys.executable


def child(tmp_path: Path, code: str, **values: object) -> Child:
    return Child(
        name="the child",
        command=[PYTHON, "-c", code],
        log_path=tmp_path / "child.log",
        **values,  # type: ignore[arg-type]
    )


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    deaths: list[tuple[int, int]] = []
    supervised = Supervised(
        child(tmp_path, "import time; time.sleep(600)", on_death=lambda pid, code: deaths.append((pid, code)))
    )
    supervised.start()
    supervised.wait_ready()
    first = supervised.pid
    assert first is not None
    try:
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: supervised.pid not in (None, first))
        assert supervised.restarts == 1
    finally:
        supervised.stop()
    assert supervised.pid is None
    assert deaths == [(first, -signal.SIGKILL)]  # the end we asked for is no death


def test_a_hopeless_start_is_told_with_the_last_line_of_its_log(tmp_path: Path) -> None:
    supervised = Supervised(
        child(tmp_path, "import sys; print('the reason', file=sys.stderr); sys.exit(4)", is_ready=lambda _: False)
    )
    supervised.start()
    with pytest.raises(ChildFailed, match=r"the child does not start: the reason \(more in .*child\.log\)"):
        supervised.wait_ready()
    supervised.stop()


def test_a_missing_program_is_told(tmp_path: Path) -> None:
    supervised = Supervised(
        Child("the child", ["/nonexistent/program"], tmp_path / "child.log", is_ready=lambda _: False)
    )
    supervised.start()
    with pytest.raises(ChildFailed, match="cannot start /nonexistent/program: No such file or directory"):
        supervised.wait_ready()


def test_an_excused_failure_is_tried_on_until_it_works(tmp_path: Path) -> None:
    mark = tmp_path / "tries"
    code = (
        "import pathlib, sys, time\n"
        f"mark = pathlib.Path({str(mark)!r})\n"
        "tries = len(mark.read_text()) if mark.exists() else 0\n"
        "mark.write_text('x' * (tries + 1))\n"
        "if tries < 5: sys.exit('still occupied')\n"
        f"pathlib.Path({str(tmp_path / 'serves')!r}).touch()\n"
        "time.sleep(600)\n"
    )
    supervised = Supervised(
        child(
            tmp_path,
            code,
            is_ready=lambda _: (tmp_path / "serves").exists(),
            excused=lambda tail: "still occupied" in tail,
        )
    )
    supervised.start()
    try:
        supervised.wait_ready()
        assert len(mark.read_text()) == 6
    finally:
        supervised.stop()


def test_a_slow_start_is_waited_for_as_long_as_it_lives(tmp_path: Path) -> None:
    serves = tmp_path / "serves"
    code = f"import pathlib, time; time.sleep(1.5); pathlib.Path({str(serves)!r}).touch(); time.sleep(600)"
    supervised = Supervised(child(tmp_path, code, is_ready=lambda _: serves.exists()))
    supervised.start()
    try:
        supervised.wait_ready()
        assert supervised.restarts == 0
    finally:
        supervised.stop()


def test_stopping_climbs_the_ladder_when_a_signal_is_ignored(tmp_path: Path) -> None:
    stubborn = tmp_path / "stubborn"
    code = (
        "import pathlib, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(stubborn)!r}).touch()\n"
        "time.sleep(600)\n"
    )
    supervised = Supervised(
        child(
            tmp_path,
            code,
            is_ready=lambda _: stubborn.exists(),
            stop=((signal.SIGTERM, 0.3), (signal.SIGKILL, 10.0)),
        )
    )
    supervised.start()
    supervised.wait_ready()
    pid = supervised.pid
    assert pid is not None
    supervised.stop()
    assert gone(pid)
    supervised.stop()  # again: harmless


def test_children_die_with_the_process_that_supervises_them(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from service.supervise import Child, Supervised\n"
        "sleep = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        f"s = Supervised(Child('c', sleep, Path({str(tmp_path / 'c.log')!r})))\n"
        "s.start(); s.wait_ready(); print(s.pid, flush=True); time.sleep(600)\n"
    )
    parent = subprocess.Popen([PYTHON, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert lives(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert eventually(partial(gone, pid), 5)


def test_the_log_is_private_and_only_what_this_start_said_is_its_tail(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    log.write_text("an old complaint\n")
    log.chmod(0o600)
    supervised = Supervised(child(tmp_path, "import sys; sys.exit(9)", is_ready=lambda _: False))
    supervised.start()
    with pytest.raises(ChildFailed, match="it ended with exit code 9"):
        supervised.wait_ready()
    assert log.read_text().startswith("an old complaint")

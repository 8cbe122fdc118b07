"""`dinhdanh serve`: the web processes behind one listening socket."""

import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import structlog
from prometheus_client import multiprocess

from core.settings import Settings, secret_value
from service.database_checks import check_web_login
from service.ports import PortWish, require_free_port
from service.ready_marks import is_marked, mark_ready, ready_marks, unmark, with_ready_dir
from service.signals import AskedToEnd, end_on_signals, wait_for_signal
from service.supervise import Child, Supervised

BACKLOG = 2048
METRICS_DIR = "PROMETHEUS_MULTIPROC_DIR"

log = structlog.get_logger(__name__)


def serve(settings: Settings) -> None:
    """Serve until a signal asks to end. Raises PortTaken, CommandError, ChildFailed: each one sentence."""
    require_free_port(PortWish(settings.host, settings.port, "DINHDANH_PORT"))
    check_web_login(secret_value(settings.database_url, "DATABASE_URL"), settings)
    with (
        contextlib.suppress(AskedToEnd),
        end_on_signals(),
        _listening(settings) as listening,
        _metrics_dir(),
        ready_marks() as marks,
    ):
        processes = [_web_process(number, listening, marks) for number in range(1, settings.workers + 1)]
        try:
            for process in processes:
                process.start()
            for process in processes:
                process.wait_ready()
            log.info("serve.ready", port=settings.port, workers=settings.workers)
            mark_ready()
            wait_for_signal()
        finally:
            for process in processes:
                process.ask_to_stop()
            for process in processes:
                process.stop()


@contextlib.contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG) as listening:
        yield listening


@contextlib.contextmanager
def _metrics_dir() -> Iterator[None]:
    """The folder by which the web processes share their counters; `up` sets one for all of its processes."""
    if os.environ.get(METRICS_DIR):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="dinhdanh-metrics-") as folder:
        os.environ[METRICS_DIR] = folder
        try:
            yield
        finally:
            del os.environ[METRICS_DIR]


def _web_process(number: int, listening: socket.socket, marks: Path) -> Supervised:
    def after_exit(pid: int, code: int) -> None:
        unmark(marks, pid)
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]  # its gauges must not stay
        log.warning("serve.process_ended", process=f"web-{number}", pid=pid, exit_code=code)

    return Supervised(
        Child(
            name=f"web process {number}",
            command=[sys.executable, "-m", "service.web_process", str(listening.fileno())],
            log_path=Path(os.devnull),
            to_terminal=True,  # our own standard error: a terminal, a service manager's journal, or up's log
            environment=with_ready_dir(os.environ, marks),
            pass_fds=(listening.fileno(),),
            is_ready=partial(is_marked, marks),
            after_exit=after_exit,
        )
    )

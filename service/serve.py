"""`dinhdanh serve`: the web processes behind one listening socket."""

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import structlog

from core.settings import Settings, secret_value
from service.gate import open_gate, wait_at_gate, with_gate
from service.metrics_dir import forget_gauges, metrics_dir
from service.ports import PortWish, require_free_port
from service.ready_marks import is_marked, mark_ready, ready_marks, unmark, with_ready_dir
from service.signals import AskedToEnd, end_on_signals, wait_for_signal
from service.supervise import Child, Supervised

BACKLOG = 2048
GATE = "gate"
MEMORY = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 20),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
"""How glibc keeps memory (mallopt(3)), unless the operator says otherwise. A password check fills 19 MiB in a
thread: such blocks go back to the kernel each time, instead of staying in an arena of each thread. They come in
huge pages where the kernel lets a process ask for them (`madvise`): 19 MiB by pages of 4 KiB are 4 865 faults,
11 ms of the check's 49; by those of 2 MiB a few hundred at the most, 3.5 ms."""

log = structlog.get_logger(__name__)


def serve(settings: Settings) -> None:
    """Serve until a signal asks to end. Raises PortTaken, CommandError, ChildFailed: each one sentence."""
    if settings.listen_socket is None:
        require_free_port(PortWish(settings.host, settings.port, "DINHDANH_PORT"))
    url = secret_value(settings.database_url, "DATABASE_URL")
    with (
        contextlib.suppress(AskedToEnd),
        end_on_signals(),
        _listening(settings) as listening,
        metrics_dir(),
        ready_marks() as marks,
    ):
        processes = [_web_process(number, listening, marks) for number in range(1, settings.workers + 1)]
        try:
            for process in processes:
                process.start()
            # They load their code meanwhile, and serve nothing before the database passed.
            wait_at_gate()
            _check(url, settings)
            open_gate(marks / GATE)
            for process in processes:
                process.wait_ready()
            log.info("serve.ready", port=None if settings.listen_socket else settings.port, workers=settings.workers)
            mark_ready()
            wait_for_signal()
        finally:
            for process in processes:
                process.ask_to_stop()
            for process in processes:
                process.stop()


def _check(url: str, settings: Settings) -> None:
    from service.database_checks import check_web_login  # late: the web processes need the processor first

    check_web_login(url, settings)


@contextlib.contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    if settings.listen_socket is not None:
        with _listening_on_socket(settings.listen_socket) as listening:
            yield listening
        return
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG) as listening:
        yield listening


@contextlib.contextmanager
def _listening_on_socket(path: Path) -> Iterator[socket.socket]:
    """Its directory says who may come: it should be closed to all but the proxy."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        path.unlink(missing_ok=True)  # a leftover: a socket does not go with its process
        listening.bind(str(path))
        path.chmod(0o600)
        listening.listen(BACKLOG)
        try:
            yield listening
        finally:
            path.unlink(missing_ok=True)


def _web_process(number: int, listening: socket.socket, marks: Path) -> Supervised:
    def after_exit(pid: int, _code: int) -> None:
        unmark(marks, pid)
        forget_gauges(pid)

    def on_death(pid: int, code: int) -> None:
        log.warning("serve.process_died", process=f"web-{number}", pid=pid, exit_code=code)

    return Supervised(
        Child(
            name=f"web process {number}",
            command=[sys.executable, "-m", "service.web_process", str(listening.fileno())],
            log_path=Path(os.devnull),
            to_terminal=True,  # our own standard error: a terminal, a service manager's journal, or up's log
            environment=with_gate(with_ready_dir(MEMORY | os.environ, marks), marks / GATE),
            pass_fds=(listening.fileno(),),
            is_ready=partial(is_marked, marks),
            after_exit=after_exit,
            on_death=on_death,
        )
    )

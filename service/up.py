"""`dinhdanh up`: the whole sandbox in one go, stopped in order by Ctrl-C.

Servers → migrations → sandbox people → web processes, worker, demo portal. Each runs as a supervised child,
is restarted when it dies, and is gone when this process is gone.
"""

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from rich.console import Console

from core.settings import Settings, secret_value
from service.errors import CommandError
from service.http_probe import answers
from service.key_files import make_sandbox_keys
from service.portal_file import write_portal_settings
from service.ports import PortWish
from service.prepare import prepare_database
from service.ready_marks import is_marked, ready_marks, unmark, with_ready_dir
from service.sandbox import seed
from service.sandbox_guide import Sandbox
from service.serve import METRICS_DIR
from service.servers import absolute_data_dir, changed, servers_for_up
from service.signals import AskedToEnd, end_on_signals, wait_for_signal
from service.supervise import Child, Supervised
from service.welcome import show_welcome

DATABASE_VARIABLES = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_WORKER_URL", "DATABASE_READER_URL")
GRACE_SECONDS = 25.0  # a little more than the web processes give their requests


def up(settings: Settings, console: Console) -> None:
    """Run the sandbox until a signal asks to end. Raises errors that say in one sentence what is wrong."""
    if not settings.sandbox:
        raise CommandError("`dinhdanh up` is the sandbox; in production run `dinhdanh serve` and `dinhdanh worker`")
    settings = _with_fitting_issuer(settings)
    ports = (
        PortWish(settings.host, settings.port, "DINHDANH_PORT"),
        PortWish(settings.host, settings.portal_port, "DINHDANH_PORTAL_PORT"),
    )
    with contextlib.suppress(AskedToEnd), end_on_signals(), contextlib.ExitStack() as stack:
        with console.status("Starting PostgreSQL and Redis …") as status:
            settings = stack.enter_context(servers_for_up(settings, ports)).settings
            status.update("Migrating the database …")
            make_sandbox_keys(settings)
            prepare_database(settings)
            status.update("Preparing the sandbox people …")
            sandbox = seed(settings)
            status.update("Starting the service …")
            stack.enter_context(_processes(settings, sandbox))
        show_welcome(console, sandbox)
        stack.callback(console.print, "Stopping …")
        wait_for_signal()


def _with_fitting_issuer(settings: Settings) -> Settings:
    """The issuer follows a port chosen by DINHDANH_PORT, unless it was chosen itself."""
    if "issuer" in settings.model_fields_set:
        return settings
    return changed(settings, issuer=f"http://localhost:{settings.port}")


@contextlib.contextmanager
def _processes(settings: Settings, sandbox: Sandbox) -> Iterator[None]:
    """Web, worker and portal, all serving; stopped in the opposite order of dependence."""
    with ready_marks() as marks:
        web = _web(settings, marks)
        worker = _worker(settings, marks)
        portal = _portal(settings, sandbox)
        started = (web, worker, portal)
        try:
            for process in started:
                process.start()
            for process in started:
                process.wait_ready()
            yield
        finally:
            for process in (portal, web, worker):
                process.ask_to_stop()
            for process in (portal, web, worker):
                process.stop()


def _web(settings: Settings, marks: Path) -> Supervised:
    metrics = absolute_data_dir(settings) / "run" / "metrics"
    environment = _environment(settings) | {
        METRICS_DIR: str(metrics),
        "DATABASE_URL": secret_value(settings.database_url, "DATABASE_URL"),
        "REDIS_URL": secret_value(settings.redis_url, "REDIS_URL"),
    }

    def fresh_metrics() -> None:
        shutil.rmtree(metrics, ignore_errors=True)
        metrics.mkdir(mode=0o700, parents=True)

    return _ours("serve", settings, environment, marks, fresh_metrics)


def _worker(settings: Settings, marks: Path) -> Supervised:
    environment = _environment(settings) | {
        "DATABASE_WORKER_URL": secret_value(settings.database_worker_url, "DATABASE_WORKER_URL"),
        "REDIS_URL": secret_value(settings.redis_url, "REDIS_URL"),
    }
    return _ours("worker", settings, environment, marks, _nothing_before)


def _nothing_before() -> None:
    return None


def _ours(
    command: str,
    settings: Settings,
    environment: dict[str, str],
    marks: Path,
    before_start: Callable[[], None],
) -> Supervised:
    """`dinhdanh <command>` as a child that marks itself ready."""

    def after_exit(pid: int, _code: int) -> None:
        unmark(marks, pid)

    return Supervised(
        Child(
            name=f"dinhdanh {command}",
            command=[sys.executable, "-m", "service.cli", command],
            log_path=absolute_data_dir(settings) / "log" / f"{command}.log",
            stop=((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, 5.0)),
            environment=with_ready_dir(environment, marks),
            is_ready=partial(is_marked, marks),
            before_start=before_start,
            after_exit=after_exit,
        )
    )


def _portal(settings: Settings, sandbox: Sandbox) -> Supervised:
    """The demo portal knows the service by its public address alone: no database, no cache, no key of ours."""
    file = write_portal_settings(settings, sandbox)
    return Supervised(
        Child(
            name="the demo portal",
            command=[sys.executable, "-m", "examples.portal", str(file)],
            log_path=absolute_data_dir(settings) / "log" / "portal.log",
            environment=_environment(settings),
            is_ready=lambda _pid: answers(f"http://{settings.host}:{settings.portal_port}/"),
        )
    )


def _environment(settings: Settings) -> dict[str, str]:
    """What every child inherits: ours without any address of a server; each gets only those it needs."""
    inherited = {name: value for name, value in os.environ.items() if name not in (*DATABASE_VARIABLES, "REDIS_URL")}
    return inherited | {
        "DINHDANH_DATA_DIR": str(absolute_data_dir(settings)),
        "DINHDANH_ISSUER": settings.issuer,
    }

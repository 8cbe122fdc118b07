"""The processes of the sandbox beside its servers: web, worker, demo portal. Each gets only what it needs."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from core.settings import TLS_AUTHORITY, Settings, secret_value
from service.gate import with_gate
from service.http_probe import answers
from service.metrics_dir import METRICS_DIR
from service.ready_marks import is_marked, unmark, with_ready_dir
from service.servers import absolute_data_dir
from service.supervise import Child, Supervised

DATABASE_VARIABLES = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_WORKER_URL", "DATABASE_READER_URL")
CHECKOUT = Path(__file__).resolve().parent.parent  # the portal is an example beside the packages, not one of them
GRACE_SECONDS = 25.0  # a little more than the web processes give their requests


def fresh_temporary_dir(settings: Settings) -> Path:
    """The temporary directory of this run's processes, emptied: what a killed run left does not pile up."""
    folder = _temporary_dir(settings)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def _temporary_dir(settings: Settings) -> Path:
    return absolute_data_dir(settings) / "run" / "tmp"


def web_child(settings: Settings, marks: Path, gate: Path) -> Supervised:
    metrics = absolute_data_dir(settings) / "run" / "metrics"
    environment = _environment(settings) | {
        METRICS_DIR: str(metrics),
        **({"DINHDANH_LISTEN_SOCKET": str(settings.listen_socket)} if settings.listen_socket else {}),
        "DATABASE_URL": secret_value(settings.database_url, "DATABASE_URL"),
        "REDIS_URL": secret_value(settings.redis_url, "REDIS_URL"),
    }

    def fresh_metrics() -> None:
        shutil.rmtree(metrics, ignore_errors=True)
        metrics.mkdir(mode=0o700, parents=True)

    return _ours("serve", settings, environment, marks, gate, fresh_metrics)


def worker_child(settings: Settings, marks: Path, gate: Path) -> Supervised:
    environment = _environment(settings) | {
        "DATABASE_WORKER_URL": secret_value(settings.database_worker_url, "DATABASE_WORKER_URL"),
        "REDIS_URL": secret_value(settings.redis_url, "REDIS_URL"),
    }
    return _ours("worker", settings, environment, marks, gate, _nothing_before)


def _nothing_before() -> None:
    return None


def _ours(
    command: str,
    settings: Settings,
    environment: dict[str, str],
    marks: Path,
    gate: Path,
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
            environment=with_gate(with_ready_dir(environment, marks), gate),
            is_ready=partial(is_marked, marks),
            before_start=before_start,
            after_exit=after_exit,
        )
    )


def portal_child(settings: Settings, file: Path) -> Supervised:
    """The demo portal knows the service by its public address alone: no database, no cache, no key of ours."""
    return Supervised(
        Child(
            name="the demo portal",
            command=[sys.executable, "-m", "examples.portal", str(file)],
            log_path=absolute_data_dir(settings) / "log" / "portal.log",
            environment=_environment(settings) | {"PYTHONPATH": str(CHECKOUT)} | _trust_in_our_authority(settings),
            is_ready=lambda _pid: answers(f"http://{settings.host}:{settings.portal_port}/"),
        )
    )


def _trust_in_our_authority(settings: Settings) -> dict[str, str]:
    """Behind the TLS front the portal meets a certificate of our own making."""
    return {"SSL_CERT_FILE": str(settings.secrets_dir.absolute() / TLS_AUTHORITY)} if settings.tls else {}


def _environment(settings: Settings) -> dict[str, str]:
    """What every child inherits: ours without any address of a server; each gets only those it needs."""
    inherited = {name: value for name, value in os.environ.items() if name not in (*DATABASE_VARIABLES, "REDIS_URL")}
    return inherited | {
        "DINHDANH_MODE": settings.mode,
        "DINHDANH_DATA_DIR": str(absolute_data_dir(settings)),
        "DINHDANH_ISSUER": settings.issuer,
        "DINHDANH_TLS": "1" if settings.tls else "",
        "TMPDIR": str(_temporary_dir(settings)),
    }

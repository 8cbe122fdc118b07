"""The folder by which web processes share their Prometheus counters."""

import contextlib
import os
import tempfile
from collections.abc import Iterator

METRICS_DIR = "PROMETHEUS_MULTIPROC_DIR"


@contextlib.contextmanager
def metrics_dir() -> Iterator[None]:
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


def forget_gauges(pid: int) -> None:
    """Remove the gauges of a process that ended; its counters stay."""
    from prometheus_client import multiprocess  # late: it reads the folder's name when it is imported

    multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]

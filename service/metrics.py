"""Prometheus metrics, over all worker processes (multiprocess directory). Labels never name a person."""

import os
from functools import lru_cache

from fastapi import APIRouter
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from starlette.requests import Request
from starlette.responses import Response

REQUESTS = Counter("dinhdanh_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "dinhdanh_request_seconds",
    "Time to the end of the answer",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
STEPS = Counter("dinhdanh_worker_steps_total", "Steps of the background work", ["step", "outcome"])
PENDING_LINES = Gauge(
    "dinhdanh_journal_pending_lines", "Journal lines without a position", multiprocess_mode="livemostrecent"
)
OUTBOX_WAITING = Gauge("dinhdanh_outbox_waiting", "Event steps not done yet", multiprocess_mode="livemostrecent")

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

router = APIRouter()


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """Counts one answer. route: the pattern, never the path, so that labels stay few and tell nothing."""
    count, times = _children(method if method in METHODS else "other", route, status)
    count.inc()
    times.observe(seconds)


@lru_cache(maxsize=4_096)
def _children(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, str(status)), SECONDS.labels(route)


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """For the operator's Prometheus; the front proxy does not pass it on (docs/operations.md)."""
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

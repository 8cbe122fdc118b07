"""Logs: JSON lines with a request id and allow-listed fields only.

A field that is not on the list is dropped and named in `dropped`, never written: so a number, a name or a
token cannot slip into a log by a careless keyword.
"""

import asyncio
import json
import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, TextIO

import orjson
import structlog

from core.clock import SystemClock

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

ALLOWED_FIELDS = frozenset(
    {
        "event", "level", "timestamp", "request_id", "logger",
        "method", "route", "status", "duration_ms", "client_id", "agency", "code", "detail",
        "topic", "handler", "attempts", "error", "exception_type", "where",
        "process", "pid", "port", "signal", "exit_code", "count", "seconds", "rows", "tree_size", "step", "command",
        "purpose", "reason", "size", "limit", "version", "mode", "kind", "workers",
    }
)  # fmt: skip


def _keep_allowed(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    dropped = sorted(key for key in event if key not in ALLOWED_FIELDS)
    for key in dropped:
        del event[key]
    if dropped:
        event["detail"] = f"{event.get('detail', '')} [dropped fields: {', '.join(dropped)}]".strip()
    return event


def _add_request_id(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    current = request_id.get()
    if current is not None:
        event["request_id"] = current
    return event


def _exception_type_only(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Messages of exceptions may quote data (a failing row, a URL): only type and place are kept."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if isinstance(info, tuple) and info[0] is not None:
        event["exception_type"] = info[0].__name__
        places = []
        trace = info[2]
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"{code.co_filename.rsplit('/', 2)[-1]}:{code.co_name}:{trace.tb_lineno}")
            trace = trace.tb_next
        event["where"] = " > ".join(places[-6:])
    return event


def _as_json(event: Any, **options: Any) -> str:
    try:
        return orjson.dumps(event, default=options.get("default"), option=orjson.OPT_UTC_Z).decode()
    except TypeError:  # half a surrogate pair, a number beyond 64 bits: a log line is never lost for that
        return json.dumps(event, **options)


class _RequestLines:
    """Where lines of requests go straight. processors: structlog's own list, which tests exchange in place."""

    __slots__ = ("_due_on", "_waiting", "last", "processors", "stream")

    def __init__(self, stream: TextIO, processors: list[Any], last: Any) -> None:
        self.stream, self.processors, self.last = stream, processors, last
        self._waiting: list[str] = []
        self._due_on: asyncio.AbstractEventLoop | None = None

    def add(self, line: str) -> None:
        """To be written with those of the same turn of the loop: a write costs more than a line."""
        self._waiting.append(line)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._write()
            return
        if self._due_on is not loop:
            self._due_on = loop
            loop.call_soon(self._write)

    def _write(self) -> None:
        lines, self._waiting, self._due_on = self._waiting, [], None
        self.stream.write("".join(lines))
        self.stream.flush()


_request_lines: _RequestLines | None = None
_CLOCK = SystemClock()


def configure_logging(level: str = "info", stream: TextIO | None = None) -> None:
    """Sets up structlog for this process, and sends the standard library's warnings the same way."""
    global _request_lines  # logging belongs to the process, as structlog's own configuration does
    renderer = structlog.processors.JSONRenderer(serializer=_as_json)
    processors: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_request_id,
        _exception_type_only,
        _keep_allowed,
        renderer,
    ]
    number = getattr(logging, level.upper())
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    at_info = number <= logging.INFO
    _request_lines = _RequestLines(stream or sys.stderr, processors, renderer) if at_info else None
    root = logging.getLogger()
    root.handlers = [_Forward()]
    root.setLevel(logging.WARNING)


def log_request(ident: str, *, method: str, route: str, status: int, duration_ms: float, client_id: str | None) -> None:
    """The line of one request. It has these fields and no others, so it needs none of structlog's steps, which
    take three times as long; where structlog is set up by somebody else it goes that way."""
    lines = _request_lines
    if lines is None or lines.processors[-1:] != [lines.last] or not structlog.is_configured():
        structlog.get_logger("http").info(
            "request", method=method, route=route, status=status, duration_ms=duration_ms, client_id=client_id
        )
        return
    line = {
        "method": method,
        "route": route,
        "status": status,
        "duration_ms": duration_ms,
        "client_id": client_id,
        "event": "request",
        "level": "info",
        "timestamp": _CLOCK.now(),
        "request_id": ident,
    }
    lines.add(_as_json(line, default=str) + "\n")


class _Forward(logging.Handler):
    """Standard-library records: level, logger name and exception type, not the message."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno if record.levelno in {10, 20, 30, 40, 50} else logging.WARNING,
            "library",
            logger=record.name,
            # The template only, arguments may hold data; its first line only, for asyncio writes an exception below.
            detail=str(record.msg).split("\n", 1)[0][:200],
            **({"exc_info": record.exc_info} if record.exc_info else {}),
        )

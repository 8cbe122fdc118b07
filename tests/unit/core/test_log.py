"""Logs keep what is allow-listed and drop the rest by name, and never write an exception's message."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from core.log import configure_logging, log_request, request_id


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    configure_logging("info", stream)
    yield stream
    structlog.reset_defaults()
    logging.getLogger().handlers = handlers
    logging.getLogger().setLevel(level)


def last(lines: io.StringIO) -> Any:
    return json.loads(lines.getvalue().splitlines()[-1])


def test_a_field_that_is_not_listed_is_dropped_and_named(lines: io.StringIO) -> None:
    structlog.get_logger().info("event", status=200, full_name="Canary Name")
    line = last(lines)
    assert line["status"] == 200
    assert "Canary" not in lines.getvalue()
    assert "full_name" in line["detail"]


def test_exceptions_show_type_and_place_only(lines: io.StringIO) -> None:
    try:
        raise ValueError("Canary Name")
    except ValueError as error:
        structlog.get_logger().error("failed", exc_info=error)
    line = last(lines)
    assert line["exception_type"] == "ValueError"
    assert "test_log.py" in line["where"]
    assert "Canary" not in lines.getvalue()


def test_the_standard_library_goes_the_same_way(lines: io.StringIO) -> None:
    logging.getLogger("asyncpg").warning("row %s failed", "Canary Name")
    assert last(lines)["logger"] == "asyncpg"
    assert "Canary" not in lines.getvalue()


def test_the_request_id_is_on_each_line(lines: io.StringIO) -> None:
    token = request_id.set("abc")
    structlog.get_logger().info("event")
    request_id.reset(token)
    assert last(lines)["request_id"] == "abc"


def note_request(ident: str, client_id: str | None = None) -> None:
    log_request(ident, method="GET", route="/userinfo", status=200, duration_ms=1.2, client_id=client_id)


def test_lines_of_requests_are_those_of_the_house(lines: io.StringIO) -> None:
    note_request("one", "portal")
    note_request("half a pair", "\ud800")
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "method": "GET",
        "route": "/userinfo",
        "status": 200,
        "duration_ms": 1.2,
        "client_id": "portal",
        "event": "request",
        "level": "info",
        "request_id": "one",
    }
    assert second["request_id"] == "half a pair"


def test_lines_of_one_turn_of_the_loop_are_one_write(lines: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(lines, "write", written.append)

    async def turns(last_words: bool) -> None:
        note_request("one")
        note_request("two")
        assert written == []
        await asyncio.sleep(0)
        assert [piece.count("\n") for piece in written] == [2]
        if last_words:
            note_request("three")  # and the loop ends

    asyncio.run(turns(last_words=True))
    assert [piece.count("\n") for piece in written] == [2, 1]

    loop = asyncio.new_event_loop()
    loop.call_soon(note_request, "four")
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()  # before its turn
    note_request("five")
    assert [piece.count("\n") for piece in written] == [2, 1, 2]
    written.clear()
    asyncio.run(turns(last_words=False))

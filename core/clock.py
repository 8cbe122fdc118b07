"""The clock that is handed in. No rule asks the operating system or the database for the time."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Protocol
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
"""Ages, days and deadlines are reckoned here; instants are kept in UTC."""


class Clock(Protocol):
    """Gives the present instant, aware, in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SandboxClock:
    """The machine's clock plus an offset in seconds that all sandbox processes read from one file.

    The file is looked at once a second at most; a missing or unreadable file means no offset.
    """

    def __init__(self, offset_file: Path, monotonic_seconds: Callable[[], float] = monotonic) -> None:
        self._file = offset_file
        self._monotonic = monotonic_seconds
        self._read_at = float("-inf")
        self._offset = timedelta()

    def now(self) -> datetime:
        if self._monotonic() - self._read_at >= 1.0:
            self._read_at = self._monotonic()
            try:
                self._offset = timedelta(seconds=int(self._file.read_text()))
            except (OSError, ValueError):
                self._offset = timedelta()
        return datetime.now(UTC) + self._offset if self._offset else datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved; for tests and replays."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("an aware instant is needed")
        self._at = at

    def now(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> None:
        self._at += by


def vietnam_day(at: datetime) -> date:
    """The calendar day in Viet Nam at an instant."""
    return at.astimezone(VIETNAM).date()

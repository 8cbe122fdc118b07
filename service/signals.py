"""Ctrl-C, `kill` and a closed terminal: one way to end in good order."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class AskedToEnd(BaseException):
    """A signal asked this process to end; unwinds the stack once, so that everything is stopped in order."""


@contextlib.contextmanager
def end_on_signals() -> Iterator[None]:
    """Raise AskedToEnd in the main thread at the first signal; later ones do not disturb the clean end."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        for each in ENDING:
            signal.signal(each, signal.SIG_IGN)
        raise AskedToEnd

    # nohup asks for SIGHUP to be ignored, and is obeyed.
    heard = [each for each in ENDING if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN]
    before = {each: signal.signal(each, on_signal) for each in heard}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def wait_for_signal() -> None:
    """Sleep until AskedToEnd is raised."""
    while True:
        threading.Event().wait()

"""Servers that outlived their parent for a moment.

When the parent is killed its servers get their signal and end in good order, which takes a moment. A new
start on the same files waits for them, and asks again, instead of working beside them.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

ASK_AGAIN_SECONDS = 5.0
POLL_SECONDS = 0.05


def wait_for_orphans(program: str, mark: Path, number: signal.Signals) -> None:
    """Wait until no `program` runs that has `mark` among its arguments; `number` asks it to end.

    Called only by who holds the place's lock: such a process has no parent left. No time limit: a server that
    writes its last checkpoint must not be cut short.
    """
    asked = 0.0
    while pids := list(_running(program, str(mark))):
        now = time.monotonic()
        if now - asked > ASK_AGAIN_SECONDS:
            asked = now
            for pid in pids:
                _send(pid, number)
        time.sleep(POLL_SECONDS)


def runs(pid: int, program: str, argument: str) -> bool:
    """Whether this process lives, is this program and has this argument."""
    try:
        found = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return Path(os.fsdecode(found[0])).name == program and os.fsencode(argument) in found


def _running(program: str, argument: str) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and runs(int(entry.name), program, argument):
            yield int(entry.name)


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return

"""A gate: a process loads its code, then waits for the word of its parent before it serves.

The gate is a file in a private folder of the parent; it is open once the file is there.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

GATE = "DINHDANH_GATE"
POLL_SECONDS = 0.02


def with_gate(environment: Mapping[str, str], gate: Path) -> dict[str, str]:
    return {**environment, GATE: str(gate)}


def open_gate(gate: Path) -> None:
    gate.touch(mode=0o600)


def wait_at_gate() -> None:
    """Wait until the parent opens the gate; without one, go on. A dead parent ends this process by its signal."""
    gate = os.environ.get(GATE)
    while gate and not Path(gate).exists():
        time.sleep(POLL_SECONDS)

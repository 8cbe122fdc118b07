"""The machine: pinning processes to cores, their CPU time and memory, what runs here."""

import os
import platform
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

SERVER_CORE = 0
OTHER_CORE = 1
TICKS = os.sysconf("SC_CLK_TCK")


def can_pin() -> bool:
    return len(os.sched_getaffinity(0)) > 1


def pin(pids: Iterable[int], core: int) -> None:
    """Every thread of these processes to one core; threads and children they make later inherit it."""
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                with suppress(ProcessLookupError):
                    os.sched_setaffinity(int(task.name), {core})


def below(pid: int) -> set[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))) is not None:
            children.setdefault(int(stat[1]), []).append(int(entry.name))
    found, todo = set(), [pid]
    while todo:
        one = todo.pop()
        found.add(one)
        todo += children.get(one, [])
    return found


def arguments(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return []


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes and of their ended children that were waited for."""
    total = 0
    for pid in pids:
        stat = _stat(pid)
        if stat is not None:
            total += sum(int(stat[at]) for at in (11, 12, 13, 14))
    return total / TICKS


def memory_mb(pids: Iterable[int]) -> float:
    """Resident memory, shared pages counted in each."""
    total = 0
    for pid in pids:
        with suppress(OSError, IndexError):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return total * os.sysconf("SC_PAGE_SIZE") / 1_000_000


def busy_share(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Share of the time in which the machine's cores worked, from two `clock_of_all` readings."""
    spent = after[1] - before[1]
    return (after[0] - before[0]) / spent if spent else 0.0


def clock_of_all() -> tuple[int, int]:
    """Busy and all ticks of the machine so far; time stolen by its host counts as busy."""
    values = [int(value) for value in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(values) - values[3] - values[4], sum(values)


def described() -> dict[str, str]:
    """What this machine is, without its name or any path of it."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory_kb = Path("/proc/meminfo").read_text().split(None, 2)[1]
    return {
        "cpu": model or platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{int(memory_kb) / 1_000_000:.0f} GB",
        "kernel": platform.release().split("-")[0],
    }


def output_of(*command: str) -> str:
    """First line a program prints; "" when it is not here."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().split("\n", 1)[0]


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the name: state first, then the parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None

"""Keep a child process alive: start it, restart it when it dies, stop it in good order.

Each child has a thread of its own that starts it and waits for it. The parent-death signal of Linux is tied
to the *thread* that forked, so this thread lives exactly as long as the child is wanted: when the whole
process is killed, the kernel signals every child.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

LAUNCHER = Path(__file__).with_name("launch.py")
FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0
HEALTHY_AFTER_SECONDS = 10.0  # a child that lived this long is restarted without delay
FAILED_STARTS = 3  # exits before the first readiness that make a start hopeless
POLL_SECONDS = 0.02
LOG_LIMIT_BYTES = 16 * 1024 * 1024  # an older log beyond this is set aside at the next start
TAIL_BYTES = 4096


class ChildFailed(Exception):
    """A child could not be brought up. `str()` is one sentence; `tail` holds the end of its log."""

    def __init__(self, name: str, tail: str, log_path: Path) -> None:
        lines = [line for line in tail.splitlines() if line.strip()]
        reason = lines[-1].strip() if lines else "it said nothing"
        super().__init__(f"{name} does not start: {reason} (more in {log_path})")
        self.tail = tail


def _never(_tail: str) -> bool:
    return False


def _at_once(_pid: int) -> bool:
    return True


def _nothing() -> None:
    return None


def _ignore(_pid: int, _code: int) -> None:
    return None


@dataclass(frozen=True)
class Child:
    """What to run and how to treat it.

    `is_ready(pid)` tells whether it serves; `excused(tail)` whether a failed start is worth repeating without
    end; `before_start` clears the way on each start, `after_exit(pid, code)` cleans up after each end, and
    `on_death(pid, code)` hears of those nobody asked for; `stop` is a ladder of (signal, seconds to wait).
    """

    name: str
    command: Sequence[str]
    log_path: Path
    death_signal: signal.Signals = signal.SIGTERM
    stop: Sequence[tuple[signal.Signals, float]] = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 10.0))
    environment: Mapping[str, str] | None = None
    user: tuple[int, int] | None = None
    umask: int = 0o077
    pass_fds: Sequence[int] = ()
    to_terminal: bool = False
    is_ready: Callable[[int], bool] = _at_once
    excused: Callable[[str], bool] = _never
    before_start: Callable[[], None] = _nothing
    after_exit: Callable[[int, int], None] = _ignore
    on_death: Callable[[int, int], None] = _ignore


@dataclass
class _State:
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    restarts: int = 0
    was_ready: bool = False
    tail: str = ""
    log_offset: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Supervised:
    """One child under supervision. `start`, then `wait_ready`, finally `stop` (also twice, harmless)."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self._state = _State()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_alive, name=f"supervise-{child.name}", daemon=True)

    @property
    def pid(self) -> int | None:
        """Process id while the child runs."""
        process = self._state.process
        return process.pid if process is not None and process.returncode is None else None

    @property
    def restarts(self) -> int:
        """How often the child died unasked and was started again."""
        return self._state.restarts

    def start(self) -> None:
        self._thread.start()

    def is_ready(self) -> bool:
        """Whether the child runs and serves at this moment."""
        pid = self.pid
        ready = pid is not None and self.child.is_ready(pid)
        if ready:
            self._state.was_ready = True
        return ready

    def wait_ready(self) -> None:
        """Wait until the child serves, for as long as it lives (crash recovery takes what it takes).

        Raises ChildFailed when it ends again and again before it ever served.
        """
        while not self.is_ready():
            state = self._state
            if self._stopping.is_set() or not self._thread.is_alive():
                raise ChildFailed(self.child.name, "it was stopped", self.child.log_path)
            if state.failures >= FAILED_STARTS and not self.child.excused(state.tail):
                self.stop()
                raise ChildFailed(self.child.name, state.tail, self.child.log_path)
            time.sleep(POLL_SECONDS)

    def ask_to_stop(self) -> None:
        """Send the first stop signal without waiting (several children may then stop side by side)."""
        self._stopping.set()
        self._signal(self.child.stop[0][0])

    def stop(self) -> None:
        """Stop the child by its ladder of signals and wait until it is gone."""
        self._stopping.set()
        for number, seconds in self.child.stop:
            if not self._thread.is_alive():
                break
            self._signal(number)
            self._thread.join(seconds)

    def _signal(self, number: signal.Signals) -> None:
        with self._state.lock:
            process = self._state.process
            if process is not None and process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(number)

    def _keep_alive(self) -> None:
        delay = FIRST_DELAY_SECONDS
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                self.child.before_start()
                process = self._spawn()
            except Exception as error:  # whatever forbids the start is a failed start, told by wait_ready
                self._note_exit(str(error))
            else:
                if process is None:
                    return
                code = process.wait()
                self.child.after_exit(process.pid, code)
                if self._stopping.is_set():
                    return
                self.child.on_death(process.pid, code)
                self._note_exit(self._read_tail() or f"it ended with exit code {code}")
            if time.monotonic() - started > HEALTHY_AFTER_SECONDS:
                delay = FIRST_DELAY_SECONDS
            self._stopping.wait(delay)
            delay = min(delay * 2, LONGEST_DELAY_SECONDS)

    def _note_exit(self, tail: str) -> None:
        self._state.tail = tail
        if self._state.was_ready:
            self._state.restarts += 1
        else:
            self._state.failures += 1

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        child = self.child
        user = "-" if child.user is None else f"{child.user[0]}:{child.user[1]}"
        launch = [sys.executable, "-I", "-S", str(LAUNCHER), str(int(child.death_signal)), str(os.getpid())]
        command = [*launch, f"{child.umask:o}", user, *child.command]
        # A session of its own: Ctrl-C reaches the parent alone, which then stops its children in order.
        with self._state.lock:
            if self._stopping.is_set():
                return None
            with contextlib.ExitStack() as files:
                out = None if child.to_terminal else files.enter_context(self._open_log())
                self._state.process = subprocess.Popen(  # noqa: S603  # our own programs
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    env=dict(child.environment) if child.environment is not None else None,
                    pass_fds=tuple(child.pass_fds),
                    start_new_session=True,
                )
            return self._state.process

    @contextlib.contextmanager
    def _open_log(self) -> Iterator[IO[bytes]]:
        path = self.child.log_path
        if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(path.suffix + ".old"))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "ab", buffering=0) as log:
            self._state.log_offset = os.fstat(descriptor).st_size
            yield log

    def _read_tail(self) -> str:
        if self.child.to_terminal:
            return ""
        with contextlib.suppress(OSError), self.child.log_path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self._state.log_offset, size - TAIL_BYTES))
            return log.read().decode("utf-8", "replace")
        return ""

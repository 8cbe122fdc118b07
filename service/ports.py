"""Is a port free? Asked before anything is started, so that a taken one is a sentence and not a traceback."""

import errno
import socket
import time
from dataclasses import dataclass

PATIENCE_SECONDS = 5.0  # what processes of a killed run may need to let go of their ports


class PortTaken(Exception):
    """A port cannot be used. `str()` is one sentence that names the setting."""


@dataclass(frozen=True)
class PortWish:
    """A port somebody means to listen on, and the setting that moves it elsewhere."""

    host: str
    port: int
    setting: str


def require_free_port(wish: PortWish, *, patient: bool = False) -> None:
    """Raise PortTaken when somebody listens there, or when the port may not be used.

    The probe binds without SO_REUSEPORT, so that a listener which would share the port is found as well.
    `patient`: wait a little, for a run that was killed just now.
    """
    deadline = time.monotonic() + (PATIENCE_SECONDS if patient else 0.0)
    while (problem := _problem(wish.host, wish.port)) is not None:
        if time.monotonic() >= deadline:
            raise PortTaken(f"port {wish.port} on {wish.host} {problem}: set {wish.setting} to another one")
        time.sleep(0.1)


def _problem(host: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Like the server itself: connections of the last run that wait in TIME_WAIT do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "is taken by another program"
            return f"cannot be used ({(error.strerror or 'unknown').lower()})"
    return None

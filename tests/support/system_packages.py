"""`python -m tests.support.system_packages`: what the tests need from the system, installed when we are root.

Chromium for the browser journey, SoftHSM for keys in a hardware token, nginx for the TLS front; everything else comes
from the lock file. Says in a sentence what to install when it may not do so itself, and lets the rest of the suite run.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Need:
    """A Debian package, the programs by which it is recognised (any of them), and what needs it."""

    package: str
    programs: tuple[str, ...]
    what_for: str


BROWSERS = ("chromium", "chromium-browser")
NEEDS = (
    Need("chromium", BROWSERS, "the browser tests"),
    Need("softhsm2", ("softhsm2-util",), "the tests of keys in a hardware token"),
    Need("nginx-light", ("nginx", "/usr/sbin/nginx"), "the tests of the TLS front"),
)


def main() -> None:
    missing = [need for need in NEEDS if not any(shutil.which(name) for name in need.programs)]
    apt = shutil.which("apt-get")
    if not missing:
        return
    if os.geteuid() != 0 or apt is None:
        _tell(missing)
        return
    sys.stderr.write(f"Installing {', '.join(need.package for need in missing)} for the tests (first time only) ...\n")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    packages = [need.package for need in missing]
    for arguments in (["update", "-qq"], ["install", "-qq", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run([apt, *arguments], env=environment, check=False, stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            sys.stderr.write(f"`apt-get {arguments[0]}` failed.\n")
            _tell(missing)
            return


def _tell(missing: Sequence[Need]) -> None:
    for need in missing:
        sys.stderr.write(f"{need.what_for.capitalize()} need a program that is not here: install {need.package}.\n")


if __name__ == "__main__":
    main()

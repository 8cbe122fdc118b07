"""`python -m tests.support.system_packages`: what the tests need from the system, installed when we are root.

Chromium of Debian for the browser journey; everything else comes from the lock file. Says in a sentence what to
install when it may not do so itself, and lets the rest of the suite run.
"""

import os
import shutil
import subprocess
import sys

BROWSERS = ("chromium", "chromium-browser")
PACKAGE = "chromium"


def main() -> None:
    if any(shutil.which(name) for name in BROWSERS):
        return
    apt = shutil.which("apt-get")
    if os.geteuid() != 0 or apt is None:
        sys.stderr.write(f"The browser tests need Chromium, which is not here: install the package {PACKAGE}.\n")
        return
    sys.stderr.write("Installing Chromium for the browser tests (first time only) ...\n")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-qq", "--yes", "--no-install-recommends", PACKAGE]):
        done = subprocess.run([apt, *arguments], env=environment, check=False, stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            sys.stderr.write(f"`apt-get {arguments[0]}` failed: install the package {PACKAGE} by hand.\n")
            return


if __name__ == "__main__":
    main()

"""`python -m examples.portal SETTINGS.json`: runs the portal."""

import sys
from pathlib import Path

import uvicorn

from examples.portal.app import create_portal
from examples.portal.settings import read_settings


def main() -> int:
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m examples.portal SETTINGS.json\n")
        return 2
    try:
        settings = read_settings(Path(sys.argv[1]))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    uvicorn.run(create_portal(settings), host=settings.host, port=settings.port, log_level="warning", access_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())

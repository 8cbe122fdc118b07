"""A process that holds embedded servers until it is told to end, or is killed: run by the fault tests.

`python -m tests.support.embedded_holder DATA_DIR [ROOT_WAY]` prints one JSON line with the server pids and
addresses once both serve, then waits for its standard input to close.
"""

import json
import sys
from pathlib import Path

from service.embedded import EMBEDDED_ERRORS, EmbeddedOptions, embedded_servers
from service.unprivileged import RootWay

WAYS: dict[str, RootWay] = {"auto": "auto", "namespace": "namespace", "nobody": "nobody"}


def main() -> None:
    root_way = WAYS[sys.argv[2] if len(sys.argv) > 2 else "auto"]
    try:
        with embedded_servers(EmbeddedOptions(data_dir=Path(sys.argv[1]), root_way=root_way)) as embedded:
            told = {
                "postgres": embedded.postgres.supervised.pid,
                "redis": embedded.redis.supervised.pid,
                "after_crash": embedded.after_crash,
                **embedded.urls.by_name(),
            }
            print(json.dumps(told), flush=True)
            sys.stdin.read()
    except EMBEDDED_ERRORS as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()

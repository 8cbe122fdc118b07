"""Does a server of ours answer? One request over a plain connection, no proxy in between."""

import http.client
from urllib.parse import urlsplit

PROBE_SECONDS = 2.0


def answers(url: str) -> bool:
    """Whether a GET is answered at all, with any status below 500."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "localhost", parts.port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", parts.path or "/", headers={"User-Agent": "dinhdanh-up"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()

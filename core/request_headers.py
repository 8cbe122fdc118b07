"""Headers of a request straight from the ASGI scope, for hot routes: the framework's mapping walks the same list, with
an encoding, a copy and three calls for each name. Names are lower-case bytes, values latin-1 (ASGI's HTTP format)."""

from starlette.types import Scope


def header_of(scope: Scope, name: bytes) -> str | None:
    """The first value of a header; None when it did not come."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None


def headers_of(scope: Scope, name: bytes) -> list[str]:
    """Each value of a header that may come more than once."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]

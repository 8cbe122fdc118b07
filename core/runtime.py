"""The composed rooms, found by their type. Nothing lives at module level: tests build several side by side."""

from typing import Any, TypeVar

from starlette.requests import HTTPConnection

T = TypeVar("T")


class Parts:
    """A typed bag: one object per class, filled once by the composition root."""

    def __init__(self) -> None:
        self._parts: dict[type[Any], Any] = {}

    def add(self, kind: type[T], made: T) -> T:
        if kind in self._parts:
            raise ValueError(f"{kind.__name__} is there already")
        self._parts[kind] = made
        return made

    def get(self, kind: type[T]) -> T:
        try:
            found: T = self._parts[kind]
        except KeyError:
            raise LookupError(f"no {kind.__name__} was composed") from None
        return found


def part(request: HTTPConnection, kind: type[T]) -> T:
    """The composed object of a kind, e.g. `part(request, Settings)`."""
    parts: Parts = request.app.state.parts
    return parts.get(kind)

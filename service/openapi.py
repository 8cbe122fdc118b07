"""The OpenAPI document: what FastAPI describes by itself, and the plain routes that are described by hand."""

from collections.abc import Callable, Iterable
from typing import Any

from fastapi import FastAPI


def describe(app: FastAPI, parts: Iterable[Callable[[], dict[str, Any]]]) -> None:
    """Adds documents with `paths` and `components` to the application's own; made once, at the first request."""
    own = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = own()
            for part in parts:
                described = part()
                made.setdefault("paths", {}).update(described["paths"])
                for kind, entries in described["components"].items():
                    made.setdefault("components", {}).setdefault(kind, {}).update(entries)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]

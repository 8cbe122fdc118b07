"""The short way to plain routes: found by method and path in a dictionary, before the framework's own walk.

FastAPI's router tries one pattern after the other and wraps each call several times; measured here that was
more than the work of a token request itself. Only plain Starlette routes without path parameters go this way:
they take the request and give the response, so nothing of the framework is left out that they would use. All
of them stay registered in the router as well, which answers other methods and unknown paths.

`ShortWay` goes around the framework's own layers too: all that they do for a plain route, an answer to an
unknown failure and a limit of the body, the edge and the strict readers do as well.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from inspect import iscoroutinefunction

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import Refusal

Endpoint = Callable[[Request], Awaitable[Response]]
OnRefusal = Callable[[Request, Refusal], Response]


class HotRoutes:
    """An ASGI middleware; innermost, so that everything else holds for hot routes too."""

    def __init__(self, app: ASGIApp, endpoints: Mapping[tuple[str, str], Endpoint], on_refusal: OnRefusal) -> None:
        self._app = app
        self._endpoints = endpoints
        self._on_refusal = on_refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = None
        if scope["type"] == "http" and not scope.get("root_path"):
            endpoint = self._endpoints.get((scope["method"], scope["path"]))
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        scope["endpoint"] = endpoint
        request = Request(scope, receive, send)
        try:
            response = await endpoint(request)
        except Refusal as refusal:
            response = self._on_refusal(request, refusal)
        await response(scope, receive, send)


class ShortWay(FastAPI):
    """An application that hands its hot routes straight to the edge (`go_short`)."""

    _short: ASGIApp | None = None
    _hot: Mapping[tuple[str, str], Endpoint] = {}

    def go_short(
        self, endpoints: Mapping[tuple[str, str], Endpoint], on_refusal: OnRefusal, edge: Callable[[ASGIApp], ASGIApp]
    ) -> None:
        """From now on these endpoints are answered below `edge` alone."""
        self._hot = endpoints
        self._short = edge(HotRoutes(super().__call__, endpoints, on_refusal))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        short = self._short
        if (
            short is not None
            and scope["type"] == "http"
            and (scope["method"], scope["path"]) in self._hot
            and not scope.get("root_path")
        ):
            scope["app"] = self
            await short(scope, receive, send)
            return
        await super().__call__(scope, receive, send)


def hot_endpoints(routes: Iterable[BaseRoute]) -> dict[tuple[str, str], Endpoint]:
    """By method and path, the plain Starlette routes among them that have no path parameters."""
    return {
        (method, route.path): route.endpoint
        for route in routes
        if type(route) is Route and not route.param_convertors and iscoroutinefunction(route.endpoint)
        for method in route.methods or ()
    }

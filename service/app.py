"""The web application: one FastAPI app over the composed rooms."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

import core.web
from consent.api import lookup_openapi
from core.clock import Clock
from core.settings import Settings
from core.web import edge
from core.web.hot import ShortWay, hot_endpoints
from oidc.api import provider_openapi
from service import health, metrics
from service.compose import composed, routers
from service.openapi import describe

STATIC = Path(core.web.__file__).parent / "static"


def create_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """The application for one process; pools open when it starts and close when it stops.

    clock: handed in by tests; otherwise the machine's (in the sandbox with the shared offset).
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with composed(settings, clock=clock, login="web", asset_version=asset_version()) as parts:
            app.state.parts = parts
            app.state.observe_request = metrics.observe_request
            yield

    app = ShortWay(
        title="Định Danh",
        version=version("dinhdanh"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        # The redirect would be built from the Host header, which is whatever the caller wrote.
        redirect_slashes=False,
    )
    # Inside an edge of their own: headers, log line and metrics hold for the short way too.
    plain = hot_endpoints(route for router in routers() for route in router.routes)
    app.go_short(plain, edge.answer_refusal, edge.edged)
    edge.install(app)
    app.include_router(health.router)
    app.include_router(metrics.router)
    for router in routers():
        app.include_router(router)
    describe(app, [lookup_openapi, provider_openapi])
    app.mount("/static", _Static(directory=STATIC), name="static")
    return app


def asset_version() -> str:
    """Changes when an asset does, so that browsers may keep what they have."""
    digest = hashlib.sha256()
    for file in sorted(STATIC.iterdir()):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:10]


class _Static(StaticFiles):
    """Style sheet and mark: named with their version, so they may be kept for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

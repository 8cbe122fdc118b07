"""The edge: refusals become answers in this one place.

JSON APIs get RFC 9457 problem details, people get a page. An unknown failure is refused, logged by type and
place, and told by the request id: never by its message.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
import structlog
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp

from core.database import Database, SessionTx
from core.errors import BadInput, Refusal, SignInNeeded, TooMany, Unavailable
from core.runtime import part
from core.token import TokenRefused
from core.web.headers import EdgeMiddleware
from core.web.pages import Pages

log = structlog.get_logger(__name__)

API_PREFIXES = (
    "/api/",
    "/token",
    "/par",
    "/bc-authorize",
    "/device_authorization",
    "/userinfo",
    "/introspect",
    "/revoke",
    "/register",
    "/jwks",
    "/.well-known/",
    "/health",
)


async def _page_tx(request: Request) -> AsyncIterator[SessionTx]:
    async with part(request, Database).page() as tx:
        yield tx


PageTx = Annotated[SessionTx, Depends(_page_tx, scope="function")]
"""A route's transaction by the session door: committed before the answer leaves."""


def problem(status: int, code: str, detail: str, *, request: Request, extra: dict[str, Any] | None = None) -> Response:
    """An RFC 9457 problem document; `type` is a stable URN."""
    body = {
        **(extra or {}),
        "type": f"urn:dinhdanh:problem:{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "instance": f"urn:dinhdanh:request:{request.state.request_id}",
    }
    return Response(orjson.dumps(body), status, {"Cache-Control": "no-store"}, "application/problem+json")


def answer_refusal(request: Request, refusal: Refusal) -> Response:
    """The answer to a refusal: problem document, page, or the way to the sign-in page."""
    if refusal.private or refusal.status >= 500:
        log.warning("refused", code=refusal.code, detail=refusal.private, status=refusal.status)
    headers: dict[str, str] = {}
    if isinstance(refusal, TooMany | Unavailable):
        headers["Retry-After"] = str(refusal.retry_after)
    if isinstance(refusal, TokenRefused):
        headers["WWW-Authenticate"] = refusal.challenge
    response: Response
    if is_api(request):
        extra = dict(refusal.extra)
        if isinstance(refusal, BadInput) and refusal.fields:
            extra["errors"] = [{"pointer": f"#/{name}", "detail": why} for name, why in refusal.fields.items()]
        response = problem(refusal.status, refusal.code, refusal.public, request=request, extra=extra)
    elif isinstance(refusal, SignInNeeded):
        wanted = {"next": request.url.path, "aal": str(refusal.min_aal), "ial": str(refusal.min_ial)}
        return RedirectResponse(f"/signin?{urlencode(wanted)}", 303)
    else:
        response = error_page(request, refusal.status, refusal.code, refusal.public)
    response.headers.update(headers)
    return response


def error_page(request: Request, status: int, code: str, message: str) -> Response:
    """A page for people: what happened, what to do, the code and the request id for the help desk."""
    return part(request, Pages).render(
        request,
        "core/error.html",
        status=status,
        code=code,
        status_code=status,
        message=message,
        request_id=request.state.request_id,
    )


def is_api(request: Request) -> bool:
    return request.url.path.startswith(API_PREFIXES)


def install(app: FastAPI) -> None:
    """Registers the handlers and the edge's middleware on the application."""

    @app.exception_handler(Refusal)
    async def on_refusal(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, Refusal)  # noqa: S101  registered for this class
        return answer_refusal(request, refusal)

    @app.exception_handler(RequestValidationError)
    async def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        # Locations and messages only: the input itself is never echoed.
        faults = {"/".join(str(part_) for part_ in fault["loc"][1:]): fault["msg"] for fault in error.errors()}
        return answer_refusal(request, BadInput("invalid-input", "The request has entries to mend.", fields=faults))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        code = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "http-error")
        text = {
            404: "There is no such page.",
            405: "This address does not take this kind of request.",
        }.get(error.status_code, "The request cannot be answered.")
        response = answer_refusal(request, Refusal(code, text, status=error.status_code))
        response.headers.update(error.headers or {})
        return response

    app.add_middleware(EdgeMiddleware, on_failure=_unknown_failure, on_unreadable=_no_such_page)


def edged(app: ASGIApp) -> EdgeMiddleware:
    """The edge's middleware around something that the framework does not hold."""
    return EdgeMiddleware(app, on_failure=_unknown_failure, on_unreadable=_no_such_page)


def _no_such_page(request: Request) -> Response:
    return answer_refusal(request, Refusal("not-found", "There is no such page.", status=404))


def _unknown_failure(request: Request) -> Response:
    return answer_refusal(
        request, Refusal("internal-error", "Something went wrong on our side. Nothing was changed.", status=500)
    )

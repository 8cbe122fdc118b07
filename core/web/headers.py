"""Security headers of every answer, and the request's own walk: id, log line, browser cookie.

A pure ASGI middleware: it costs microseconds, and it sees the headers of every answer, errors too.
"""

import re
import secrets
from collections.abc import Callable, Iterable
from time import perf_counter

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.log import log_request, request_id
from core.runtime import Parts
from core.settings import Settings
from core.web.browser import cookie_name, set_cookie
from core.web.locale import COOKIE as LOCALE_COOKIE
from core.web.locale import choose_locale

log = structlog.get_logger("http")

RawHeaders = list[tuple[bytes, bytes]]

ONE_YEAR_SECONDS = 365 * 24 * 3600
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def content_security_policy(form_action: Iterable[str] = ()) -> str:
    """No script at all, our own style sheet and images, never in a frame.

    form_action: Chromium applies the rule to the redirects after a POST as well, so the verified origin of
    the portal that an interaction ends at has to be named.
    """
    targets = " ".join(["'self'", *form_action])
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "
        f"form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
    )


_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", content_security_policy().encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
"""Unless the answer brought its own."""
_ALWAYS_NAMES = frozenset(name for name, _ in _ALWAYS)
_STRICT_TRANSPORT = (b"strict-transport-security", f"max-age={ONE_YEAR_SECONDS}; includeSubDomains".encode())


class EdgeMiddleware:
    """Adds the headers, the request id and one log line per request; keeps the browser cookie."""

    def __init__(
        self, app: ASGIApp, on_failure: Callable[[Request], Response], on_unreadable: Callable[[Request], Response]
    ) -> None:
        self.app = app
        self.on_failure = on_failure
        self.on_unreadable = on_unreadable
        self._built_for: Parts | None = None
        self._settings: Settings
        self._standing: RawHeaders = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        ident = secrets.token_hex(8)
        token = request_id.set(ident)
        scope.setdefault("state", {})["request_id"] = ident
        status, started_answer = 500, False

        async def send_with_headers(message: Message) -> None:
            nonlocal status, started_answer
            if message["type"] == "http.response.start":
                status, started_answer = message["status"], True
                self._add_headers(scope, message, ident)
            await send(message)

        try:
            if _CONTROL.search(scope["path"]):
                # Nothing here has such a name, and a NUL would be an error of the database further in.
                await self.on_unreadable(Request(scope))(scope, receive, send_with_headers)
            else:
                await self.app(scope, receive, send_with_headers)
        except Exception as error:
            # Answered here and not outside: this answer needs the headers as well.
            log.error("unknown failure", exc_info=error)
            if not started_answer:
                await self.on_failure(Request(scope))(scope, receive, send_with_headers)
        finally:
            route = _route_of(scope)
            elapsed = perf_counter() - started
            observe = getattr(scope["app"].state, "observe_request", None) if "app" in scope else None
            if observe is not None:
                observe(scope["method"], route, status, elapsed)
            if status >= 500 or not route.startswith(("/health", "/metrics", "/static")):
                log_request(
                    ident,
                    method=scope["method"],
                    route=route,
                    status=status,
                    duration_ms=round(elapsed * 1000, 1),
                    client_id=scope["state"].get("client_id"),
                )
            request_id.reset(token)

    def _add_headers(self, scope: Scope, message: Message, ident: str) -> None:
        parts: Parts = scope["app"].state.parts
        if parts is not self._built_for:
            self._settings = parts.get(Settings)
            self._standing = [*_ALWAYS, _STRICT_TRANSPORT] if self._settings.https else [*_ALWAYS]
            self._built_for = parts
        given: RawHeaders = message.get("headers", [])
        standing = self._standing
        if not _ALWAYS_NAMES.isdisjoint([name for name, _ in given]):
            brought = {name for name, _ in given}
            standing = [header for header in standing if header[0] not in brought]
        message["headers"] = [*given, (b"x-request-id", ident.encode()), *standing]
        nonce: str | None = scope["state"].get("dpop_nonce")
        if nonce is not None:
            message["headers"].append((b"dpop-nonce", nonce.encode()))
        made: str | None = scope["state"].get("browser_id")
        if made is not None or b"lang=" in scope["query_string"]:
            _add_cookies(Request(scope), MutableHeaders(scope=message), self._settings, made)


def _route_of(scope: Scope) -> str:
    """The pattern that matched, for logs and metrics; plain Starlette routes name it only by having no parameters.

    Never a path as it was sent: it could hold a number, and a million made-up ones would be a million metrics.
    """
    pattern = getattr(scope.get("route"), "path", None)
    if pattern is None and "endpoint" in scope:
        # Below a mount (`root_path`), and with parameters, the rest of the path is the caller's own.
        pattern = scope.get("root_path") or ("parameters" if scope.get("path_params") else scope["path"])
    return pattern or "unmatched"


def _add_cookies(request: Request, headers: MutableHeaders, settings: Settings, made: str | None) -> None:
    cookies = Response()
    if made is not None and request.cookies.get(cookie_name(settings, "browser")) != made:
        set_cookie(cookies, settings, "browser", made)
    wanted = choose_locale(request.query_params.get("lang"))
    if wanted and request.cookies.get(LOCALE_COOKIE) != wanted:
        cookies.set_cookie(
            LOCALE_COOKIE, wanted, max_age=ONE_YEAR_SECONDS, path="/", samesite="lax", secure=settings.https
        )
    for name, value in cookies.raw_headers:
        if name == b"set-cookie":
            headers.append("set-cookie", value.decode("latin-1"))

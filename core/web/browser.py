"""The browser cookie and the CSRF token bound to it.

Every browser that gets a page gets a random cookie. It binds interactions to the browser that started them
and is the base of the CSRF token (HMAC over the cookie, so that a subdomain that can set cookies cannot
forge both).
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from core.runtime import part
from core.settings import Settings

_STATE = "browser_id"


@dataclass(frozen=True, slots=True)
class WebSecret:
    """The key of CSRF tokens; at least 32 random bytes."""

    key: bytes

    def __repr__(self) -> str:
        return "WebSecret(…)"


def cookie_name(settings: Settings, name: str) -> str:
    """`__Host-dd_<name>` under https (RFC 6265bis prefix), `dd_<name>` on the plain sandbox."""
    return f"__Host-dd_{name}" if settings.https else f"dd_{name}"


def set_cookie(response: Response, settings: Settings, name: str, value: str, *, max_age: int | None = None) -> None:
    """Host-only, HttpOnly, SameSite=Lax, path /, Secure under https."""
    response.set_cookie(
        cookie_name(settings, name),
        value,
        max_age=max_age,
        path="/",
        secure=settings.https,
        httponly=True,
        samesite="lax",
    )


def drop_cookie(response: Response, settings: Settings, name: str) -> None:
    response.delete_cookie(cookie_name(settings, name), path="/", secure=settings.https, httponly=True, samesite="lax")


def browser_id(request: Request) -> str:
    """This browser's random value: from its cookie, or fresh (the middleware then sets the cookie)."""
    known: str | None = getattr(request.state, _STATE, None)
    if known is None:
        sent = request.cookies.get(cookie_name(part(request, Settings), "browser"), "")
        known = sent if 40 <= len(sent) <= 64 and sent.isascii() else secrets.token_urlsafe(32)
        setattr(request.state, _STATE, known)
    return known


def browser_binding(request: Request) -> str:
    """What is stored of the browser cookie: its hash."""
    return hashlib.sha256(browser_id(request).encode()).hexdigest()


def csrf_token(request: Request) -> str:
    """The token for this browser's forms; 43 characters."""
    key = part(request, WebSecret).key
    return hmac.new(key, b"csrf\x00" + browser_id(request).encode(), hashlib.sha256).hexdigest()


def csrf_matches(request: Request, sent: str) -> bool:
    return hmac.compare_digest(csrf_token(request).encode(), sent.encode())

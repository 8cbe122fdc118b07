"""Calls by scripts of other origins (the Fetch standard's CORS protocol): who may read the answers.

Discovery and keys are open to all (oidc/published.py). The endpoints that hand out tokens and claims answer scripts
of the origins that clients without a secret registered their redirect addresses at, and no others; a client's own
answer goes to its own origins only. Never `*`, never with credentials: no cookie means anything here.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from core.request_headers import header_of
from core.runtime import part
from oidc.foundation import ProviderFoundation
from oidc.public_origins import PublicOrigins

Endpoint = Callable[[Request], Awaitable[Response]]

_ALLOWED_HEADERS = "Authorization, Content-Type, DPoP"
_EXPOSED_HEADERS = "DPoP-Nonce, WWW-Authenticate, X-Request-Id, Retry-After"
_PREFLIGHT_SECONDS = "600"
MAX_ORIGIN = 300


def for_browsers(*methods: str) -> Callable[[Endpoint], Endpoint]:
    """Lets scripts of registered origins read the answers of an endpoint. methods: what it takes beside OPTIONS."""

    def wrap(endpoint: Endpoint) -> Endpoint:
        async def answering(request: Request) -> Response:
            if request.method == "OPTIONS":
                return await _preflight(request, methods)
            response = await endpoint(request)
            # Whoever keeps an answer on the way must keep it by origin, also when this caller named none.
            response.raw_headers.append((b"vary", b"Origin"))
            origin = header_of(request.scope, b"origin")
            if origin is not None and await _may_read(request, origin):
                response.headers["Access-Control-Allow-Origin"] = origin
                response.headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
            return response

        return answering

    return wrap


async def _preflight(request: Request, methods: tuple[str, ...]) -> Response:
    """204, with permission for the origins that are registered; a preflight names no client."""
    headers = {"Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}
    origin = header_of(request.scope, b"origin")
    if origin is not None and origin in await _origins(request).all():
        headers |= {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": ", ".join(methods),
            "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
            "Access-Control-Max-Age": _PREFLIGHT_SECONDS,
        }
    return Response(status_code=204, headers=headers)


async def _may_read(request: Request, origin: str) -> bool:
    """The origins of the client that was proven, if one was; else those of any, so that errors can be read."""
    if len(origin) > MAX_ORIGIN:
        return False
    client_id = getattr(request.state, "client_id", None)
    registered = await _origins(request).all()
    return origin in registered and (client_id is None or client_id in registered[origin])


def _origins(request: Request) -> PublicOrigins:
    return part(request, ProviderFoundation).origins

"""The edge of the endpoints that programs call: reading strictly, answering in the OAuth way, in one place."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response

from core.errors import Refusal, TooMany, Unavailable
from core.token import TokenRefused
from core.web.answers import ReadyResponse
from core.web.forms import read_urlencoded
from oidc.client_log import note_answer
from oidc.errors import OAuthError, invalid_request

Endpoint = Callable[[Request], Awaitable[Response]]
log = structlog.get_logger(__name__)

# RFC 6749 §5.1: nothing that holds a token may be kept by anybody on the way.
_JSON = (
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
    (b"content-type", b"application/json"),
)


def json_response(body: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    more = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    brought = {name for name, _ in more}
    raw = [*(header for header in _JSON if header[0] not in brought), *more] if more else _JSON
    return ReadyResponse(orjson.dumps(body), status, raw)


def oauth_endpoint(endpoint: Endpoint) -> Endpoint:
    """Turns refusals of a back-channel endpoint into OAuth errors (RFC 6749 §5.2)."""

    async def answering(request: Request) -> Response:
        refused: Refusal | None = None
        try:
            response = await endpoint(request)
        except Refusal as refusal:
            refused, response = refusal, answer(refusal)
        note_answer(request, request.scope["path"].split("/", 2)[1], refused, status=response.status_code)
        return response

    return answering


def answer(refusal: Refusal) -> Response:
    """The JSON answer to a refusal."""
    if refusal.private or refusal.status >= 500:
        log.warning("refused", code=refusal.code, detail=refusal.private, status=refusal.status)
    if isinstance(refusal, OAuthError):
        return json_response(refusal.body(), status=refusal.status, headers=refusal.headers)
    if isinstance(refusal, TokenRefused):
        error = "invalid_token" if refusal.code == "token-missing" else refusal.code
        body = {"error": error, "error_description": refusal.public}
        return json_response(body, status=refusal.status, headers={"WWW-Authenticate": refusal.challenge})
    if isinstance(refusal, Unavailable):
        body = {"error": "temporarily_unavailable", "error_description": refusal.public}
        return json_response(body, status=503, headers={"Retry-After": str(refusal.retry_after)})
    if isinstance(refusal, TooMany):
        # RFC 9126 §2.3 names the status; no error of RFC 6749 says it better.
        body = {"error": "temporarily_unavailable", "error_description": refusal.public}
        return json_response(body, status=429, headers={"Retry-After": str(refusal.retry_after)})
    if refusal.status in {403, 404, 409, 422}:
        body = {"error": refusal.code.replace("-", "_"), "error_description": refusal.public}
        return json_response(body, status=refusal.status)
    # What the strict readers refuse: a repeated parameter, a wrong content type, too large a body.
    status = 413 if refusal.status == 413 else 400
    return json_response({"error": "invalid_request", "error_description": refusal.public}, status=status)


async def read_parameters(request: Request) -> dict[str, str]:
    """The body's parameters, each once; empty ones count as not sent (RFC 6749 §3.2).

    Raises OAuthError invalid_request, also when parameters stand in the URL: there they would be logged.
    """
    if request.scope["query_string"]:
        raise invalid_request("Send the parameters in the body, not in the URL.")
    form = await read_urlencoded(request)
    return {name: values[0] for name, values in form.items() if values[0]}


def required(parameters: Mapping[str, str], name: str) -> str:
    """A parameter that must be there. Raises OAuthError invalid_request."""
    if name not in parameters:
        raise invalid_request(f"The parameter {name} is missing.")
    return parameters[name]

"""What comes in at the registration endpoints: one JSON object with one meaning, and a bearer token."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request

from core.errors import Refusal
from core.token import TokenRefused
from core.web.forms import read_body
from oidc.errors import OAuthError

MAX_BODY = 64 * 1024
MAX_MEMBERS = 200
MAX_TOKEN = 200


def bearer_token(request: Request) -> str:
    """The token of the Authorization header, once (RFC 6750 §2.1). Raises TokenRefused."""
    headers = request.headers.getlist("authorization")
    scheme, _, token = headers[0].partition(" ") if headers else ("", "", "")
    if len(headers) < 2 and scheme.lower() != "bearer":
        # RFC 6750 §3.1: another scheme is no wrong token, but none.
        raise TokenRefused(None, "A token for registering clients is needed.")
    token = token.strip()
    if len(headers) > 1 or not 0 < len(token) <= MAX_TOKEN or not token.isascii():
        raise TokenRefused("invalid_request", "Send one bearer token in the Authorization header.")
    return token


async def read_metadata(request: Request) -> dict[str, Any]:
    """The members of the body; those that are null count as left out (RFC 7592 §2.2).

    Raises OAuthError invalid_client_metadata, Refusal 413 and 415.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal("wrong-content-type", "The request must be application/json.", status=415)
    body = await read_body(request, MAX_BODY)
    try:
        found = read_object(body)
    except ValueError:
        raise _not_an_object() from None
    if len(found) > MAX_MEMBERS:
        raise _not_an_object()
    return {name: value for name, value in found.items() if value is not None}


def read_object(written: str | bytes) -> dict[str, Any]:
    """One JSON object that has one meaning and that we can keep and write again. Raises ValueError."""
    try:
        orjson.loads(written)  # strict UTF-8, no NaN, no lone surrogate, bounded depth
        found = json.loads(written, object_pairs_hook=_each_once)
        orjson.dumps(found)  # no integer beyond 64 bits
    except (ValueError, TypeError, RecursionError):
        raise ValueError("not JSON that is taken here") from None
    # A database cannot keep a NUL, and no member has a use for it.
    if not isinstance(found, dict) or "\\u0000" in (written if isinstance(written, str) else written.decode()):
        raise ValueError("not an object that can be kept")
    return found


def text_member(metadata: Mapping[str, Any], name: str) -> str | None:
    """A member that must be a text if it is there. Raises OAuthError invalid_client_metadata."""
    value = metadata.get(name)
    if value is not None and not isinstance(value, str):
        raise OAuthError("invalid_client_metadata", f"{name} must be a text.")
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is named twice")
    return found


def _not_an_object() -> OAuthError:
    return OAuthError("invalid_client_metadata", "The body must be one JSON object, each member of it named once.")

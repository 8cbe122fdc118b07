"""Reading an authorization request strictly: each parameter once, only `resource` may repeat (RFC 8707 §2)."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request

from core.web.forms import parse_pairs, read_urlencoded
from oidc.errors import invalid_request
from oidc.resources import joined

_MULTI = frozenset({"resource"})


def query_parameters(request: Request) -> dict[str, str]:
    """Those of the address. Raises Refusal 400 for what is repeated, too long or unreadable."""
    return _once(parse_pairs(request.scope["query_string"].decode("latin-1"), multi=_MULTI))


async def form_parameters(request: Request) -> dict[str, str]:
    """Those of a body. Raises Refusal as `query_parameters`, and 415 for another content type."""
    return _once(await read_urlencoded(request, multi=_MULTI))


async def pushed_parameters(request: Request) -> dict[str, str]:
    """Those of a body, where the address has none: there they would be logged. Raises OAuthError, Refusal."""
    if request.scope["query_string"]:
        raise invalid_request("Send the parameters in the body, not in the URL.")
    return await form_parameters(request)


def _once(found: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Empty parameters count as not sent (RFC 6749 §3.1)."""
    texts = {name: joined(values) if name in _MULTI else values[0] for name, values in found.items()}
    return {name: text for name, text in texts.items() if text}

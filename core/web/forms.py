"""Strict reading of what browsers and clients send.

A repeated parameter, one that is too long, a NUL, a wrong content type or too large a body is refused, not
repaired: two readers of one message must never see two different things. A parameter without "=" and nothing
between two "&" are no fault: RFC 6749 (§3.1, §3.2) has the one count as omitted, and the other says nothing.
"""

from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from starlette.requests import Request

from core.errors import BadInput, NotAllowed, Refusal
from core.request_headers import header_of
from core.web.browser import csrf_matches

MAX_FORM_BYTES = 64 * 1024
MAX_PARAMETERS = 100
MAX_NAME = 100
MAX_QUERY_VALUE = 8 * 1024


def _bad(code: str, public: str, status: int = 400) -> Refusal:
    return Refusal(code, public, status=status)


async def read_body(request: Request, limit: int) -> bytes:
    """The body, at most `limit` bytes. Raises Refusal 413."""
    declared = header_of(request.scope, b"content-length")
    if declared is not None and (not declared.isdigit() or int(declared) > limit):
        raise _bad("body-too-large", "The request is too large.", 413)
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _bad("body-too-large", "The request is too large.", 413)
        parts.append(chunk)
    return b"".join(parts)


def parse_pairs(
    raw: str, *, multi: frozenset[str] = frozenset(), max_value: int = MAX_QUERY_VALUE
) -> dict[str, list[str]]:
    """Parses `application/x-www-form-urlencoded`; `name` is `name=`, an empty part is skipped but counted.

    Raises Refusal 400 on a repeated or over-long parameter, on too many, and on what cannot be decoded.
    """
    fields = raw.split("&") if raw else ()
    if len(fields) > MAX_PARAMETERS:
        raise _unreadable()
    found: dict[str, list[str]] = {}
    for field in fields:
        # As `urllib.parse.parse_qsl` reads with blank values kept, which takes each name and value through four
        # functions although most hold nothing to decode.
        name, equals, value = field.partition("=")
        if not equals and not name:
            continue
        if "%" in field or "+" in field:
            name, value = _decoded(name), _decoded(value)
        if len(name) > MAX_NAME or len(value) > max_value:
            raise _bad("parameter-too-long", "A parameter of the request is too long.")
        if "\x00" in name or "\x00" in value:
            raise _unreadable()
        if name not in found:
            found[name] = [value]
        elif name in multi:
            found[name].append(value)
        else:
            raise _bad("repeated-parameter", "A parameter of the request is repeated.")
    return found


def _decoded(text: str) -> str:
    text = text.replace("+", " ")
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise _unreadable() from None


def _unreadable() -> Refusal:
    return _bad("malformed-parameters", "The request's parameters cannot be read.")


def strict_query(request: Request) -> dict[str, str]:
    """The query parameters, each at most once."""
    if not request.scope["query_string"]:
        return {}
    raw = request.scope["query_string"].decode("latin-1")
    return {name: values[0] for name, values in parse_pairs(raw).items()}


def is_urlencoded(request: Request) -> bool:
    """Whether the body is said to be a form."""
    kind = (header_of(request.scope, b"content-type") or "").partition(";")[0].strip().lower()
    return kind == "application/x-www-form-urlencoded"


async def read_urlencoded(request: Request, *, multi: frozenset[str] = frozenset()) -> dict[str, list[str]]:
    """A form body without CSRF check: for the provider's back-channel endpoints only."""
    if not is_urlencoded(request):
        raise _bad("wrong-content-type", "The request must be application/x-www-form-urlencoded.", 415)
    body = await read_body(request, MAX_FORM_BYTES)
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError:
        raise _unreadable() from None
    return parse_pairs(text, multi=multi, max_value=MAX_FORM_BYTES)


async def read_form_multi(
    request: Request, fields: Mapping[str, int], *, multi: frozenset[str] = frozenset()
) -> dict[str, list[str]]:
    """A page's form: known fields only, each at most its length in characters, CSRF checked.

    Raises NotAllowed `csrf` (403), BadInput naming an over-long field. Unknown fields are ignored.
    """
    found = await read_urlencoded(request, multi=multi)
    if not csrf_matches(request, found.get("csrf", [""])[0]):
        raise NotAllowed("csrf", "This form has expired. Please open the page again and send it once more.")
    for name, limit in fields.items():
        if any(len(value) > limit for value in found.get(name, ())):
            raise BadInput("too-long", "An entry is too long.", fields={name: "This entry is too long."})
    return {name: found.get(name, []) for name in fields}


async def read_form(request: Request, fields: Mapping[str, int]) -> dict[str, str]:
    """As `read_form_multi` for fields that occur once; a missing field is ""."""
    found = await read_form_multi(request, fields)
    return {name: (values[0] if values else "") for name, values in found.items()}

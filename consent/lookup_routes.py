"""POST /api/lookup/v1/matches and /api/lookup/v1/records: hot, so plain Starlette routes on the raw door.

Authentication: an access token for the audience of the lookup API, with the scope `lookup` or given by a person, by
DPoP or over mutual TLS, whichever key it is bound to. Described in the OpenAPI document by hand (lookup_openapi.py).
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from consent.answer import ANSWER_MEDIA_TYPE
from consent.lookup import SCOPE, LookupApi, is_of_person
from consent.lookup_schemas import MAX_BODY_BYTES, BodyReader, LookupIn, MatchesIn, RecordsIn
from core.errors import Refusal
from core.request_headers import header_of
from core.runtime import part
from core.token import AccessToken, TokenRefused
from core.web.forms import read_body, strict_query

MATCHES_PATH = "/api/lookup/v1/matches"
RECORDS_PATH = "/api/lookup/v1/records"

_MATCHES = BodyReader(MatchesIn)
_RECORDS = BodyReader(RecordsIn)


async def matches(request: Request) -> Response:
    """Per field: match, no match, not held."""
    return await _answer(request, _MATCHES)


async def records(request: Request) -> Response:
    """The fields themselves, with source and as-of date."""
    return await _answer(request, _RECORDS)


async def _answer(request: Request, reader: BodyReader[MatchesIn] | BodyReader[RecordsIn]) -> Response:
    api = part(request, LookupApi)
    token = await _token(request, api)
    request.state.client_id = token.client_id
    body = await _body(request)
    asked: LookupIn = reader.read(body)
    signed = await api.answer(token, asked, body)
    return Response(signed, media_type=ANSWER_MEDIA_TYPE, headers={"Cache-Control": "no-store"})


async def _token(request: Request, api: LookupApi) -> AccessToken:
    token = await api.tokens.verify(request, audience=api.audience, schemes=api.schemes)
    if SCOPE not in token.scopes and not is_of_person(token):
        raise TokenRefused(
            "insufficient_scope", f"The access token lacks the scope {SCOPE}.", scheme=token.scheme, status=403
        )
    if not token.bound:
        raise TokenRefused("invalid_token", "Lookups need an access token that is bound to a key.", scheme="DPoP")
    return token


async def _body(request: Request) -> bytes:
    if strict_query(request):
        raise Refusal("malformed-parameters", "This address takes no query parameters.", status=400)
    kind, _, parameters = (header_of(request.scope, b"content-type") or "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if kind.strip().lower() != "application/json" or charset not in {"", "charset=utf-8"}:
        raise Refusal("wrong-content-type", "The request must be application/json in UTF-8.", status=415)
    if header_of(request.scope, b"content-encoding"):
        raise Refusal("wrong-content-type", "The request must not be compressed.", status=415)
    return await read_body(request, MAX_BODY_BYTES)


router = APIRouter()
router.add_route(MATCHES_PATH, matches, methods=["POST"], include_in_schema=False)
router.add_route(RECORDS_PATH, records, methods=["POST"], include_in_schema=False)

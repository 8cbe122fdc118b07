"""GET /.well-known/openid-configuration, its RFC 8414 name, and /jwks: open to every origin, cacheable."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from oidc.signing_keys import KEY_SET_SECONDS, SigningKeys

# Browser apps fetch these; there is no credential and nothing secret in them.
_OPEN = {"Access-Control-Allow-Origin": "*", "Cache-Control": f"public, max-age={KEY_SET_SECONDS}"}


class Published:
    """What anybody may read of the provider."""

    def __init__(self, document: dict[str, Any], keys: SigningKeys) -> None:
        self._document = orjson.dumps(document)
        self._keys = keys

    async def metadata(self, _: Request) -> Response:
        return Response(self._document, 200, _OPEN, "application/json")

    async def jwks(self, _: Request) -> Response:
        return Response(orjson.dumps(self._keys.jwks()), 200, _OPEN, "application/jwk-set+json")

"""`x-fapi-interaction-id`: the name that a client gave to an exchange with a protected resource, handed back.

FAPI-CIBA §5.2.2 rests on FAPI 1.0 Baseline, whose §6.2.1 (11) wants it in every answer: the value that came, or a UUID
of ours. What is not a UUID is not handed back. No log of ours has it: `X-Request-Id` is our own name for a request.
"""

import re
import uuid

from starlette.requests import Request
from starlette.responses import Response

from core.request_headers import header_of
from oidc.edge import Endpoint

HEADER = "x-fapi-interaction-id"
_NAME = HEADER.encode()
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def with_interaction_id(endpoint: Endpoint) -> Endpoint:
    """Every answer of this endpoint bears the header, refusals too."""

    async def answering(request: Request) -> Response:
        response = await endpoint(request)
        response.raw_headers.append((_NAME, interaction_id(header_of(request.scope, _NAME)).encode()))
        return response

    return answering


def interaction_id(came: str | None) -> str:
    """What is handed back; pure but for the random one."""
    return came if came is not None and _UUID.fullmatch(came) else str(uuid.uuid4())

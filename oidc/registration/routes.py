"""The addresses of registration. Who may call: holders of an initial, or of a registration access token."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from core.runtime import part
from oidc.edge import oauth_endpoint
from oidc.registration.answering import PATH
from oidc.registration.room import Registration


@oauth_endpoint
async def register(request: Request) -> Response:
    return await part(request, Registration).registration.answer(request)


@oauth_endpoint
async def manage(request: Request) -> Response:
    management = part(request, Registration).management
    match request.method:
        case "PUT":
            return await management.change(request)
        case "DELETE":
            return await management.delete(request)
        case _:
            return await management.read(request)


router = APIRouter()
router.add_route(PATH, register, methods=["POST"], include_in_schema=False)
router.add_route(f"{PATH}/{{client_id}}", manage, methods=["GET", "PUT", "DELETE"], include_in_schema=False)

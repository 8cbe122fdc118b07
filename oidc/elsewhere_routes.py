"""The addresses of what is asked elsewhere: CIBA and device authorization, and the pages on which a person answers.

Who may call: /bc-authorize and /device_authorization authenticate the client; /me/requests is the person's own;
/device is open, its further pages and /ciba/resume belong to the browser that is in the middle of them.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from core.runtime import part
from oidc.edge import oauth_endpoint
from oidc.provider import OpenIdProvider


@oauth_endpoint
async def bc_authorize(request: Request) -> Response:
    return await part(request, OpenIdProvider).elsewhere.ciba.answer(request)


async def own_requests(request: Request) -> Response:
    return await part(request, OpenIdProvider).elsewhere.ciba_pages.listed(request)


async def own_request(request: Request) -> Response:
    pages = part(request, OpenIdProvider).elsewhere.ciba_pages
    return await (pages.answered(request) if request.method == "POST" else pages.shown(request))


async def ciba_resume(request: Request) -> Response:
    return await part(request, OpenIdProvider).elsewhere.ciba_pages.resume(request)


@oauth_endpoint
async def device_authorization(request: Request) -> Response:
    return await part(request, OpenIdProvider).elsewhere.device.answer(request)


async def device(request: Request) -> Response:
    pages = part(request, OpenIdProvider).elsewhere.device_pages
    return await (pages.entered(request) if request.method == "POST" else pages.entry(request))


async def device_confirm(request: Request) -> Response:
    pages = part(request, OpenIdProvider).elsewhere.device_pages
    return await (pages.confirmed(request) if request.method == "POST" else pages.confirm(request))


async def device_resume(request: Request) -> Response:
    return await part(request, OpenIdProvider).elsewhere.device_pages.resume(request)


async def device_allowed(request: Request) -> Response:
    return await part(request, OpenIdProvider).elsewhere.device_pages.allowed(request)


router = APIRouter()
for _path, _endpoint, _methods in (
    ("/bc-authorize", bc_authorize, ["POST"]),
    ("/me/requests", own_requests, ["GET"]),
    ("/me/requests/{reference}", own_request, ["GET", "POST"]),
    ("/ciba/resume", ciba_resume, ["GET"]),
    ("/device_authorization", device_authorization, ["POST"]),
    ("/device", device, ["GET", "POST"]),
    ("/device/confirm", device_confirm, ["GET", "POST"]),
    ("/device/resume", device_resume, ["GET"]),
    ("/device/allowed", device_allowed, ["GET"]),
):
    router.add_route(_path, _endpoint, methods=_methods, include_in_schema=False)

"""The addresses of the provider. Hot ones are plain Starlette routes; which method goes where stands here.

Who may call: discovery and keys are open; /token, /par, /introspect and /revoke authenticate the client;
/userinfo takes an access token; /authorize and /logout are for browsers and lead to pages.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from core.runtime import part
from oidc.cors import for_browsers
from oidc.edge import oauth_endpoint
from oidc.interaction_id import with_interaction_id
from oidc.provider import OpenIdProvider


async def metadata(request: Request) -> Response:
    return await part(request, OpenIdProvider).published.metadata(request)


async def jwks(request: Request) -> Response:
    return await part(request, OpenIdProvider).published.jwks(request)


@for_browsers("POST")
@oauth_endpoint
async def par(request: Request) -> Response:
    return await part(request, OpenIdProvider).par.answer(request)


@for_browsers("POST")
@oauth_endpoint
async def token(request: Request) -> Response:
    return await part(request, OpenIdProvider).token.answer(request)


@for_browsers("GET", "POST")
@with_interaction_id
@oauth_endpoint
async def userinfo(request: Request) -> Response:
    return await part(request, OpenIdProvider).userinfo.answer(request)


@oauth_endpoint
async def introspect(request: Request) -> Response:
    return await part(request, OpenIdProvider).introspection.answer(request)


@for_browsers("POST")
@oauth_endpoint
async def revoke(request: Request) -> Response:
    return await part(request, OpenIdProvider).revocation.answer(request)


async def authorize(request: Request) -> Response:
    endpoint = part(request, OpenIdProvider).authorize
    return await (endpoint.post(request) if request.method == "POST" else endpoint.get(request))


async def authorize_resume(request: Request) -> Response:
    return await part(request, OpenIdProvider).authorize.resume(request)


async def logout(request: Request) -> Response:
    endpoint = part(request, OpenIdProvider).logout
    return await (endpoint.post(request) if request.method == "POST" else endpoint.get(request))


async def logout_confirm(request: Request) -> Response:
    return await part(request, OpenIdProvider).logout.confirm(request)


async def logout_done(request: Request) -> Response:
    return await part(request, OpenIdProvider).signed_out.get(request)


async def services(request: Request) -> Response:
    return await part(request, OpenIdProvider).services.get(request)


router = APIRouter()
for _path, _endpoint, _methods in (
    ("/.well-known/openid-configuration", metadata, ["GET"]),
    ("/.well-known/oauth-authorization-server", metadata, ["GET"]),
    ("/jwks", jwks, ["GET"]),
    ("/par", par, ["POST", "OPTIONS"]),
    ("/authorize", authorize, ["GET", "POST"]),
    ("/authorize/resume", authorize_resume, ["GET"]),
    ("/token", token, ["POST", "OPTIONS"]),
    ("/userinfo", userinfo, ["GET", "POST", "OPTIONS"]),
    ("/introspect", introspect, ["POST"]),
    ("/revoke", revoke, ["POST", "OPTIONS"]),
    ("/logout", logout, ["GET", "POST"]),
    ("/logout/confirm", logout_confirm, ["POST"]),
    ("/logout/done", logout_done, ["GET"]),
    ("/me/services", services, ["GET"]),
):
    router.add_route(_path, _endpoint, methods=_methods, include_in_schema=False)

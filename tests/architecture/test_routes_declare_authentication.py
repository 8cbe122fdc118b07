"""Every route says here who may call it, and an anonymous caller gets exactly that. A new route must be added.

open          anybody
person        a signed-in person: pages lead to the sign-in, and nothing is shown before
interaction   a browser in the middle of a walk: without one the page has expired
client        a client that authenticates itself: 401 invalid_client
token         an access token: 401 with a challenge
own-answer    anybody, but the answer to nonsense is an error page (the front of the protocol)
"""

from collections.abc import Iterator

import pytest
from starlette.routing import Route

from service import health, metrics
from service.compose import routers
from tests.support.furnished import Furnished

WHO = {
    "GET /": "open",
    "GET /help": "open",
    "GET /privacy": "open",
    "GET /health/live": "open",
    "GET /health/ready": "open",
    "GET /metrics": "open",
    "GET /.well-known/oauth-authorization-server": "open",
    "GET /.well-known/openid-configuration": "open",
    "GET /jwks": "open",
    "GET /signin": "open",
    "GET /signedout": "open",
    "GET /signout": "open",
    "GET /logout": "open",
    "GET /logout/done": "open",
    "GET /authorize": "own-answer",
    "POST /authorize": "own-answer",
    "GET /authorize/resume": "interaction",
    "GET /consent": "interaction",
    "POST /consent": "interaction",
    "GET /signin/code": "interaction",
    "POST /signin": "interaction",
    "POST /signin/code": "interaction",
    "POST /signin/leave": "interaction",
    "POST /signin/unlock": "interaction",
    "POST /logout": "own-answer",
    "POST /logout/confirm": "interaction",
    "POST /signout": "interaction",
    "POST /par": "client",
    "POST /token": "client",
    "POST /introspect": "client",
    "POST /revoke": "client",
    "POST /register": "token",
    "GET /register/{client_id}": "token",
    "PUT /register/{client_id}": "token",
    "DELETE /register/{client_id}": "token",
    "GET /userinfo": "token",
    "POST /userinfo": "token",
    "POST /api/lookup/v1/matches": "token",
    "POST /api/lookup/v1/records": "token",
    "POST /bc-authorize": "client",
    "GET /me/requests": "person",
    "GET /me/requests/{reference}": "person",
    "POST /me/requests/{reference}": "person",
    "GET /ciba/resume": "interaction",
    "POST /device_authorization": "client",
    "GET /device": "open",
    "POST /device": "interaction",
    "GET /device/confirm": "interaction",
    "POST /device/confirm": "interaction",
    "GET /device/resume": "interaction",
    "GET /device/allowed": "open",
    "GET /me": "person",
    "GET /me/consents": "person",
    "GET /me/consents/{reference}/withdraw": "person",
    "POST /me/consents/{reference}/withdraw": "person",
    "GET /me/history": "person",
    "GET /me/lock": "person",
    "POST /me/lock": "person",
    "GET /me/profile": "person",
    "POST /me/profile": "person",
    "GET /me/receipts/{reference}": "person",
    "GET /me/receipts/{reference}/file": "person",
    "GET /me/services": "person",
    "GET /me/signins": "person",
    "POST /me/signins": "person",
    "GET /official": "person",
    "GET /official/appointment": "person",
    "GET /official/clients": "person",
    "GET /official/clients/new": "person",
    "POST /official/clients/new": "person",
    "GET /official/clients/tokens": "person",
    "POST /official/clients/tokens": "person",
    "POST /official/clients/tokens/revoke": "person",
    "GET /official/clients/reviews/{review_id}": "person",
    "POST /official/clients/reviews/{review_id}": "person",
    "GET /official/clients/{client_id}": "person",
    "GET /official/clients/{client_id}/change": "person",
    "POST /official/clients/{client_id}/change": "person",
    "GET /official/clients/{client_id}/secret": "person",
    "POST /official/clients/{client_id}/secret": "person",
    "GET /official/clients/{client_id}/suspend": "person",
    "POST /official/clients/{client_id}/suspend": "person",
    "GET /official/clients/{client_id}/registration": "person",
    "POST /official/clients/{client_id}/registration": "person",
    "GET /official/clients/{client_id}/reinstate": "person",
    "POST /official/clients/{client_id}/reinstate": "person",
    "GET /sandbox/clients": "open",
    "GET /sandbox/clients/{client_id}/requests": "open",
    "POST /official/appointment": "person",
    "GET /official/check": "person",
    "POST /official/check": "person",
    "POST /official/check/fields": "person",
}


def _routes() -> Iterator[str]:
    for router in [*routers(), health.router, metrics.router]:
        for route in router.routes:
            assert isinstance(route, Route)
            for method in (route.methods or set()) - {"HEAD", "OPTIONS"}:
                yield f"{method} {route.path}"


def test_every_route_is_declared() -> None:
    assert sorted(_routes()) == sorted(WHO)


@pytest.mark.parametrize("route", sorted(WHO))
async def test_an_anonymous_caller_gets_what_is_declared(furnished: Furnished, route: str) -> None:
    method, path = route.split(" ")
    path = path.replace("{reference}", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").replace("{client_id}", "portal-enrolment")
    headers = {"Content-Type": "application/json" if path.startswith("/api/") else "application/x-www-form-urlencoded"}
    async with furnished.http() as http:
        answer = await http.request(method, path, content=b"" if method == "POST" else None, headers=headers)
    assert answer.status_code < 500
    assert furnished.persona("An").name not in answer.text
    match WHO[route]:
        case "open":
            leads_to_its_own_walk = answer.status_code == 303 and answer.headers["location"].startswith("/signin?i=")
            assert answer.status_code == 200 or (route == "GET /signin" and leads_to_its_own_walk)
        case "person":
            to_sign_in = answer.status_code == 303 and answer.headers["location"].startswith("/signin?")
            assert to_sign_in or (method == "POST" and answer.status_code == 403)
        case "interaction":
            assert answer.status_code in {400, 403}
        case "own-answer":
            assert answer.status_code in {200, 303, 400}
            assert "location" not in answer.headers or answer.headers["location"].startswith("/")
        case "client":
            assert answer.status_code in {400, 401}
            assert answer.json()["error"] in {"invalid_client", "invalid_request"}
        case "token":
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].split(" ")[0] in {"Bearer", "DPoP"}

"""The short way to plain routes: what goes by it, and that a refusal is answered as elsewhere."""

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core.errors import Refusal
from core.web.hot import HotRoutes, hot_endpoints


async def plain(request: Request) -> Response:
    if request.query_params.get("refuse"):
        raise Refusal("no", "Not this time.", status=418)
    return PlainTextResponse(f"plain {request.scope['endpoint'].__name__}")


async def with_parameter(request: Request) -> Response:
    return PlainTextResponse(request.path_params["name"])


def refused(request: Request, refusal: Refusal) -> Response:
    return PlainTextResponse(f"{request.url.path}: {refusal.code}", refusal.status)


@pytest.fixture
def router() -> APIRouter:
    router = APIRouter()
    router.add_route("/plain", plain, methods=["POST"])
    router.add_route("/page", plain, methods=["GET"])
    router.add_route("/named/{name}", with_parameter, methods=["GET"])

    @router.get("/declared")
    async def declared(wanted: int) -> int:
        return wanted

    return router


@pytest.fixture
def http(router: APIRouter) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(router)
    app.add_middleware(HotRoutes, endpoints=hot_endpoints(router.routes), on_refusal=refused)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


def test_only_plain_routes_without_parameters_go_by_it(router: APIRouter) -> None:
    assert set(hot_endpoints(router.routes)) == {("POST", "/plain"), ("GET", "/page"), ("HEAD", "/page")}


async def test_a_plain_route_answers(http: httpx.AsyncClient) -> None:
    assert (await http.post("/plain")).text == "plain plain"


async def test_a_refusal_is_answered(http: httpx.AsyncClient) -> None:
    answer = await http.post("/plain?refuse=1")
    assert (answer.status_code, answer.text) == (418, "/plain: no")


async def test_everything_else_goes_the_long_way(http: httpx.AsyncClient) -> None:
    assert (await http.get("/plain")).status_code == 405
    assert (await http.get("/plain/")).status_code in {307, 404}
    assert (await http.get("/named/somebody")).text == "somebody"
    assert (await http.get("/declared?wanted=three")).status_code == 422
    assert (await http.get("/nowhere")).status_code == 404

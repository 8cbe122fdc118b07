"""Strict parsing, CSRF, cookies, proxies, languages, headers: on a small application of the shell alone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

import core.web
from core.cache import Cache
from core.clock import FixedClock
from core.errors import BadInput, NotAllowed, SignInNeeded, TooMany
from core.interaction import TTL_SECONDS, Interactions
from core.runtime import Parts, part
from core.settings import Settings, load_settings
from core.web import edge
from core.web.browser import WebSecret, csrf_token
from core.web.client_address import client_address
from core.web.forms import read_form, strict_query
from core.web.pages import Pages, PageSource


def application(settings: Settings, cache: Cache | None = None, clock: FixedClock | None = None) -> FastAPI:
    app = FastAPI()
    parts = Parts()
    parts.add(Settings, settings)
    parts.add(WebSecret, WebSecret(b"k" * 32))
    parts.add(Pages, Pages([PageSource("core", Path(core.web.__file__).parent)], sandbox=True, asset_version="1"))
    if cache is not None and clock is not None:
        parts.add(Interactions, Interactions(cache, clock))
    app.state.parts = parts
    edge.install(app)

    @app.get("/token-page")
    async def token_page(request: Request) -> Response:
        return PlainTextResponse(csrf_token(request))

    @app.post("/form")
    async def form(request: Request) -> Response:
        return PlainTextResponse(str(sorted((await read_form(request, {"name": 5})).items())))

    @app.get("/query")
    async def query(request: Request) -> Response:
        return PlainTextResponse(str(sorted(strict_query(request).items())))

    @app.get("/address")
    async def address(request: Request) -> Response:
        return PlainTextResponse(client_address(request))

    @app.get("/boom")
    async def boom() -> Response:
        raise RuntimeError("Canary Name")

    @app.get("/api/refuse/{kind}")
    async def api_refuse(kind: str) -> Response:
        raise {
            "bad": BadInput("bad-input", "Mend it.", fields={"name": "Too short."}),
            "many": TooMany("slow-down", "Wait.", retry_after=7),
            "not": NotAllowed("not-yours", "No."),
        }[kind]

    @app.get("/private")
    async def private() -> Response:
        raise SignInNeeded(min_aal=2)

    @app.get("/start")
    async def start(request: Request) -> Response:
        made = await part(request, Interactions).start(request, resume="/done")
        return RedirectResponse(made.url("/next"))

    @app.get("/next")
    async def after(request: Request) -> Response:
        found = await part(request, Interactions).load(request, request.query_params.get("i"))
        return PlainTextResponse(found.resume_url)

    return app


def client_of(app: FastAPI, base: str = "http://test", peer: str = "192.0.2.9") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(peer, 4711))
    return httpx.AsyncClient(transport=transport, base_url=base)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(application(load_settings())) as client:
        yield client


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def test_a_form_needs_the_token_of_its_own_browser(http: httpx.AsyncClient) -> None:
    token = (await http.get("/token-page")).text
    assert (await http.post("/form", data={"csrf": token, "name": "abc"})).text == "[('name', 'abc')]"
    assert (await http.post("/form", data={"name": "abc"})).status_code == 403
    assert (await http.post("/form", data={"csrf": "0" * 64, "name": "abc"})).status_code == 403
    http.cookies.clear()
    assert (await http.post("/form", data={"csrf": token, "name": "abc"})).status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("name=a&name=b", 400),
        ("name=a&name", 400),
        ("name=a" + "&" * 200, 400),
        ("name=a%00b", 400),
        ("name=%FF%FE", 400),
        ("&".join(f"p{n}=1" for n in range(200)), 400),
        ("name=" + "a" * 70_000, 413),
        ("name=abcdef", 422),
    ],
)
async def test_what_is_ambiguous_or_too_much_is_refused(http: httpx.AsyncClient, body: str, status: int) -> None:
    token = (await http.get("/token-page")).text
    answer = await http.post("/form", content=f"csrf={token}&{body}", headers=FORM)
    assert answer.status_code == status


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
async def test_another_content_type_is_refused(http: httpx.AsyncClient, kind: str) -> None:
    answer = await http.post("/form", content="name=a", headers={"Content-Type": kind})
    assert answer.status_code == 415


async def test_a_body_without_a_length_is_cut_off(http: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 4096

    assert (await http.post("/form", content=endless(), headers=FORM)).status_code == 413


@pytest.mark.parametrize("query", ["a=1&a=2", "a=%00", "a=%FF", "a=" + "x" * 9000])
async def test_queries_are_read_strictly(http: httpx.AsyncClient, query: str) -> None:
    assert (await http.get(f"/query?{query}")).status_code == 400


async def test_problem_documents(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/refuse/bad")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["type"] == "urn:dinhdanh:problem:bad-input"
    assert body["errors"] == [{"pointer": "#/name", "detail": "Too short."}]
    assert body["instance"].endswith(answer.headers["x-request-id"])
    assert (await http.get("/api/refuse/many")).headers["retry-after"] == "7"
    assert (await http.get("/api/refuse/not")).status_code == 403
    assert (await http.get("/api/nowhere")).json()["type"] == "urn:dinhdanh:problem:not-found"


async def test_an_unknown_failure_tells_nothing(http: httpx.AsyncClient) -> None:
    answer = await http.get("/boom")
    assert answer.status_code == 500
    assert "Canary" not in answer.text
    assert answer.headers["x-request-id"] in answer.text


async def test_a_page_that_needs_somebody_leads_to_the_sign_in(http: httpx.AsyncClient) -> None:
    answer = await http.get("/private")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/signin?next=%2Fprivate&aal=2&ial=1"


async def test_headers_of_every_answer(http: httpx.AsyncClient) -> None:
    for path in ("/token-page", "/nowhere", "/boom", "/api/nowhere"):
        headers = (await http.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        assert "strict-transport-security" not in headers


async def test_under_https_cookies_are_host_bound_and_hsts_is_sent() -> None:
    app = application(load_settings(mode="sandbox", issuer="https://id.example"))
    async with client_of(app, "https://id.example") as http:
        answer = await http.get("/token-page")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-dd_browser=")
    for attribute in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
        assert attribute in cookie
    assert "Domain" not in cookie
    assert answer.headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "expected"),
    [
        ((), "192.0.2.9", "203.0.113.5", "192.0.2.9"),
        (("10.0.0.0/8",), "192.0.2.9", "203.0.113.5", "192.0.2.9"),
        (("10.0.0.0/8",), "10.0.0.1", "203.0.113.5", "203.0.113.5"),
        (("10.0.0.0/8",), "10.0.0.1", "1.1.1.1, 203.0.113.5, 10.0.0.2", "203.0.113.5"),
        (("10.0.0.0/8",), "10.0.0.1", "1.1.1.1, nonsense", "10.0.0.1"),
    ],
)
async def test_only_trusted_proxies_are_believed(
    proxies: tuple[str, ...], peer: str, forwarded: str, expected: str
) -> None:
    app = application(load_settings(trusted_proxies=proxies))
    async with client_of(app, peer=peer) as http:
        answer = await http.get("/address", headers={"X-Forwarded-For": forwarded})
    assert answer.text == expected


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("for=203.0.113.5", "203.0.113.5"),
        ('for="203.0.113.5:4711";proto=https;by=10.0.0.1', "203.0.113.5"),
        ('For="[2001:db8::7]:4711", for=10.0.0.2', "2001:db8::7"),
        ("for=1.1.1.1, for=203.0.113.5", "203.0.113.5"),
        ("for=unknown", "10.0.0.1"),
        ("nonsense", "10.0.0.1"),
    ],
)
async def test_the_standard_header_is_read_as_well(forwarded: str, expected: str) -> None:
    app = application(load_settings(trusted_proxies=("10.0.0.0/8",)))
    async with client_of(app, peer="10.0.0.1") as http:
        answer = await http.get("/address", headers={"Forwarded": forwarded})
    assert answer.text == expected


@pytest.mark.parametrize("forwarded", ["for=1.1.1.1", "for=198.51.100.1", "", "nonsense"])
async def test_of_two_headers_neither_is_believed(forwarded: str) -> None:
    """A proxy that writes one hands on the other as the caller wrote it: he chooses no address by it."""
    app = application(load_settings(trusted_proxies=("10.0.0.0/8",)))
    async with client_of(app, peer="10.0.0.1") as http:
        answer = await http.get("/address", headers={"Forwarded": forwarded, "X-Forwarded-For": "198.51.100.1"})
    assert answer.text == "10.0.0.1"


async def test_language_by_link_cookie_and_default(http: httpx.AsyncClient) -> None:
    assert 'lang="vi"' in (await http.get("/nowhere")).text
    english = await http.get("/nowhere?lang=en")
    assert 'lang="en"' in english.text
    assert "There is no such page." in english.text
    assert 'lang="en"' in (await http.get("/nowhere")).text
    assert 'lang="vi"' in (await http.get("/nowhere?lang=vi")).text
    assert (await http.get("/nowhere?lang=%3Cscript%3E")).status_code == 404


@pytest.mark.parametrize("path", ["//evil.test/x", "///evil.test/x", "/%2F/evil.test", "/\\\\evil.test"])
async def test_the_language_link_stays_here(http: httpx.AsyncClient, path: str) -> None:
    page = (await http.get(f"http://test{path}")).text
    link = page.split('id="language" href="')[1].split('"')[0]
    assert link.startswith("/")
    assert not link.startswith(("//", "/\\"))


async def test_an_interaction_belongs_to_its_browser_and_ends(cache: Cache, clock: FixedClock) -> None:
    from datetime import timedelta

    app = application(load_settings(), cache, clock)
    async with client_of(app) as mine, client_of(app) as other:
        url = (await mine.get("/start")).headers["location"]
        assert (await mine.get(url)).status_code == 200
        assert (await other.get(url)).status_code == 400
        assert (await mine.get("/next?i=nonsense")).status_code == 400
        clock.advance(timedelta(seconds=TTL_SECONDS))
        assert (await mine.get(url)).status_code == 400


async def test_an_interaction_is_finished_once(cache: Cache, clock: FixedClock) -> None:
    import asyncio

    interactions = Interactions(cache, clock)
    app = application(load_settings(), cache, clock)
    finished: list[Any] = []

    @app.get("/finish")
    async def finish(request: Request) -> Response:
        made = await interactions.start(request, resume="/done")
        finished.extend(await asyncio.gather(*(interactions.finish(made) for _ in range(20))))
        return PlainTextResponse("")

    async with client_of(app) as http:
        await http.get("/finish")
    assert finished.count(True) == 1

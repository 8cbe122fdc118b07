"""Every journey with canaries in every form field, header, token and record; then every place is searched for them.

What may be found, and is therefore no needle: internal identifiers (person, account, session `sid`), the walk's
own references (`i`, request_uri, receipts), `state` and `nonce` of the portal, and names of fields.
"""

import gc
import json
import logging
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
import structlog

from core.cache import Cache
from core.log import configure_logging
from core.settings import secret_value
from tests.support import leak_elsewhere
from tests.support import leak_journeys as journeys
from tests.support.furnished import Furnished
from tests.support.leak_scan import Scanner, database_files, dump_tables, redis_now, server_logs
from tests.support.leak_world import LeakWorld, leak_world
from tests.support.servers import ServerAddresses


@pytest.fixture(scope="module")
def logs() -> Iterator[StringIO]:
    """Everything that this process logs, the most talkative level."""
    stream, root = StringIO(), logging.getLogger()
    before = root.handlers, root.level
    configure_logging("debug", stream)
    root.setLevel(logging.DEBUG)
    yield stream
    root.handlers, root.level = before
    structlog.reset_defaults()


@pytest.fixture(scope="module")
async def world(furnished: Furnished, logs: StringIO, tmp_path_factory: pytest.TempPathFactory) -> LeakWorld:
    """After all journeys, and after the background work they made."""
    world = await leak_world(furnished, logs, tmp_path_factory.mktemp("canary"))
    async with world.browser() as browser:
        tokens = await journeys.portal_walk(world, browser)
        await journeys.linked_request(world, tokens["id_token"])
        await journeys.posted_request(world, browser)
        await journeys.self_declared(world, browser)
        await journeys.fapi_walk(world, browser)
        await leak_elsewhere.desk(world, browser)
        await leak_elsewhere.kiosk(world, browser)
        await journeys.lookups(world, browser)
        await furnished.work()
        async with world.browser() as desk:
            await journeys.official_checks(world, desk, "Minh", outside=False)
        async with world.browser() as desk:
            await journeys.official_checks(world, desk, "Nga", outside=True)
        await journeys.own_pages(world, browser)
        await journeys.errors(world, browser)
        await journeys.sign_out(world, browser)
    await furnished.work()
    gc.collect()  # tasks whose failure nobody asked for tell it when they go
    return world


@pytest.fixture(scope="module")
def superuser_url(servers: ServerAddresses, furnished: Furnished) -> str:
    name = urlsplit(secret_value(furnished.settings.database_url, "DATABASE_URL")).path
    return urlunsplit(urlsplit(servers.superuser_url)._replace(path=name))


def test_the_journeys_went_where_they_should(world: LeakWorld) -> None:
    for path, statuses in {
        "/signin": {200, 303, 400, 413, 415, 422},
        "/signin/code": {200, 303},
        "/consent": {303, 403},
        "/token": {200, 400, 401},
        "/userinfo": {200, 401},
        "/introspect": {200},
        "/revoke": {200},
        "/par": {201, 401},
        "/bc-authorize": {200, 400},
        "/device_authorization": {200},
        "/device": {200, 303, 422},
        "/device/confirm": {200, 303},
        "/me/requests": {200},
        "/logout": {303},
        "/me": {200},
        "/me/history": {200, 400},
        "/me/profile": {200, 303, 422},
        "/api/lookup/v1/records": {200, 403, 404, 422},
        "/api/lookup/v1/matches": {200, 400, 401, 413, 415},
        "/official/check": {200, 403, 404, 422},
        "/official/check/fields": {200},
        journeys.FAULT: {200, 500},
    }.items():
        missing = {status for status in statuses if not world.seen(path, status)}
        assert not missing, (path, missing, world.statuses.get(path))


def test_the_needles_can_be_found(world: LeakWorld) -> None:
    """A search that finds nothing anywhere is worth nothing."""
    scanner = Scanner(world.needles)
    kinds = {"cookie", "form token", "access_token", "refresh_token", "id_token", "authorization code", "dpop"}
    assert kinds <= set(world.needles.texts.values())
    text = " ".join((*world.needles.texts, *world.needles.codes))
    scanner.look("all", text.encode())
    assert len(scanner.found) == len(world.needles.texts) + len(world.needles.codes)


async def test_logs_hold_none(world: LeakWorld) -> None:
    said = world.logs.getvalue()
    lines = [json.loads(line) for line in said.splitlines()]
    events = Counter(line["event"] for line in lines)
    assert events["request"] > 100
    assert events["unknown failure"] == 4
    assert any(line.get("logger") == "asyncio" for line in lines)
    scanner = Scanner(world.needles)
    scanner.look("logs", said.encode())
    assert not scanner.found, scanner.found


async def test_metrics_hold_none(world: LeakWorld) -> None:
    async with world.furnished.http() as http:
        told = (await http.get("/metrics")).text
    assert 'route="/userinfo"' in told
    scanner = Scanner(world.needles)
    scanner.look("metrics", told.encode())
    assert not scanner.found, scanner.found
    assert "zar" not in told


async def test_redis_holds_none_at_any_moment(world: LeakWorld) -> None:
    scanner = Scanner(world.needles)
    assert len(world.redis) > 50
    scanner.look("redis", b"\n".join(world.redis))
    scanner.look("redis at the end", b"\n".join(await redis_now(world.furnished.web.get(Cache).redis)))
    assert not scanner.found, scanner.found


async def test_every_key_of_redis_is_a_hash_and_ends(world: LeakWorld) -> None:
    redis = world.furnished.web.get(Cache).redis
    async for key in redis.scan_iter():
        kind, _, digest = key.decode().removeprefix("dd:").partition(":")
        assert kind
        assert len(digest) == 64, key
        assert await redis.ttl(key) != -1, key  # -1: without an end; what ended meanwhile is -2


async def test_a_dump_of_the_database_holds_none(world: LeakWorld, superuser_url: str) -> None:
    scanner = Scanner(world.needles)
    for name, content in (await dump_tables(superuser_url)).items():
        scanner.look(name, content, codes=name.startswith("table"))
    assert not scanner.found, scanner.found


async def test_the_files_of_the_database_hold_none(world: LeakWorld, superuser_url: str) -> None:
    scanner = Scanner(world.needles, plain=True)
    scanner.look_all(await database_files(superuser_url), codes=False)
    assert not scanner.found, scanner.found


async def test_logs_of_the_servers_hold_none(world: LeakWorld, superuser_url: str) -> None:
    scanner = Scanner(world.needles)
    scanner.look_all(await server_logs(superuser_url))
    assert not scanner.found, scanner.found


def test_addresses_hold_none_but_the_code_for_the_portal(world: LeakWorld) -> None:
    """A code goes to the portal in the redirect and nowhere else."""
    scanner = Scanner(world.needles)
    portals = tuple(uri for client in world.furnished.sandbox.clients for uri in client.redirect_uris)
    assert len(world.addresses) > 100
    for address in world.addresses:
        url = httpx.URL(address)
        shown = str(url.copy_remove_param("code")) if address.startswith(portals) else address
        scanner.look(f"address {url.path}", shown.encode())
    assert not scanner.found, scanner.found

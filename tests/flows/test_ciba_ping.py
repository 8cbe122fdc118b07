"""CIBA Core 1.0, ping mode (§10.2): the client is told to collect; real servers with TLS, through the allow-list."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest

from core.outbound import Outbound
from identity.api import Identity
from oidc.ciba.ping import Pings
from oidc.clients import Clients
from privacy.vault.api import Vault
from tests.actors.relying_party import DROP
from tests.support.elsewhere import NOTIFICATION_TOKEN, Desk, answer_newest, error_of, make_desk, own_requests, wait
from tests.support.logout_world import Listeners, listeners, settings, url_of, world
from tests.support.other_servers import Asked, OtherServer, answers
from tests.support.provider_world import OPERATOR, ProviderWorld

__all__ = ["listeners", "settings", "world"]


@pytest.fixture(autouse=True)
async def nothing_is_due(world: ProviderWorld, listeners: Listeners) -> None:
    await world.fetch("DELETE FROM oidc.ciba_requests")
    listeners.quiet()
    wait(world, 3600)


@pytest.fixture
def server(listeners: Listeners) -> OtherServer:
    return listeners.servers[0]


@pytest.fixture
def pings(world: ProviderWorld) -> Pings:
    """A worker process as far as pings go: the worker's own login to the database."""
    return Pings(
        database=world.worker,
        clock=world.clock,
        vault=world.parts.get(Vault),
        clients=Clients(world.worker),
        outbound=world.parts.get(Outbound),
    )


@pytest.fixture
async def desk(world: ProviderWorld, server: OtherServer) -> Desk:
    return await pinged(world, server)


async def pinged(world: ProviderWorld, server: OtherServer, **changes: Any) -> Desk:
    return await make_desk(
        world,
        backchannel_token_delivery_mode="ping",
        backchannel_client_notification_endpoint=url_of(server, "/told"),
        **changes,
    )


async def ask(desk: Desk, key: str = "An", **changes: Any) -> str:
    return await desk.asked(key, client_notification_token=NOTIFICATION_TOKEN, **changes)


async def rows(world: ProviderWorld) -> list[Any]:
    return await world.fetch("SELECT * FROM oidc.ciba_requests ORDER BY requested_at, request_id")


async def test_an_answer_is_told(world: ProviderWorld, desk: Desk, server: OtherServer, pings: Pings) -> None:
    asked = await ask(desk)
    assert not await pings.run_once()  # nothing before the person has answered
    await answer_newest(world.browser(), "allow")
    assert await pings.run_once()
    (told,) = server.asked
    assert (told.method, told.path) == ("POST", "/told")
    assert told.headers["authorization"] == f"Bearer {NOTIFICATION_TOKEN}"
    assert told.headers["content-type"] == "application/json"
    assert orjson.loads(told.body) == {"auth_req_id": asked}
    assert (await desk.collect(asked)).status_code == 200
    assert not await pings.run_once()
    assert len(server.asked) == 1


async def test_a_refusal_is_told_as_well(world: ProviderWorld, desk: Desk, server: OtherServer, pings: Pings) -> None:
    asked = await ask(desk)
    await answer_newest(world.browser(), "refuse")
    await pings.run_once()
    assert orjson.loads(server.asked[0].body) == {"auth_req_id": asked}
    assert error_of(await desk.collect(asked)) == "access_denied"


async def test_a_lock_is_told_like_a_refusal(
    world: ProviderWorld, desk: Desk, server: OtherServer, pings: Pings
) -> None:
    asked = await ask(desk, "Chau")
    identity, person_id = world.parts.get(Identity), await world.person("Chau")
    async with world.database.page() as tx:
        await identity.lock(tx, person_id, "holder", by=OPERATOR)
    await world.run_events()
    async with world.database.page() as tx:
        await identity.unlock(tx, person_id, "holder", cleared_by="holder", by=OPERATOR)
    await pings.run_once()
    assert orjson.loads(server.asked[0].body) == {"auth_req_id": asked}
    assert error_of(await desk.collect(asked)) == "access_denied"


async def test_asking_before_the_ping_is_allowed(world: ProviderWorld, desk: Desk) -> None:
    asked = await ask(desk)
    assert error_of(await desk.collect(asked)) == "authorization_pending"
    await answer_newest(world.browser(), "allow")
    assert (await desk.collect(asked)).status_code == 200


async def test_what_runs_out_is_not_told(world: ProviderWorld, desk: Desk, pings: Pings) -> None:
    asked = await ask(desk)
    wait(world, 601)
    assert not await pings.run_once()
    assert error_of(await desk.collect(asked)) == "expired_token"


async def test_secrets_lie_sealed_and_go_when_told(world: ProviderWorld, desk: Desk, pings: Pings) -> None:
    asked = await ask(desk)
    (row,) = await rows(world)
    assert row["ping_due_at"] is None
    for secret in (NOTIFICATION_TOKEN, asked):
        assert not any(secret.encode() in value for value in row.values() if isinstance(value, bytes))
    await answer_newest(world.browser(), "allow")
    await pings.run_once()
    (row,) = await rows(world)
    assert (row["ping_sealed"], row["ping_due_at"]) == (None, None)


@pytest.mark.parametrize(
    ("token", "taken"),
    [
        (DROP, False),
        ("short", False),
        ("x" * 21, False),
        ("x" * 1025, False),
        ("spaces are not bearer tokens here", False),
        ('quoted"and\r\nInjected: header-line', False),
        ("x" * 27 + "=", True),
        ("Az09-._~+/Az09-._~+/Az09==", True),
    ],
    ids=str,
)
async def test_the_token_we_show(desk: Desk, token: Any, taken: bool) -> None:
    """§7.1: of the syntax of bearer tokens (RFC 6750 §2.1), with some randomness in it."""
    answer = await desk.ask(client_notification_token=token)
    assert (answer.status_code == 200) is taken
    if not taken:
        assert error_of(answer) == "invalid_request"


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "401 Unauthorized", "403 Forbidden", "404 Not Found"])
async def test_what_the_client_answers_is_its_own_affair(
    world: ProviderWorld, desk: Desk, server: OtherServer, pings: Pings, status: str
) -> None:
    """§10.2: any body is ignored; what the client refuses is not told again."""
    server.answering = answers(b'{"anything": 1}' if not status.startswith("204") else b"", status=status)
    asked = await ask(desk)
    await answer_newest(world.browser(), "allow")
    await pings.run_once()
    wait(world, 300)
    assert not await pings.run_once()
    assert len(server.asked) == 1
    assert (await desk.collect(asked)).status_code == 200


async def test_no_redirect_is_followed(
    world: ProviderWorld, desk: Desk, listeners: Listeners, server: OtherServer, pings: Pings
) -> None:
    elsewhere = listeners.servers[1]
    server.answering = answers(b"", status="301 Moved Permanently", Location=url_of(elsewhere, "/other"))
    await ask(desk)
    await answer_newest(world.browser(), "allow")
    await pings.run_once()
    wait(world, 300)
    assert not await pings.run_once()
    assert len(server.asked) == 1
    assert elsewhere.asked == []


async def test_a_server_that_is_down_is_told_later(
    world: ProviderWorld, desk: Desk, server: OtherServer, pings: Pings
) -> None:
    """Again after 2, 4, 8 … seconds, while there is something to collect."""
    server.answering = answers(b"", status="503 Service Unavailable")
    await ask(desk)
    await answer_newest(world.browser(), "allow")
    assert await pings.run_once()
    for pause in (2, 4, 8):
        wait(world, pause - 1)
        assert not await pings.run_once()
        wait(world, 1)
        assert await pings.run_once()
    assert len(server.asked) == 4
    server.answering = answers(b"", status="204 No Content")
    wait(world, 16)
    assert await pings.run_once()
    wait(world, 120)
    assert not await pings.run_once()


async def test_it_is_given_up_when_there_is_nothing_to_collect(
    world: ProviderWorld, desk: Desk, server: OtherServer, pings: Pings
) -> None:
    server.answering = answers(b"", status="500 Oops")
    await ask(desk, requested_expiry="60")
    await answer_newest(world.browser(), "allow")
    await pings.run_once()
    wait(world, 119)
    assert await pings.run_once()
    (row,) = await rows(world)
    assert (row["ping_sealed"], row["ping_due_at"]) == (None, None)


async def test_a_worker_that_died_on_the_way(
    world: ProviderWorld, desk: Desk, server: OtherServer, pings: Pings
) -> None:
    """What was leased and not settled becomes due again: told at least once."""
    await ask(desk)
    await answer_newest(world.browser(), "allow")
    reached = asyncio.Event()

    async def hang(_: Asked, __: asyncio.StreamWriter) -> None:
        reached.set()
        await asyncio.sleep(60)

    server.answering = hang
    dying = asyncio.create_task(pings.run_once())
    await reached.wait()
    assert not await pings.run_once()  # leased: nobody else takes it meanwhile
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    server.answering = answers(b"", status="204 No Content")
    wait(world, 31)
    assert await pings.run_once()
    assert len(server.asked) == 2


async def test_a_slow_client_holds_up_nobody(
    world: ProviderWorld, listeners: Listeners, server: OtherServer, pings: Pings
) -> None:
    """Case 58, for pings: the others are told while one does not answer."""
    slow, quick = await pinged(world, server), await pinged(world, listeners.servers[1])
    told = asyncio.Event()

    async def wait_for_the_other(_: Asked, writer: asyncio.StreamWriter) -> None:
        await told.wait()
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    async def tell(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        told.set()

    server.answering, listeners.servers[1].answering = wait_for_the_other, tell
    browser = world.browser()
    for each in (slow, quick):
        await ask(each)
        await answer_newest(browser, "allow")
    assert await pings.run_once()
    assert told.is_set()


async def test_many_workers_tell_once(world: ProviderWorld, desk: Desk, server: OtherServer, pings: Pings) -> None:
    browser = world.browser()
    for _ in range(3):
        await ask(desk)
        await answer_newest(browser, "allow")
    await asyncio.gather(*(pings.run_once() for _ in range(6)))
    assert len({told.body for told in server.asked}) == len(server.asked) == 3


async def test_an_address_that_is_not_allowed_is_not_called(
    world: ProviderWorld, server: OtherServer, pings: Pings
) -> None:
    """Case 45: registered long ago, or its name points elsewhere now."""
    for address in ("https://127.0.0.1:1/told", f"https://127.0.0.1:{server.port}/told", "https://[::1]/told"):
        desk = await pinged(world, server)
        async with world.owner.raw() as tx:
            await tx.conn.execute(
                "UPDATE oidc.clients SET options = jsonb_set(options, '{backchannel_client_notification_endpoint}', "
                "to_jsonb($2::text)) WHERE client_id = $1",
                desk.party.client_id,
                address,
            )
        asked = await ask(desk)
        await answer_newest(world.browser(), "allow")
        await pings.run_once()
        wait(world, 60)
        assert not await pings.run_once()
        assert (await desk.collect(asked)).status_code == 200
    assert server.connections == 0


async def test_a_suspended_client_is_not_told(
    world: ProviderWorld, desk: Desk, server: OtherServer, pings: Pings
) -> None:
    await ask(desk)
    browser = world.browser()
    await browser.open((await own_requests(browser))[0])
    await browser.send("request-form", decision="refuse")
    async with world.database.raw() as tx:
        await world.provider.registrar.set_state(tx, desk.party.client_id, "suspended", by=OPERATOR)
    await pings.run_once()
    assert server.asked == []


async def test_the_worker_may_do_what_it_does_and_no_more(world: ProviderWorld, desk: Desk) -> None:
    """Least privilege: the worker tells, ends and forgets; it can neither make a request nor approve one."""
    await ask(desk)
    async with world.worker.raw_read() as tx:
        held = await tx.conn.fetch(
            "SELECT column_name FROM information_schema.column_privileges WHERE table_schema = 'oidc' "
            "AND table_name = 'ciba_requests' AND privilege_type = 'UPDATE' AND grantee = current_user"
        )
        may_insert = await tx.conn.fetchval("SELECT has_table_privilege('oidc.ciba_requests', 'INSERT')")
    columns = {row["column_name"] for row in held}
    assert columns == {"state", "decided_at", "ping_sealed", "ping_due_at", "ping_attempts"}
    assert not may_insert


async def test_expiry_is_by_our_clock(world: ProviderWorld, desk: Desk) -> None:
    asked = await ask(desk, requested_expiry="30")
    world.clock.advance(timedelta(seconds=30))
    assert error_of(await desk.collect(asked)) == "expired_token"

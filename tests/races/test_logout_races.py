"""Many at once at the end of a session: one message to each service, told by one worker, to nobody forgotten."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from oidc.logout.messages import RETRY_SECONDS
from tests.support.logout_world import Listeners, Worker, listeners, listening, messages, settings, told, world
from tests.support.other_servers import Asked, OtherServer, answers
from tests.support.provider_world import CitizenBrowser, ProviderWorld

__all__ = ["listeners", "settings", "world"]

AT_ONCE = 12


@pytest.fixture(autouse=True)
async def server(listeners: Listeners, world: ProviderWorld) -> OtherServer:
    await world.fetch("DELETE FROM oidc.logout_messages")
    listeners.quiet()
    world.clock.advance(timedelta(seconds=30))
    return listeners.servers[0]


async def visit(world: ProviderWorld, portal: Any) -> tuple[CitizenBrowser, dict[str, Any]]:
    browser = world.browser()
    attempt, got = await browser.walk(portal, scope="openid")
    return browser, (await portal.exchange(attempt, got["code"])).json()


async def sign_out(browser: CitizenBrowser, tokens: dict[str, Any]) -> int:
    return (await browser.http.get("/logout", params={"id_token_hint": tokens["id_token"]})).status_code


async def test_one_session_ended_many_times(world: ProviderWorld, server: OtherServer) -> None:
    portal = await listening(world, server)
    browser, tokens = await visit(world, portal)
    answers_ = await asyncio.gather(*(sign_out(browser, tokens) for _ in range(AT_ONCE)))
    assert set(answers_) == {200}
    assert len(await messages(world, portal)) == 1


async def test_many_workers(world: ProviderWorld, server: OtherServer) -> None:
    """Each message is delivered once, whoever comes first."""
    portal = await listening(world, server)
    for _ in range(4):
        world.clock.advance(timedelta(seconds=30))
        await sign_out(*await visit(world, portal))
    workers = [Worker(world) for _ in range(6)]
    await asyncio.gather(*(worker.deliver() for worker in workers))
    assert Counter(row["outcome"] for row in await messages(world, portal)) == {"delivered": 4}
    assert len(server.asked) == 4
    assert len({told(world, asked).claims["sid"] for asked in server.asked}) == 4


async def test_a_worker_that_dies_in_the_middle(world: ProviderWorld, server: OtherServer) -> None:
    """The service was told, and nobody wrote that down: it is told again rather than never."""
    portal = await listening(world, server)
    await sign_out(*await visit(world, portal))
    heard = asyncio.Event()

    async def hear(_: Asked, __: asyncio.StreamWriter) -> None:
        heard.set()
        await asyncio.Event().wait()

    server.answering = hear
    dying = Worker(world)
    working = asyncio.create_task(dying.deliver())
    await heard.wait()
    await dying.delivery.close()
    await working
    (row,) = await messages(world, portal)
    assert (row["outcome"], row["attempts"]) == (None, 1)
    server.answering = answers(b"")
    other = Worker(world)
    await other.deliver()
    assert len(server.asked) == 1, "as long as the first may still be at it, nobody else is"
    world.clock.advance(timedelta(seconds=RETRY_SECONDS[0]))
    await other.deliver()
    assert len(server.asked) == 2
    (row,) = await messages(world, portal)
    assert (row["outcome"], row["attempts"]) == ("delivered", 2)


async def test_a_code_redeemed_while_signing_out(world: ProviderWorld, server: OtherServer) -> None:
    """Whoever got tokens is told, and whoever did not is not: there is no moment between."""
    got_tokens = 0
    for _ in range(AT_ONCE):
        world.clock.advance(timedelta(seconds=30))
        portal, late = await listening(world, server), await listening(world, server)
        browser, tokens = await visit(world, portal)
        attempt, got = await browser.walk(late, scope="openid")
        answer, status = await asyncio.gather(late.exchange(attempt, got["code"]), sign_out(browser, tokens))
        assert status == 200
        assert len(await messages(world, late)) == (1 if answer.status_code == 200 else 0)
        got_tokens += answer.status_code == 200
    print(f"{got_tokens} of {AT_ONCE} came first")

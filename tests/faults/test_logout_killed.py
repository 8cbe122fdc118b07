"""kill -9 of the worker while a service is being told of a sign-out: it is told again, and knows that it is the same.

A sandbox of its own, real processes, a real service with its own certificate.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs

import asyncpg
import httpx
import pytest

from core.clock import SystemClock
from core.jose import decode_unverified
from tests.actors.browser import Browser, left_for
from tests.actors.relying_party import RelyingParty
from tests.support.certificates import Authority
from tests.support.commands import free_port
from tests.support.holders import eventually
from tests.support.load_sandbox import LiveSandbox, start_sandbox
from tests.support.other_servers import Asked, OtherServer, answers, other_server
from tests.support.threads import run_beside

CLIENT = "conformance-backchannel-1"
AGAIN_WITHIN_SECONDS = 90.0


@pytest.fixture(scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[OtherServer, dict[str, str]]]:
    """A service that is told of sign-outs, and the settings by which the sandbox may call it."""
    authority = Authority.made(tmp_path_factory.mktemp("ca"))
    port = free_port()
    async with other_server(answers(b""), authority.server("localhost"), port) as running:
        yield (
            running,
            {
                "DINHDANH_CONFORMANCE_REDIRECT": f"https://localhost:{port}/callback",
                "DINHDANH_OUTBOUND_ALLOWED": json.dumps([f"localhost:{port}"]),
                "DINHDANH_OUTBOUND_CA_FILE": str(authority.ca_file),
            },
        )


@pytest.fixture(scope="module")
async def live(
    service: tuple[OtherServer, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LiveSandbox]:
    folder: Path = tmp_path_factory.mktemp("logout")
    started = await asyncio.to_thread(lambda: start_sandbox(folder, **service[1]))
    try:
        yield started
    finally:
        await asyncio.to_thread(started.command.ends)


async def test_a_worker_killed_amid_the_call(service: tuple[OtherServer, dict[str, str]], live: LiveSandbox) -> None:
    server, environment = service
    heard, told_again = asyncio.Event(), asyncio.Event()

    async def hear_and_hold(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if heard.is_set():
            await answers(b"")(asked, writer)
            told_again.set()
        else:
            heard.set()
            await asyncio.Event().wait()

    server.answering = hear_and_hold
    client = next(one for one in live.sandbox.clients if one.client_id == CLIENT)
    persona = next(one for one in live.sandbox.personas if one.key == "An")
    async with httpx.AsyncClient(base_url=live.issuer, timeout=60) as http:
        portal = RelyingParty(
            http=http,
            clock=SystemClock(),
            issuer=live.issuer,
            client_id=CLIENT,
            secret=client.client_secret,
            redirect_uri=environment["DINHDANH_CONFORMANCE_REDIRECT"],
        )
        browser = Browser(http, live.issuer, portal.clock)
        attempt = portal.ask()
        await browser.open(attempt.url)
        page = await browser.sign_in(persona)
        tokens = (await portal.exchange(attempt, left_for(page)["code"])).json()
        # The redirect is not followed: it leads to the service.
        gone = await http.get("/logout", params={"id_token_hint": tokens["id_token"]})
        assert 'id="logout-result"' in gone.text
    async with asyncio.timeout(AGAIN_WITHIN_SECONDS):
        await heard.wait()
        victim = live.kill("worker")
        await told_again.wait()
    assert eventually(lambda: victim not in live.pids("worker") and bool(live.pids("worker")))
    first, second = (
        decode_unverified(parse_qs(asked.body.decode())["logout_token"][0]).claims for asked in server.asked
    )
    assert {name: first[name] for name in ("sub", "sid", "aud")} == {
        name: second[name] for name in ("sub", "sid", "aud")
    }
    assert first["jti"] != second["jti"]

    async def outcome() -> list[tuple[str | None, int]]:
        connection = await asyncpg.connect(live.urls.database_owner_url)
        try:
            rows = await connection.fetch("SELECT outcome, attempts FROM oidc.logout_messages")
        finally:
            await connection.close()
        return [(row["outcome"], row["attempts"]) for row in rows]

    assert await asyncio.to_thread(lambda: eventually(lambda: run_beside(outcome()) == [("delivered", 2)]))

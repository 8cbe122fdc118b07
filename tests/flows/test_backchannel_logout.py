"""OpenID Connect Back-Channel Logout 1.0 (security cases 45 and 58). Real services on real sockets."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey

from core.jose import decode_unverified
from core.outbox import Event
from identity.api import Identity
from oidc.events import GrantEnder
from oidc.logout.messages import MAX_ATTEMPTS, RETRY_SECONDS
from oidc.logout.token import EVENT
from population_db.api import Registry
from tests.actors.relying_party import RelyingParty
from tests.support.logout_world import Listeners, Worker, listeners, listening, messages, settings, told, url_of, world
from tests.support.other_servers import Asked, OtherServer, answers
from tests.support.provider_world import SIGNED_OUT, CitizenBrowser, ProviderWorld

__all__ = ["listeners", "settings", "world"]

SCOPE = "openid email"


@pytest.fixture(autouse=True)
async def _quiet(listeners: Listeners, world: ProviderWorld) -> None:
    """Nothing of another test is waiting."""
    await world.fetch("DELETE FROM oidc.logout_messages")
    listeners.quiet()


@pytest.fixture
def server(listeners: Listeners) -> OtherServer:
    return listeners.servers[0]


async def visit(
    world: ProviderWorld, portal: RelyingParty, key: str = "An", browser: CitizenBrowser | None = None
) -> tuple[CitizenBrowser, dict[str, Any]]:
    """A citizen signed in at a portal: his browser, and the portal's tokens."""
    browser = browser or world.browser()
    attempt, got = await browser.walk(portal, key, scope=SCOPE)
    return browser, (await portal.exchange(attempt, got["code"])).json()


async def log_out(browser: CitizenBrowser, tokens: dict[str, Any]) -> None:
    answer = await browser.http.get("/logout", params={"id_token_hint": tokens["id_token"]})
    assert answer.status_code == 200


async def test_a_logout_token(world: ProviderWorld, server: OtherServer) -> None:
    """§2.4: what is in it and what is not; written when the session ends, sent by the worker."""
    portal = await listening(world, server)
    browser, tokens = await visit(world, portal)
    await log_out(browser, tokens)
    (waiting,) = await messages(world, portal)
    assert waiting["outcome"] is None
    assert server.asked == []
    worker = Worker(world)
    await worker.deliver()
    (asked,) = server.asked
    assert asked.path == "/logout"
    token = told(world, asked).token
    id_token = decode_unverified(tokens["id_token"])
    assert set(token.header) == {"alg", "typ", "kid"}
    assert token.header["typ"] == "logout+jwt"
    assert token.header["alg"] == id_token.header["alg"]
    claims = dict(token.claims)
    assert set(claims) == {"iss", "sub", "aud", "iat", "exp", "jti", "sid", "events"}
    assert {name: claims[name] for name in ("iss", "sub", "aud", "sid")} == {
        name: id_token.claims[name] for name in ("iss", "sub", "aud", "sid")
    }
    assert claims["events"] == {EVENT: {}}
    assert claims["iat"] == int(world.clock.now().timestamp())
    assert 0 < claims["exp"] - claims["iat"] <= 120
    assert len(claims["jti"]) >= 22
    (done,) = await messages(world, portal)
    assert (done["outcome"], done["attempts"], done["last_error"]) == ("delivered", 1, None)
    await worker.deliver()
    assert len(server.asked) == 1


async def signs_out_at_the_portal(world: ProviderWorld, browser: CitizenBrowser, tokens: dict[str, Any]) -> None:
    await log_out(browser, tokens)


async def is_asked_and_signs_out(world: ProviderWorld, browser: CitizenBrowser, tokens: dict[str, Any]) -> None:
    await browser.open("/logout")
    assert (await browser.send("logout-form", decision="sign-out")).status_code == 200


async def signs_out_here(world: ProviderWorld, browser: CitizenBrowser, tokens: dict[str, Any]) -> None:
    await browser.open("/signout")
    assert (await browser.send("signout-form")).status_code == 200


async def signs_out_everywhere(world: ProviderWorld, browser: CitizenBrowser, tokens: dict[str, Any]) -> None:
    await browser.open("/me/signins")
    assert (await browser.send("end-all-form")).status_code == 200


async def ends_it_from_another_browser(world: ProviderWorld, browser: CitizenBrowser, tokens: dict[str, Any]) -> None:
    world.clock.advance(timedelta(seconds=30))  # a code is good once
    other, _ = await visit(world, await world.register())
    page = await other.open("/me/signins")
    sid = decode_unverified(tokens["id_token"]).claims["sid"]
    assert sid in page.text
    csrf = page.text.split('name="csrf" value="')[1].split('"')[0]
    answer = await other.http.post("/me/signins", data={"csrf": csrf, "action": "end", "sid": sid})
    assert answer.status_code == 303


ENDS: list[Callable[[ProviderWorld, CitizenBrowser, dict[str, Any]], Awaitable[None]]] = [
    signs_out_at_the_portal,
    is_asked_and_signs_out,
    signs_out_here,
    signs_out_everywhere,
    ends_it_from_another_browser,
]


@pytest.mark.parametrize("end", ENDS)
async def test_every_way_a_session_ends(
    world: ProviderWorld,
    listeners: Listeners,
    end: Callable[[ProviderWorld, CitizenBrowser, dict[str, Any]], Awaitable[None]],
) -> None:
    """Each service of the session is told once, of this session; others are not."""
    world.clock.advance(timedelta(seconds=30))
    first, second, third = listeners.servers
    portals = [await listening(world, first), await listening(world, second, sector="another.example")]
    elsewhere = await listening(world, third)
    browser, tokens = await visit(world, portals[0])
    _, more = await visit(world, portals[1], browser=browser)
    await visit(world, portals[1], browser=browser)  # twice in one session is one logout
    await visit(world, elsewhere, "Binh")
    await end(world, browser, tokens)
    await world.run_events()
    await Worker(world).deliver()
    for server, got in ((first, tokens), (second, more)):
        (asked,) = server.asked
        claims, id_token = told(world, asked).claims, decode_unverified(got["id_token"]).claims
        assert (claims["sub"], claims["aud"], claims["sid"]) == (id_token["sub"], id_token["aud"], id_token["sid"])
    assert third.asked == []


async def test_a_locked_account_and_a_death(world: ProviderWorld, listeners: Listeners) -> None:
    """All sessions of the person are over: without a sid, unless the client said it needs one."""
    plain = await listening(world, listeners.servers[0])
    exact = await listening(world, listeners.servers[1], backchannel_logout_session_required=True)
    world.clock.advance(timedelta(seconds=30))
    browser, _ = await visit(world, plain, "Binh")
    _, of_exact = await visit(world, exact, browser=browser)
    identity = world.parts.get(Identity)
    async with world.database.page() as tx:
        assert await identity.lock(tx, await world.person("Binh"), "holder")
    await world.run_events()
    await Worker(world).deliver()
    (asked,) = listeners.servers[0].asked
    assert "sid" not in told(world, asked).claims
    (asked,) = listeners.servers[1].asked
    assert told(world, asked).claims["sid"] == decode_unverified(of_exact["id_token"]).claims["sid"]
    listeners.quiet()

    async with world.database.page() as tx:
        assert await identity.unlock(tx, await world.person("Binh"), "holder", cleared_by="desk")
    world.clock.advance(timedelta(seconds=30))
    await visit(world, plain, "Binh")
    async with world.database.page() as tx:
        await world.parts.get(Registry).record_death(tx, await world.person("Binh"), date(2026, 11, 1), "civil-status")
    await world.run_events()
    await Worker(world).deliver()
    assert len(listeners.servers[0].asked) == 1
    assert listeners.servers[1].asked == []


async def test_who_is_not_told(world: ProviderWorld, listeners: Listeners) -> None:
    """No address, no tokens fetched, suspended since: nobody is called."""
    world.clock.advance(timedelta(seconds=30))
    server = listeners.servers[0]
    silent = await world.register()
    browser, tokens = await visit(world, silent)
    unredeemed, suspended = await listening(world, server), await listening(world, server)
    await browser.walk(unredeemed, scope=SCOPE)
    await visit(world, suspended, browser=browser)
    await log_out(browser, tokens)
    assert [len(await messages(world, each)) for each in (silent, unredeemed, suspended)] == [0, 0, 1]
    await world.fetch("UPDATE oidc.clients SET state = 'suspended' WHERE client_id = $1", suspended.client_id)
    await Worker(world).deliver()
    (row,) = await messages(world, suspended)
    assert row["outcome"] == "dropped"
    assert server.connections == 0


@pytest.mark.parametrize(
    ("status", "outcome"), [("200 OK", "delivered"), ("204 No Content", "delivered"), ("400 Bad Request", "refused")]
)
async def test_answers_that_settle_it(world: ProviderWorld, server: OtherServer, status: str, outcome: str) -> None:
    """§2.8."""
    world.clock.advance(timedelta(seconds=30))
    portal = await listening(world, server)
    server.answering = answers(b"", status=status)
    await log_out(*await visit(world, portal))
    await Worker(world).deliver()
    (row,) = await messages(world, portal)
    assert row["outcome"] == outcome
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", ["500 Oh", "503 Later", "404 Not Found", "302 Found", "201 Created"])
async def test_answers_that_do_not(world: ProviderWorld, server: OtherServer, status: str) -> None:
    """Tried again, later each time, with a token of its own; then it is delivered."""
    world.clock.advance(timedelta(seconds=30))
    portal = await listening(world, server)
    server.answering = answers(b"", status=status, Location="/")
    await log_out(*await visit(world, portal))
    worker = Worker(world)
    await worker.deliver()
    (row,) = await messages(world, portal)
    assert (row["outcome"], row["attempts"]) == (None, 1)
    assert row["last_error"] == ("redirect" if status.startswith("302") else f"status-{status[:3]}")
    assert row["due_at"] - world.clock.now() == timedelta(seconds=RETRY_SECONDS[0])
    worker.second += 3600
    await worker.deliver()
    assert len(server.asked) == 1, "not before it is due"
    world.clock.advance(timedelta(seconds=RETRY_SECONDS[0]))
    server.answering = answers(b"")
    await worker.deliver()
    first, second = (told(world, asked).claims for asked in server.asked)
    assert first["jti"] != second["jti"]
    assert second["iat"] > first["iat"]
    (row,) = await messages(world, portal)
    assert row["outcome"] == "delivered"


async def test_tries_have_an_end(world: ProviderWorld, server: OtherServer) -> None:
    world.clock.advance(timedelta(seconds=30))
    portal = await listening(world, server)
    server.answering = answers(b"", status="500 Oh")
    await log_out(*await visit(world, portal))
    worker = Worker(world)
    for wait in (0, *RETRY_SECONDS):
        world.clock.advance(timedelta(seconds=wait))
        worker.second += 3600
        await worker.deliver()
    (row,) = await messages(world, portal)
    assert (row["outcome"], row["attempts"]) == ("given-up", MAX_ATTEMPTS)
    assert len(server.asked) == MAX_ATTEMPTS
    world.clock.advance(timedelta(days=8))
    await worker.delivery.tidy()
    assert await messages(world, portal) == []


async def test_a_worker_that_dies_at_the_last_try(world: ProviderWorld, server: OtherServer) -> None:
    """Nobody settles the message; tidying does."""
    world.clock.advance(timedelta(seconds=30))
    portal = await listening(world, server)
    await log_out(*await visit(world, portal))
    await world.fetch("UPDATE oidc.logout_messages SET attempts = $1", MAX_ATTEMPTS)
    worker = Worker(world)
    await worker.deliver()
    await worker.delivery.tidy()
    (row,) = await messages(world, portal)
    assert row["outcome"] == "given-up"
    assert server.asked == []


async def test_a_slow_service_holds_up_nobody(world: ProviderWorld, listeners: Listeners) -> None:
    """Case 58: two calls at most to one service, and the others are told meanwhile."""
    world.clock.advance(timedelta(seconds=30))
    slow, quick, _ = listeners.servers
    opened, told_meanwhile = asyncio.Event(), asyncio.Event()

    async def hold(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await opened.wait()
        await answers(b"")(asked, writer)

    async def note(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await answers(b"")(asked, writer)
        told_meanwhile.set()

    slow.answering, quick.answering = hold, note
    sluggish, brisk = await listening(world, slow), await listening(world, quick)
    for _ in range(4):
        world.clock.advance(timedelta(seconds=30))
        await log_out(*await visit(world, sluggish))
    world.clock.advance(timedelta(seconds=30))
    await log_out(*await visit(world, brisk))
    worker = Worker(world)
    await worker.deliver_beside_held_calls()
    await told_meanwhile.wait()
    assert slow.connections <= 2
    assert [row["attempts"] for row in await messages(world, sluggish)] == [1, 1, 0, 0]
    opened.set()
    await worker.delivery.settled()
    await worker.deliver()
    assert len(slow.asked) == 4
    assert slow.most_at_once <= 2
    assert {row["outcome"] for row in await messages(world, sluggish)} == {"delivered"}


async def test_a_dead_service_is_left_alone_for_a_while(world: ProviderWorld, listeners: Listeners) -> None:
    """One failed call, and its other messages wait instead of taking places."""
    dead = await world.register(backchannel_logout_uri="https://localhost:1/logout")
    world.clock.advance(timedelta(seconds=30))
    for _ in range(4):
        world.clock.advance(timedelta(seconds=30))
        await log_out(*await visit(world, dead))
    worker = Worker(world)
    await worker.deliver()
    rows = await messages(world, dead)
    tried = [row["attempts"] for row in rows]
    assert tried in ([1, 0, 0, 0], [1, 1, 0, 0]), "two may have been called at once"
    # The port is not on the list of the test: the guard refuses before any connection.
    assert {row["last_error"] for row in rows} == {"address", None}
    await worker.deliver()
    assert [row["attempts"] for row in await messages(world, dead)] == tried
    worker.second += 31
    await worker.deliver()
    assert sum(row["attempts"] for row in await messages(world, dead)) in {sum(tried) + 1, sum(tried) + 2}


async def test_an_event_that_is_handled_twice(world: ProviderWorld, server: OtherServer) -> None:
    world.clock.advance(timedelta(seconds=30))
    portal = await listening(world, server)
    browser, tokens = await visit(world, portal)
    sid = decode_unverified(tokens["id_token"]).claims["sid"]
    await log_out(browser, tokens)
    event = Event(
        await world.person("An"),
        "session.ended",
        {"person_id": str(await world.person("An")), "sid": sid},
        world.clock.now(),
    )
    for _ in range(2):
        async with world.worker.raw() as tx:
            await GrantEnder(world.clock).on_session_ended(tx, event)
    assert len(await messages(world, portal)) == 1


@pytest.mark.parametrize("alg", ["PS256", "RS256", "EdDSA"])
async def test_it_is_signed_as_the_id_token(world: ProviderWorld, server: OtherServer, alg: str) -> None:
    world.clock.advance(timedelta(seconds=30))
    portal = await listening(world, server, id_token_signed_response_alg=alg)
    browser, tokens = await visit(world, portal)
    assert decode_unverified(tokens["id_token"]).header["alg"] == alg
    await log_out(browser, tokens)
    await Worker(world).deliver()
    (asked,) = server.asked
    assert told(world, asked).token.header["alg"] == alg


async def test_it_is_encrypted_as_the_id_token(world: ProviderWorld, server: OtherServer) -> None:
    """§2.6: a client that gets encrypted id_tokens should refuse a logout token in the clear."""
    world.clock.advance(timedelta(seconds=30))
    key = ECKey.generate_key("P-256", {"use": "enc", "alg": "ECDH-ES", "kid": "for-us"})
    portal = await listening(
        world, server, jwks={"keys": [key.as_dict(private=False)]}, id_token_encrypted_response_alg="ECDH-ES"
    )
    browser, tokens = await visit(world, portal)

    def opened(token: str) -> bytes:
        found = jwe.decrypt_compact(token, key, algorithms=["ECDH-ES", "A256GCM", "A128GCM", "A128CBC-HS256"])
        assert found.plaintext is not None
        return found.plaintext

    signed = opened(tokens["id_token"]).decode()
    await log_out(browser, {"id_token": signed})
    await Worker(world).deliver()
    (asked,) = server.asked
    asked.body = b"logout_token=" + opened(asked.body.decode().removeprefix("logout_token="))
    assert told(world, asked).claims["sid"] == decode_unverified(signed).claims["sid"]


@pytest.mark.parametrize("member", ["backchannel_logout_uri", "frontchannel_logout_uri", "initiate_login_uri"])
@pytest.mark.parametrize("address", ["http://rp.example/x", "https://127.0.0.1/x", "https://rp.example/x#f", "x:y"])
async def test_addresses_that_cannot_be_registered(world: ProviderWorld, member: str, address: str) -> None:
    """Case 45."""
    changes: dict[str, Any] = {member: address}
    with pytest.raises(Exception, match="invalid-client-metadata"):
        await world.register(**changes)


async def test_metadata_and_return(world: ProviderWorld, server: OtherServer) -> None:
    document = (await world.http().get("/.well-known/openid-configuration")).json()
    assert document["backchannel_logout_supported"] is True
    assert document["backchannel_logout_session_supported"] is True
    # The browser goes back at once; nobody waits for the back channel.
    world.clock.advance(timedelta(seconds=30))
    portal = await listening(world, server)
    browser, tokens = await visit(world, portal)
    params = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": SIGNED_OUT}
    answer = await browser.http.get("/logout", params=params)
    assert answer.headers["location"] == SIGNED_OUT
    assert url_of(server).startswith("https://localhost:")

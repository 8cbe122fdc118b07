"""Keys at a client's `jwks_uri` (OpenID Connect Registration §2; security cases 45 and 46)."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.errors import Unavailable
from core.jose import SigningKey
from core.outbound import Outbound
from oidc.client_keys import AFTER_FAILURE_SECONDS, FRESH_SECONDS, UNKNOWN_KID_SECONDS, USABLE_SECONDS, ClientKeys
from oidc.clients import Client
from oidc.errors import OAuthError
from tests.actors.relying_party import RelyingParty
from tests.support.logout_world import Listeners, back_end_at, listeners, settings, url_of, world
from tests.support.other_servers import Answering, Asked, OtherServer, answers, says
from tests.support.provider_world import ProviderWorld

__all__ = ["listeners", "settings", "world"]


def published(*keys: SigningKey, **more: Any) -> Answering:
    """The server shows these keys."""
    body = json.dumps({"keys": [key.public().public_jwk() for key in keys], **more}).encode()
    return answers(body, content_type="application/jwk-set+json")


@pytest.fixture(autouse=True)
def server(listeners: Listeners) -> OtherServer:
    listeners.quiet()
    return listeners.servers[0]


async def asks(party: RelyingParty) -> httpx.Response:
    return await party.client_credentials()


async def client_of(world: ProviderWorld, party: RelyingParty) -> Client:
    found = await world.provider.foundation.clients.get(party.client_id)
    assert found is not None
    return found


class Seconds:
    """A process's own count, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# --- over the token endpoint -------------------------------------------------------------------------------


async def test_keys_are_fetched_and_kept(world: ProviderWorld, server: OtherServer) -> None:
    key, rotated = SigningKey.generate("ES256"), SigningKey.generate("ES256")
    party = await back_end_at(world, server, key)
    server.answering = published(key)
    for _ in range(3):
        assert (await asks(party)).status_code == 200
    assert len(server.asked) == 1
    # Rotation: the new key is found at its first use, without waiting.
    server.answering = published(key, rotated)
    party.key = rotated
    assert (await asks(party)).status_code == 200
    assert len(server.asked) == 2
    # A made-up kid a moment later makes nobody fetch again.
    party.key = SigningKey.generate("ES256")
    for _ in range(3):
        answer = await asks(party)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert len(server.asked) == 2
    party.key = rotated
    assert (await asks(party)).status_code == 200


@pytest.mark.parametrize(
    ("answering", "words"),
    [
        pytest.param(answers(b"{}", status="302 Found", Location="https://localhost/"), "redirect", id="redirect"),
        pytest.param(answers(b"x" * 70_000), "too large", id="size"),
        pytest.param(answers(b"{}", content_type="text/html"), "content type", id="content type"),
        pytest.param(answers(b"<html>"), "not JSON", id="no JSON"),
        pytest.param(answers(b'{"keys":[]}'), "1 to 20 keys", id="empty"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"), "encoded", id="gzip"),
    ],
)
async def test_a_set_that_cannot_be_used(
    world: ProviderWorld, server: OtherServer, answering: Answering, words: str
) -> None:
    """The client's fault: 401 invalid_client, in words for its developers."""
    party = await back_end_at(world, server, SigningKey.generate("ES256"))
    server.answering = answering
    answer = await asks(party)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert "jwks_uri" in answer.json()["error_description"]
    assert words in answer.json()["error_description"]


@pytest.mark.parametrize("member", ["private", "symmetric"])
async def test_one_secret_key_spoils_the_set(world: ProviderWorld, server: OtherServer, member: str) -> None:
    key = SigningKey.generate("ES256")
    party = await back_end_at(world, server, key)
    other = SigningKey.generate("EdDSA").private_jwk() if member == "private" else {"kty": "oct", "k": "AAAA"}
    body = json.dumps({"keys": [key.public().public_jwk(), other]}).encode()
    server.answering = answers(body)
    answer = await asks(party)
    assert answer.json()["error"] == "invalid_client"
    assert "private or symmetric" in answer.json()["error_description"]
    assert "AAAA" not in answer.text


@pytest.mark.parametrize(
    "answering", [pytest.param(answers(b"", status="503 Later"), id="503"), pytest.param(says(), id="no answer")]
)
async def test_a_server_that_is_down(world: ProviderWorld, server: OtherServer, answering: Answering) -> None:
    """Perhaps in a moment: 503, with when to come again; and no second call until then."""
    party = await back_end_at(world, server, SigningKey.generate("ES256"))
    server.answering = answering
    for _ in range(2):
        answer = await asks(party)
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        assert answer.headers["retry-after"] == str(AFTER_FAILURE_SECONDS)
    assert server.connections == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "2130706433", "0x7f.1", "169.254.169.254"])
async def test_addresses_that_cannot_be_registered(world: ProviderWorld, host: str) -> None:
    """Case 45."""
    with pytest.raises(OAuthError) as refused:
        await world.register(method="private_key_jwt", jwks=None, jwks_uri=f"https://{host}/jwks")
    assert refused.value.error == "invalid_client_metadata"


async def test_a_name_that_leads_inside(world: ProviderWorld, listeners: Listeners) -> None:
    """Case 45: a registered name whose address is private is not connected to."""
    server = listeners.servers[1]
    party = await world.register(
        method="private_key_jwt", jwks=None, jwks_uri=f"https://localhost.localdomain:{server.port}/jwks"
    )
    answer = await party.push(party.ask())
    assert answer.status_code in {401, 503}
    assert server.connections == 0


async def test_a_slow_client_holds_up_no_other(world: ProviderWorld, listeners: Listeners) -> None:
    """Case 46: while one key set dribbles in, other clients get their tokens."""
    slow, quick, _ = listeners.servers
    begun, opened, key = asyncio.Event(), asyncio.Event(), SigningKey.generate("ES256")

    async def dribble(asked: Asked, writer: asyncio.StreamWriter) -> None:
        begun.set()
        await opened.wait()
        await published(key)(asked, writer)

    slow.answering, quick.answering = dribble, published(key)
    waiting = await back_end_at(world, slow, key)
    others = [await back_end_at(world, quick, key), await world.register(grant_types=["client_credentials"])]
    held = [asyncio.create_task(asks(waiting)) for _ in range(5)]
    await begun.wait()
    assert [(await asks(other)).status_code for other in others] == [200, 200]
    opened.set()
    assert {answer.status_code for answer in await asyncio.gather(*held)} == {200}
    assert slow.connections == 1, "five requests, one fetch"


# --- the memory --------------------------------------------------------------------------------------------


@pytest.fixture
async def memory(world: ProviderWorld, server: OtherServer) -> tuple[ClientKeys, Client, Seconds, SigningKey]:
    """Keys of one client, known since this moment."""
    key, seconds = SigningKey.generate("ES256"), Seconds()
    client = await client_of(world, await back_end_at(world, server, key))
    keys = ClientKeys(world.parts.get(Outbound), seconds)
    server.answering = published(key)
    assert [each.kid for each in await keys.verification(client)] == [key.kid]
    return keys, client, seconds, key


Memory = tuple[ClientKeys, Client, Seconds, SigningKey]


async def test_fresh_stale_and_gone(memory: Memory, server: OtherServer) -> None:
    keys, client, seconds, key = memory
    seconds.now += FRESH_SECONDS - 1
    await keys.verification(client)
    assert len(server.asked) == 1
    seconds.now += 1
    await keys.verification(client)
    assert len(server.asked) == 2, "after ten minutes it is looked at again"
    server.answering = answers(b"", status="500 Oh")
    seconds.now += FRESH_SECONDS
    for _ in range(2):
        assert [each.kid for each in await keys.verification(client)] == [key.kid], "stale is better than nothing"
    assert len(server.asked) == 3, "and not asked again at once"
    seconds.now += USABLE_SECONDS - FRESH_SECONDS - 1
    assert await keys.verification(client)
    seconds.now += 1
    with pytest.raises(Unavailable):
        await keys.verification(client)
    server.answering = published(key)
    seconds.now += AFTER_FAILURE_SECONDS
    assert await keys.verification(client)


async def test_a_spoiled_set_ends_the_old_one(memory: Memory, server: OtherServer) -> None:
    """Its owner says by it that something is wrong: what was known before is not used on."""
    keys, client, seconds, key = memory
    server.answering = answers(json.dumps({"keys": [key.private_jwk()]}).encode())
    seconds.now += FRESH_SECONDS
    for _ in range(2):
        with pytest.raises(OAuthError) as refused:
            await keys.verification(client)
        assert refused.value.error == "invalid_client"


async def test_a_withdrawn_key_is_gone_at_the_next_look(memory: Memory, server: OtherServer) -> None:
    keys, client, _seconds, key = memory
    other = SigningKey.generate("ES256")
    server.answering = published(other)
    assert [each.kid for each in await keys.verification(client, kid=other.kid)] == [other.kid]
    assert key.kid not in {each.kid for each in await keys.verification(client, kid=other.kid)}


async def test_unknown_kids_are_limited(memory: Memory, server: OtherServer) -> None:
    keys, client, seconds, key = memory
    for number in range(20):
        assert [each.kid for each in await keys.verification(client, kid=f"made-up-{number}")] == [key.kid]
    assert len(server.asked) == 2
    seconds.now += UNKNOWN_KID_SECONDS
    await asyncio.gather(*(keys.verification(client, kid=f"made-up-{number}") for number in range(20)))
    assert len(server.asked) == 3
    await keys.verification(client, kid=key.kid)
    assert len(server.asked) == 3


async def test_who_comes_while_a_new_key_is_fetched_waits_for_it(memory: Memory, server: OtherServer) -> None:
    keys, client, _seconds, key = memory
    rotated = SigningKey.generate("ES256")
    server.answering = published(key, rotated)
    found = await asyncio.gather(*(keys.verification(client, kid=rotated.kid) for _ in range(8)))
    assert all(rotated.kid in {each.kid for each in one} for one in found)
    assert len(server.asked) == 2


async def test_who_gives_up_ends_it_for_nobody(memory: Memory, server: OtherServer) -> None:
    keys, client, seconds, key = memory
    begun, opened = asyncio.Event(), asyncio.Event()

    async def hold(asked: Asked, writer: asyncio.StreamWriter) -> None:
        begun.set()
        await opened.wait()
        await published(key)(asked, writer)

    server.answering = hold
    seconds.now += FRESH_SECONDS
    impatient, patient = (asyncio.create_task(keys.verification(client)) for _ in range(2))
    await begun.wait()
    impatient.cancel()
    opened.set()
    assert [each.kid for each in await patient] == [key.kid]
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_another_address_is_another_set(world: ProviderWorld, memory: Memory, server: OtherServer) -> None:
    keys, client, _seconds, _key = memory
    other = SigningKey.generate("ES256")
    server.answering = published(other)
    await world.fetch(
        "UPDATE oidc.clients SET jwks_uri = $2, changed_at = $3 WHERE client_id = $1",
        client.client_id,
        url_of(server, "/other"),
        world.clock.now() + timedelta(seconds=1),
    )
    world.provider.foundation.clients.forget_all()
    moved = await world.provider.foundation.clients.get(client.client_id)
    assert moved is not None
    assert [each.kid for each in await keys.verification(moved)] == [other.kid]
    assert server.asked[-1].path == "/other"

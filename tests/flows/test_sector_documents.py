"""`sector_identifier_uri` (OpenID Connect Core §8.1, Registration §5; security case 48)."""

import json
from typing import Any

import pytest

from core.jose import decode_unverified
from oidc.errors import OAuthError
from tests.actors.relying_party import RelyingParty
from tests.support.logout_world import Listeners, listeners, settings, url_of, world
from tests.support.other_servers import Answering, OtherServer, answers
from tests.support.provider_world import ProviderWorld

__all__ = ["listeners", "settings", "world"]

FIRST, SECOND, THIRD = (f"https://{host}.example/callback" for host in ("one", "two", "three"))


def lists(*addresses: Any) -> Answering:
    return answers(json.dumps(list(addresses)).encode())


@pytest.fixture(autouse=True)
def server(listeners: Listeners) -> OtherServer:
    listeners.quiet()
    return listeners.servers[0]


async def portal(world: ProviderWorld, *redirects: str, **changes: Any) -> RelyingParty:
    return await world.register(redirect_uris=list(redirects), post_logout_redirect_uris=[], **changes)


async def subject(world: ProviderWorld, party: RelyingParty, key: str = "An") -> str:
    attempt, got = await world.browser().walk(party, key, scope="openid")
    answer = await party.exchange(attempt, got["code"])
    return str(decode_unverified(answer.json()["id_token"]).claims["sub"])


async def test_one_subject_for_all_addresses_of_a_sector(world: ProviderWorld, server: OtherServer) -> None:
    """Different hosts, one sector: one `sub`; without the document each host has its own."""
    server.answering = lists(FIRST, SECOND)
    uri = url_of(server, "/sector.json")
    together = [await portal(world, FIRST, sector_identifier_uri=uri)]
    together.append(await portal(world, FIRST, SECOND, sector_identifier_uri=uri))
    alone = await portal(world, FIRST)
    subjects = {await subject(world, party, "Chau") for party in together}
    assert len(subjects) == 1
    assert await subject(world, alone, "Chau") not in subjects
    together[1].redirect_uri = SECOND
    assert {await subject(world, together[1], "Chau")} == subjects
    rows = await world.fetch(
        "SELECT DISTINCT sector FROM oidc.clients WHERE client_id = ANY ($1)", [each.client_id for each in together]
    )
    assert [row["sector"] for row in rows] == ["localhost"], "the host of the document"
    assert len(server.asked) == 2, "at registration, and not again"


@pytest.mark.parametrize(
    ("answering", "words"),
    [
        pytest.param(lists(FIRST), "every redirect address", id="one is missing"),
        pytest.param(lists(FIRST, SECOND + "/"), "every redirect address", id="not the same"),
        pytest.param(lists(), "every redirect address", id="empty"),
        pytest.param(lists(FIRST, SECOND, 1), "array of addresses", id="a number"),
        pytest.param(answers(json.dumps({"a": FIRST}).encode()), "array of addresses", id="an object"),
        pytest.param(answers(b"["), "not JSON", id="no JSON"),
        pytest.param(answers(b"[]", status="404 Not Found"), "not 200", id="not found"),
        pytest.param(answers(b"[]", status="301 Moved", Location="https://x.example/"), "redirect", id="moved"),
        pytest.param(answers(b"[" + b" " * 70_000 + b"]"), "too large", id="large"),
    ],
)
async def test_documents_that_do_not_hold(
    world: ProviderWorld, server: OtherServer, answering: Answering, words: str
) -> None:
    server.answering = answering
    with pytest.raises(OAuthError) as refused:
        await portal(world, FIRST, SECOND, sector_identifier_uri=url_of(server, "/sector.json"))
    assert refused.value.error == "invalid_client_metadata"
    assert "sector_identifier_uri" in refused.value.description
    assert words in refused.value.description


@pytest.mark.parametrize("address", ["http://one.example/s", "https://127.0.0.1/s", "https://[::1]/s", "s.json"])
async def test_addresses_that_are_not_called(world: ProviderWorld, server: OtherServer, address: str) -> None:
    """Case 45."""
    with pytest.raises(OAuthError) as refused:
        await portal(world, FIRST, SECOND, sector_identifier_uri=address)
    assert refused.value.error == "invalid_client_metadata"


async def test_several_hosts_need_a_document(world: ProviderWorld) -> None:
    with pytest.raises(OAuthError) as refused:
        await portal(world, FIRST, THIRD)
    assert refused.value.error == "invalid_client_metadata"

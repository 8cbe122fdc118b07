"""Sectors of several hosts (OpenID Connect Registration §5, Core §8.1): security cases 45 and 48."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast

import orjson
import pytest
from sqlalchemy.pool import QueuePool

from consent.api import Consent
from core.database import Database
from core.outbound import Outbound
from identity.api import Identity
from oidc.api import Registration
from tests.actors.client_admin import LIST, approved, changed_form, client_admin, errors_in, make_unit, reviews_in
from tests.actors.registering_client import Registration as Registered
from tests.actors.registering_client import new_token, post, web_client
from tests.actors.relying_party import RelyingParty
from tests.support.certificates import Authority
from tests.support.other_servers import Asked, NameServer, OtherServer, answers, other_server
from tests.support.provider_fixture import world as world
from tests.support.provider_world import ProviderWorld

HOST = "sector.example"
_STEP = timedelta(seconds=30)
ADDRESSES = ["https://one.example/cb", "https://two.example/cb"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made(tmp_path_factory.mktemp("ca"))


@pytest.fixture
async def sector(world: ProviderWorld, authority: Authority) -> AsyncIterator[OtherServer]:
    """A server with a document, which the application may call though it lies on this machine."""
    tls: ssl.SSLContext = authority.server(HOST)
    async with other_server(answers(orjson.dumps(ADDRESSES)), tls) as server:
        outbound = Outbound(
            allowed=(f"{HOST}:{server.port}",), ca_file=authority.ca_file, resolve=NameServer([("127.0.0.1",)])
        )
        before = world.parts._parts[Registration]
        world.parts._parts[Registration] = Registration(
            settings=world.settings,
            clock=world.clock,
            database=world.database,
            outbound=outbound,
            identity=world.parts.get(Identity),
            consent=world.parts.get(Consent),
            registrar=world.provider.registrar,
        )
        yield server
        world.parts._parts[Registration] = before
        outbound.close()


async def ask(world: ProviderWorld, server: OtherServer | str, **changes: Any) -> Any:
    uri = server if isinstance(server, str) else server.url("/sector.json", HOST)
    metadata = web_client(redirect_uris=ADDRESSES, sector_identifier_uri=uri, **changes)
    return await post(world.http(), await new_token(world), metadata)


async def test_several_hosts_need_a_document(world: ProviderWorld, sector: OtherServer) -> None:
    alone = await post(world.http(), await new_token(world), web_client(redirect_uris=ADDRESSES))
    assert alone.json()["error"] == "invalid_client_metadata"
    answer = await ask(world, sector)
    assert answer.status_code == 201, answer.text
    row = (await world.fetch("SELECT sector FROM oidc.clients WHERE client_id = $1", answer.json()["client_id"]))[0]
    assert row["sector"] == HOST

    made = Registered(world.http(), answer.json())
    assert (await made.change()).status_code == 200
    sector.answering = answers(orjson.dumps(ADDRESSES[:1]))
    refused = await made.change()  # the document is read again
    assert refused.json()["error"] == "invalid_client_metadata"


@pytest.mark.parametrize(
    "document",
    [
        orjson.dumps(ADDRESSES[:1]),
        orjson.dumps([]),
        b"{}",
        b"[1]",
        b"not json",
        orjson.dumps(["https://one.example/cb/", "https://two.example/cb"]),
        orjson.dumps(ADDRESSES + ["x"] * 1000),
    ],
)
async def test_documents_that_do_not_list_it(world: ProviderWorld, sector: OtherServer, document: bytes) -> None:
    sector.answering = answers(document)
    answer = await ask(world, sector)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert "sector_identifier_uri" in answer.json()["error_description"]


async def test_nothing_is_fetched_from_where_it_should_not(world: ProviderWorld, sector: OtherServer) -> None:
    for uri in (f"https://127.0.0.1:{sector.port}/", f"https://other.example:{sector.port}/", "https://localhost/"):
        assert (await ask(world, uri)).json()["error"] == "invalid_client_metadata"
    assert sector.connections == 0


async def test_one_person_is_the_same_within_a_sector_only(world: ProviderWorld, sector: OtherServer) -> None:
    first, second = (await ask(world, sector)).json(), (await ask(world, sector)).json()
    third = (await post(world.http(), await new_token(world), web_client())).json()
    subjects = [await _subject(world, told) for told in (first, second, third)]
    assert subjects[0] == subjects[1]
    assert subjects[0] != subjects[2]


async def _subject(world: ProviderWorld, told: dict[str, Any]) -> str:
    party = RelyingParty(
        world.http(),
        world.clock,
        world.issuer,
        told["client_id"],
        secret=told["client_secret"],
        redirect_uri=told["redirect_uris"][0],
    )
    attempt, got = await world.browser().walk(party)
    tokens = (await party.exchange(attempt, got["code"])).json()
    payload = tokens["id_token"].split(".")[1]
    found: str = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"]
    world.clock.advance(_STEP)  # a code of the authenticator is good once
    return found


async def test_no_connection_waits_for_a_document(world: ProviderWorld, sector: OtherServer) -> None:
    """The pool of sessions is small, and the server a stranger's: it may answer as slowly as it likes."""
    await make_unit(world)
    pool = cast(QueuePool, world.parts.get(Database).engine.pool)
    held = []

    async def slowly(asked: Asked, writer: asyncio.StreamWriter) -> None:
        held.append(pool.checkedout())
        await answers(orjson.dumps(ADDRESSES))(asked, writer)

    sector.answering = slowly
    entries = {
        "redirect_uris": "\n".join(ADDRESSES),
        "further": json.dumps({"sector_identifier_uri": sector.url("/sector.json", HOST)}),
    }
    async with client_admin(world, "Minh") as first, client_admin(world, "Nga") as second:
        client_id = await approved(first, second, **entries)
        changed = await changed_form(first, path=f"{LIST}/{client_id}/change", name_vi="Tên mới")
        assert 'id="told"' in changed.text, changed.text[:3000]
        review = reviews_in(changed)[-1]
        assert 'id="told"' in (await second.decide(review, "approve")).text
        assert held == [0, 0, 0], "when it was proposed, when the change was, when that was approved"

        again = reviews_in(await changed_form(first, path=f"{LIST}/{client_id}/change", name_vi="Tên nữa"))[-1]
        sector.answering = answers(b"[]")
        refused = await second.decide(again, "approve")
        assert (refused.status_code, "sector_identifier_uri" in refused.text) == (400, True)
        assert "Tên nữa" not in (await second.open(f"{LIST}/{client_id}")).text
        assert errors_in(await first.propose(**entries)) == {"further"}

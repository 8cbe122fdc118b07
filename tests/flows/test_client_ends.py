"""The radar sees what no row of a client holds: keys at its `jwks_uri`, the certificate it came with last."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from core.cache import Cache
from core.jose import SigningKey
from core.settings import Settings
from oidc.api import ClientEnds
from oidc.client_ends import NOTHING
from service.embedded import EmbeddedUrls
from tests.actors.client_admin import LIST, client_admin
from tests.actors.relying_party import RelyingParty
from tests.support.client_certificates import NOW, issue
from tests.support.clients_fixture import world
from tests.support.logout_world import Listeners, back_end_at, listeners, url_of
from tests.support.mtls import ROOT, STRANGER, SUBJECT, mtls_settings, named, refused, shown
from tests.support.other_servers import OtherServer, answers
from tests.support.provider_world import ProviderWorld

__all__ = ["listeners", "world"]

TONES = r'<span class="tag (good|warn|bad)">([^<]+)<'


@pytest.fixture(scope="module")
def settings(database_urls: EmbeddedUrls, tmp_path_factory: pytest.TempPathFactory, listeners: Listeners) -> Settings:
    """Behind a proxy that hands on certificates, and with servers of others that may be called."""
    return mtls_settings(
        database_urls,
        tmp_path_factory.mktemp("data"),
        outbound_allowed=tuple(f"localhost:{server.port}" for server in listeners.servers),
        outbound_ca_file=listeners.authority.ca_file,
    )


@pytest.fixture
def server(listeners: Listeners) -> OtherServer:
    listeners.quiet()
    return listeners.servers[0]


def shows(server: OtherServer, *keys: dict[str, Any]) -> None:
    server.answering = answers(json.dumps({"keys": keys}).encode(), content_type="application/jwk-set+json")


def published(key: SigningKey, **more: Any) -> dict[str, Any]:
    return {**key.public().public_jwk(), **more}


def in_days(days: float) -> int:
    return int((NOW + timedelta(days=days)).timestamp())


async def fetched(world: ProviderWorld, server: OtherServer, key: SigningKey) -> RelyingParty:
    """A back end whose keys lie at the server, and which has just used one of them."""
    party = await back_end_at(world, server, key)
    answer = await party.client_credentials()
    assert answer.status_code == 200, answer.text
    return party


async def radar_of(world: ProviderWorld, client_id: str) -> tuple[str, list[tuple[str, str]]]:
    """The page, and what its radar says, the nearest first."""
    await world.parts.get(ClientEnds).written()
    async with client_admin(world, "Minh") as admin:
        page = (await admin.open(f"{LIST}/{client_id}")).text
    _, _, table = page.partition('id="radar"')
    return page, re.findall(TONES, table.split("</table>")[0])


async def test_keys_at_an_address_of_the_clients_own(world: ProviderWorld, server: OtherServer) -> None:
    key, certified = SigningKey.generate("ES256"), issue(ends=timedelta(days=5))
    shows(
        server,
        published(key, exp=in_days(20)),
        {**certified.jwk, "kid": "certified", "use": "sig"},
        published(SigningKey.generate("ES256"), exp=in_days(0.4), kid="nearly-over"),
        published(SigningKey.generate("ES256"), kid="endless"),
    )
    party = await fetched(world, server, key)
    calls = len(server.asked)
    page, tones = await radar_of(world, party.client_id)
    assert tones == [("bad", "Trong một ngày"), ("warn", "Trong 7 ngày"), ("warn", "Trong 30 ngày")]
    assert re.findall(r"certified|nearly-over|endless", page) == ["nearly-over", "certified"]
    assert 'id="keys-read"' in page
    async with client_admin(world, "Minh") as admin:
        listed = (await admin.open(LIST)).text
    assert "Trong một ngày" in listed.split(f"{LIST}/{party.client_id}")[1].split("</tr>")[0]
    assert len(server.asked) == calls, "no page fetches"


async def test_the_set_that_was_read_last_counts(world: ProviderWorld, server: OtherServer) -> None:
    key = SigningKey.generate("ES256")
    shows(server, published(key, exp=in_days(5)))
    party = await fetched(world, server, key)
    assert (await radar_of(world, party.client_id))[1] == [("warn", "Trong 7 ngày")]
    renewed = SigningKey.generate("ES256")
    shows(server, published(renewed, exp=in_days(300)))
    party.key = renewed  # a kid that is not known: the set is fetched again
    assert (await party.client_credentials()).status_code == 200
    assert (await radar_of(world, party.client_id))[1] == [("good", "Còn xa")]


async def test_what_was_read_elsewhere_says_nothing(world: ProviderWorld, server: OtherServer) -> None:
    """Another address, or none any more."""
    key = SigningKey.generate("ES256")
    shows(server, published(key, exp=in_days(5)))
    party = await fetched(world, server, key)
    for address in (url_of(server, "/other"), None):
        jwks = None if address else {"keys": [published(key)]}
        async with world.owner.raw() as tx:
            await tx.conn.execute(
                "UPDATE oidc.clients SET jwks_uri = $2, jwks = $3 WHERE client_id = $1",
                party.client_id,
                address,
                jwks,
            )
        page, tones = await radar_of(world, party.client_id)
        assert tones == []
        assert 'id="radar-empty"' in page
        assert ('id="keys-unread"' in page) is (address is not None)


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (200, ("good", "Còn xa")),
        (20, ("warn", "Trong 30 ngày")),
        (5, ("warn", "Trong 7 ngày")),
        (0.5, ("bad", "Trong một ngày")),
    ],
)
async def test_the_certificate_of_an_authority(world: ProviderWorld, days: float, told: tuple[str, str]) -> None:
    party = await named(world)
    page, tones = await radar_of(world, party.client_id)
    assert tones == []
    assert (await shown(party, issue(SUBJECT, by=ROOT, ends=timedelta(days=days)))).status_code == 200
    page, tones = await radar_of(world, party.client_id)
    assert tones == [told]
    assert "Chứng thư mà ứng dụng dùng lần gần nhất" in page


async def test_a_renewed_certificate_is_seen_at_once_and_a_strangers_never(world: ProviderWorld) -> None:
    party = await named(world)
    await shown(party, issue(SUBJECT, by=ROOT, ends=timedelta(days=5)))
    await shown(party, issue(SUBJECT, by=ROOT, ends=timedelta(days=90)))
    assert (await radar_of(world, party.client_id))[1] == [("good", "Còn xa")]
    refused(await shown(party, issue(SUBJECT, by=STRANGER, ends=timedelta(days=2))))
    refused(await shown(party, issue(by=ROOT, ends=timedelta(days=2))))
    assert (await radar_of(world, party.client_id))[1] == [("good", "Còn xa")]
    async with world.owner.raw() as tx:
        jwks = {"keys": [published(SigningKey.generate("ES256"))]}
        await tx.conn.execute(
            "UPDATE oidc.clients SET auth_method = 'private_key_jwt', jwks = $2 WHERE client_id = $1",
            party.client_id,
            jwks,
        )
    assert (await radar_of(world, party.client_id))[1] == [], "it needs no certificate any more"


async def test_a_certificate_of_its_own(world: ProviderWorld) -> None:
    """The registered key says nothing of the certificate that is shown for it."""
    held = issue(ends=timedelta(days=6))
    jwk = {name: value for name, value in held.jwk.items() if name != "x5c"}
    party = await world.register(
        method="self_signed_tls_client_auth",
        grant_types=["client_credentials"],
        dpop_bound_access_tokens=False,
        jwks={"keys": [{**jwk, "use": "sig", "kid": "own"}]},
    )
    assert (await shown(party, held)).status_code == 200
    assert (await radar_of(world, party.client_id))[1] == [("warn", "Trong 7 ngày")]


async def test_without_redis_requests_go_on_and_what_is_registered_is_told(world: ProviderWorld) -> None:
    party = await named(world)
    broken = ClientEnds(Cache.connect("redis://127.0.0.1:1/0"), world.clock)
    mine = world.parts._parts[ClientEnds]
    world.parts._parts[ClientEnds] = broken
    try:
        assert (await shown(party, issue(SUBJECT, by=ROOT, ends=timedelta(days=5)))).status_code == 200
        page, tones = await radar_of(world, party.client_id)
        assert tones == []
        assert 'id="radar-empty"' in page
    finally:
        world.parts._parts[ClientEnds] = mine
        await broken.close()
        await broken._cache.close()


async def test_notes_hold_names_and_times_and_an_unreadable_one_says_nothing(
    world: ProviderWorld, server: OtherServer
) -> None:
    key = SigningKey.generate("ES256")
    shows(server, published(key, exp=1e300), published(SigningKey.generate("ES256"), exp="soon", x5c=["?"], kid="<b>"))
    party = await fetched(world, server, key)
    ends, cache = world.parts.get(ClientEnds), world.parts.get(Cache)
    await ends.written()
    place: Any = await cache.redis.hgetall(cache.key("client-ends", party.client_id))
    assert set(place) == {b"keys"}
    assert set(json.loads(place[b"keys"])) == {"uri", "at", "ends"}
    assert json.loads(place[b"keys"])["ends"] == []
    for broken in (b"{", b"[]", b'{"uri": 1}', b'{"uri": "x", "at": 1, "ends": [5]}'):
        await cache.redis.hset(cache.key("client-ends", party.client_id), b"keys", broken)
        assert await ends.seen([party.client_id, "c-nobody"]) == {party.client_id: NOTHING, "c-nobody": NOTHING}

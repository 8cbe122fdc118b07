"""The provider's world with services of others on real sockets: they are told of logouts, keep key sets and the like.

Import `listeners`, `settings` and `world` into a test module. `listeners` are TLS servers on the loopback address whose
certificate the provider believes by its settings (an allow-list and an authority of the test).
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import pytest

from core.jose import SigningKey, VerifiedJwt, decode_unverified, verify_signature
from core.outbound import Outbound
from core.settings import Settings
from oidc.client_keys import ClientKeys
from oidc.clients import Clients
from oidc.logout.delivery import LogoutDelivery
from privacy.pseudonyms.api import Pseudonyms
from privacy.vault.api import Vault
from tests.actors.relying_party import RelyingParty
from tests.support.certificates import Authority
from tests.support.other_servers import Asked, OtherServer, answers, other_server
from tests.support.provider_fixture import world as world
from tests.support.provider_world import ProviderWorld

LISTENERS = 3


@dataclass
class Listeners:
    """Servers of others. authority: who made their certificates."""

    authority: Authority
    servers: list[OtherServer] = field(default_factory=list)

    def quiet(self) -> None:
        """Everybody has been told nothing, and answers 200."""
        for server in self.servers:
            server.asked.clear()
            server.connections = server.most_at_once = 0
            server.answering = answers(b"", content_type="text/plain")


@pytest.fixture(scope="module")
async def listeners(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Listeners]:
    made = Listeners(Authority.made(tmp_path_factory.mktemp("ca")))
    tls = made.authority.server("localhost")
    async with AsyncExitStack() as stack:
        for _ in range(LISTENERS):
            made.servers.append(await stack.enter_async_context(other_server(answers(), tls)))
        made.quiet()
        yield made


@pytest.fixture(scope="module")
def settings(settings: Settings, listeners: Listeners) -> Settings:
    allowed = tuple(f"localhost:{server.port}" for server in listeners.servers)
    return settings.model_copy(update={"outbound_allowed": allowed, "outbound_ca_file": listeners.authority.ca_file})


def url_of(server: OtherServer, path: str = "/logout") -> str:
    return server.url(path, host="localhost")


@dataclass
class Told:
    """A logout token as it came, its signature checked with the published keys."""

    token: VerifiedJwt

    @property
    def claims(self) -> dict[str, Any]:
        return dict(self.token.claims)


def told(world: ProviderWorld, asked: Asked) -> Told:
    """Reads what a service was sent (Back-Channel Logout §2.5), strictly."""
    assert asked.method == "POST"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    form = parse_qs(asked.body.decode("ascii"), strict_parsing=True)
    assert list(form) == ["logout_token"]
    (token,) = form["logout_token"]
    kid = decode_unverified(token).header["kid"]
    (key,) = [key for key in world.provider.foundation.keys.verification_keys() if key.kid == kid]
    return Told(verify_signature(token, key, typ={"logout+jwt"}))


class Worker:
    """A worker process as far as logouts go: the same rooms, the worker's own login to the database."""

    def __init__(self, world: ProviderWorld) -> None:
        self.world = world
        self.second = 0.0
        outbound = world.parts.get(Outbound)
        self.delivery = LogoutDelivery(
            issuer=world.issuer,
            database=world.worker,
            clock=world.clock,
            clients=Clients(world.worker),
            client_keys=ClientKeys(outbound),
            keys=world.provider.foundation.keys,
            pseudonyms=Pseudonyms(world.parts.get(Vault).secret("pseudonyms")),
            outbound=outbound,
            seconds=lambda: self.second,
        )

    async def deliver(self) -> None:
        """All that is due, to the end, however long the calls take."""
        while await self.delivery.step():
            await self.delivery.settled()

    async def deliver_beside_held_calls(self) -> None:
        """All that is due but what waits for a call that is being held."""
        while await self.delivery.step():
            pass


async def listening(world: ProviderWorld, server: OtherServer, **changes: Any) -> RelyingParty:
    """A portal that wants to be told at this server."""
    return await world.register(backchannel_logout_uri=url_of(server), **changes)


async def messages(world: ProviderWorld, party: RelyingParty) -> list[Any]:
    """The rows for a portal, oldest first."""
    return await world.fetch(
        "SELECT * FROM oidc.logout_messages WHERE client_id = $1 ORDER BY created_at, message_id", party.client_id
    )


async def back_end_at(world: ProviderWorld, server: OtherServer, key: SigningKey, **changes: Any) -> RelyingParty:
    """A back end of profile fapi2 whose keys lie at the server."""
    party = await world.register(
        profile="fapi2",
        method="private_key_jwt",
        grant_types=["client_credentials"],
        jwks=None,
        jwks_uri=url_of(server, "/jwks"),
        **changes,
    )
    party.key = key
    return party

"""CIBA and device authorization put together: the endpoints, the pages, the grant types, what the worker does."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.cache import Cache
from core.clock import Clock
from core.database import Database
from core.interaction import Interactions
from core.outbound import Outbound
from oidc.asked_elsewhere import AskedElsewhere
from oidc.authorize.walk import Walk
from oidc.ciba import requests as ciba_requests
from oidc.ciba.endpoint import CibaEndpoint
from oidc.ciba.grant_type import ciba
from oidc.ciba.pages import CibaPages
from oidc.ciba.person import People
from oidc.ciba.ping import Pings
from oidc.ciba.requests import CibaRequests
from oidc.client_authentication import ClientAuthentication
from oidc.device import requests as device_requests
from oidc.device.endpoint import DeviceEndpoint
from oidc.device.grant_type import device_code
from oidc.device.pages import DevicePages
from oidc.device.requests import DeviceRequests
from oidc.registration.check import DEVICE
from oidc.registration.check_options import CIBA
from oidc.token.endpoint import GrantType
from population_db.api import Registry
from privacy.pseudonyms.api import Pseudonyms
from privacy.vault.api import Vault

GRANTS: Mapping[str, GrantType] = {CIBA: ciba, DEVICE: device_code}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """One per process. pings: for the worker."""

    ciba: CibaEndpoint
    ciba_pages: CibaPages
    device: DeviceEndpoint
    device_pages: DevicePages
    pings: Pings

    async def forget(self) -> int:
        """Removes requests that ended a day ago; the worker's login. Gives how many. Raises Unavailable."""
        now = self.pings.clock.now()
        async with self.pings.database.raw() as tx:
            return await ciba_requests.forget(tx, now=now) + await device_requests.forget(tx, now=now)


def build_elsewhere(
    asked: AskedElsewhere,
    *,
    authentication: ClientAuthentication,
    walk: Walk,
    interactions: Interactions,
    registry: Registry,
    vault: Vault,
    pseudonyms: Pseudonyms,
    outbound: Outbound,
    cache: Cache,
    clock: Clock,
) -> Elsewhere:
    database: Database = asked.database
    people = People(asked.issuer, registry, vault, asked.keys)
    of_agencies, of_kiosks = CibaRequests(vault), DeviceRequests(vault)
    return Elsewhere(
        ciba=CibaEndpoint(asked, authentication, people, of_agencies, cache, clock),
        ciba_pages=CibaPages(asked, of_agencies, interactions, walk, pseudonyms, clock),
        device=DeviceEndpoint(asked, authentication, of_kiosks, cache, clock),
        device_pages=DevicePages(asked, of_kiosks, interactions, walk, cache, clock),
        pings=Pings(database, clock, vault, asked.clients, outbound),
    )

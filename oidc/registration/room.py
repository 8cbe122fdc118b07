"""Registration as one object of a process: the two endpoints, and the acts that pages and commands do."""

from consent.api import Consent
from core.clock import Clock
from core.database import Database
from core.outbound import Outbound
from core.settings import Settings
from identity.api import Identity
from oidc.registration.check import SectorDocument
from oidc.registration.desk import RegistrationDesk
from oidc.registration.endpoint import RegistrationEndpoint
from oidc.registration.manage import ManagementEndpoint
from oidc.registration.register import Registrar
from oidc.registration.rooms import RegistrationRooms
from oidc.registration.sector_document import check_sector_document


class Registration:
    """One per process. registrar: the provider's."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        database: Database,
        outbound: Outbound,
        identity: Identity,
        consent: Consent,
        registrar: Registrar,
    ) -> None:
        async def check_sector(document: SectorDocument | None) -> None:
            await check_sector_document(outbound, document)

        self.desk = RegistrationDesk(settings.issuer, consent, registrar, check_sector)
        rooms = RegistrationRooms(settings.issuer, database, clock, identity, consent, registrar, check_sector)
        self.registration = RegistrationEndpoint(rooms)
        self.management = ManagementEndpoint(rooms)

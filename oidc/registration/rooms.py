"""What the endpoints of registration work with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from consent.api import Consent
from core.clock import Clock
from core.database import Database
from identity.api import Identity
from oidc.registration.check import SectorDocument
from oidc.registration.register import Registrar

CheckSector = Callable[[SectorDocument | None], Awaitable[None]]
"""Fetches the document at a `sector_identifier_uri`; raises OAuthError when it does not list every address."""


@dataclass(frozen=True, slots=True)
class RegistrationRooms:
    """Rooms and constants, the same for registering and for managing."""

    issuer: str
    database: Database
    clock: Clock
    identity: Identity
    consent: Consent
    registrar: Registrar
    check_sector: CheckSector

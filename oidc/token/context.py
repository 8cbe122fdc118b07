"""What a grant type works with: the request as it was proven, and the rooms it may use."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.database import Database
from core.record import record
from oidc.client_keys import ClientKeys
from oidc.clients import Client
from oidc.signing_keys import SigningKeys
from privacy.pseudonyms.api import Pseudonyms


@record
class TokenRequest:
    """A token request of an authenticated client. jkt: the key of its DPoP proof. x5t: SHA-256 thumbprint of its
    certificate, when its tokens are bound to that (RFC 8705 §3)."""

    client: Client
    parameters: Mapping[str, str]
    jkt: str | None
    x5t: str | None
    now: datetime

    @property
    def holder(self) -> str | None:
        """The thumbprint of what the requester proved to hold, its DPoP key before its certificate."""
        return self.jkt or self.x5t


@dataclass(frozen=True, slots=True)
class TokenRooms:
    """Rooms and constants of the token endpoint."""

    issuer: str
    database: Database
    keys: SigningKeys
    pseudonyms: Pseudonyms
    client_keys: ClientKeys

"""What consent asks of packages above it. Declared here, implemented there, plugged by the composition root."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import field
from typing import Any, Protocol

from core.database import Tx
from core.record import record


@record
class Recipient:
    """Who gets the data (bên nhận dữ liệu): the agency, by its internal id and its public code."""

    agency_id: uuid.UUID
    code: str


class ClientRecipients(Protocol):
    """Which agency an OAuth client belongs to; from memory, at most a second old."""

    async def recipient(self, client_id: str) -> Recipient | None:
        """None when there is no such client, or it is suspended. Raises Unavailable."""
        ...


class GrantStatusInTx(Protocol):
    """Which grants are live, asked in the transaction that writes the journal."""

    async def live(self, tx: Tx, grant_ids: Collection[uuid.UUID]) -> frozenset[uuid.UUID]:
        """The live ones among them, persons' grants and standing ones of clients."""
        ...


@record
class AllowedLookup:
    """What a person let a client look up of his own record: for one purpose, these fields, resting on these
    consents; for this procedure and dossier when he was told of one (RFC 9396)."""

    purpose: str
    fields: frozenset[str]
    consent_ids: frozenset[uuid.UUID]
    procedure: str | None = None
    dossier: str | None = field(default=None, repr=False)


@record
class PersonGrant:
    """A person's grant to a client, as far as lookups go."""

    person_id: uuid.UUID
    client_id: str
    lookups: tuple[AllowedLookup, ...]


class PersonGrants(Protocol):
    """Whose token it is that a client shows."""

    async def person_grant(self, grant_id: uuid.UUID) -> PersonGrant | None:
        """None when no person gave it (a client acts for itself). Raises Unavailable."""
        ...


class AnswerSigner(Protocol):
    """Signs an answer with the provider's ES256 key."""

    async def sign_answer(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """A compact JWS with `typ` and `kid`; the key is in the published JWKS."""
        ...

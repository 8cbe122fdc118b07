"""What of the provider needs no other room: clients, keys, the truth of grants. Built first, since consent
and the lookup API plug into it before the provider itself can be built on them."""

import uuid
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import ARRAY, Uuid, bindparam, func, select, union_all

from consent.api import AllowedLookup, PersonGrant, Recipient
from core.clock import Clock
from core.database import Database, Query, Tx
from core.jose import VerificationKey
from oidc import grants
from oidc.authorization_details import LookupDetail
from oidc.clients import Clients
from oidc.grant_status import GrantStatuses
from oidc.public_origins import PublicOrigins
from oidc.signing_keys import SigningKeys
from oidc.tables import GrantRow, StandingGrantRow
from oidc.token.access_tokens import ALGORITHM
from privacy.vault.api import HardwarePlace, Vault

_G: Any = GrantRow.__table__.c  # type: ignore[attr-defined]
_S: Any = StandingGrantRow.__table__.c  # type: ignore[attr-defined]
_ASKED = bindparam("gids", type_=ARRAY(Uuid))
_LIVE = Query(
    union_all(
        select(_G.gid).where(_G.gid == func.any(_ASKED), _G.revoked_at.is_(None)),
        select(_S.gid).where(_S.gid == func.any(_ASKED), _S.revoked_at.is_(None)),
    )
)


class ProviderFoundation:
    """One per process. Implements core's KeySet and GrantStatus, and what consent asks of the provider:
    ClientRecipients, GrantStatusInTx, PersonGrants, AnswerSigner."""

    def __init__(
        self,
        *,
        database: Database,
        vault: Vault,
        clock: Clock,
        hardware: HardwarePlace | None = None,
        keys_in_hardware: bool = False,
    ) -> None:
        """hardware: the token, if there is one. keys_in_hardware: whether new signing keys are made in it."""
        self._database = database
        self.clients = Clients(database)
        self.statuses = GrantStatuses(database, self.clients)
        self.origins = PublicOrigins(database)
        self.statuses.also_tell(lambda payload: self.origins.forget() if payload.startswith("client:") else None)
        self.keys = SigningKeys(vault, clock, hardware, makes_in_hardware=keys_in_hardware)
        self.statuses.also_tell(self.keys.heard)

    async def load(self) -> None:
        """Reads the signing keys, and makes them at the first run. Raises Unavailable."""
        await self.keys.refresh(self._database)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hears of changes and of new keys while the block runs."""
        async with self.statuses.listening(), self.keys.refreshing(self._database):
            yield

    def verification_keys(self) -> Sequence[VerificationKey]:
        return self.keys.verification_keys()

    async def is_live(self, grant_id: uuid.UUID) -> bool:
        return await self.statuses.is_live(grant_id)

    async def live(self, tx: Tx, grant_ids: Collection[uuid.UUID]) -> frozenset[uuid.UUID]:
        """The live ones among them, by the rows as the transaction sees them."""
        return frozenset(row["gid"] for row in await tx.rows(_LIVE, gids=sorted(grant_ids)))

    async def recipient(self, client_id: str) -> Recipient | None:
        """The agency of an active client."""
        client = await self.clients.get(client_id)
        return Recipient(client.agency_id, client.agency_code) if client is not None and client.active else None

    async def person_grant(self, grant_id: uuid.UUID) -> PersonGrant | None:
        """What the person of a grant let the client look up (RFC 9396); None for a client's own grant."""
        async with self._database.raw_read() as tx:
            grant = await grants.find(tx, grant_id)
        if grant is None:
            return None
        details = [LookupDetail.from_json(each) for each in grant.authorization_details]
        lookups = tuple(
            AllowedLookup(
                each.purpose,
                frozenset(each.fields),
                frozenset(grant.purposes[each.purpose].consent_ids),
                each.procedure,
                each.dossier,
            )
            for each in details
        )
        return PersonGrant(grant.person_id, grant.client_id, lookups)

    async def sign_answer(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """A compact JWS by the provider's present ES256 key."""
        return await self.keys.sign(ALGORITHM, claims, typ=typ)

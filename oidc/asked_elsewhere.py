"""What CIBA and device requests have in common before and while a person answers: the checks, the words, the line."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from consent.api import Consent
from core.database import Database, RawTx, Tx
from identity.api import Identity
from oidc import grants
from oidc.authorize.asking import Asking, PolicyOf
from oidc.authorize.checks import details, hints, kept, levels, scope
from oidc.authorize.consents import offline_days, purpose_asks
from oidc.authorize.end_of_walk import End, account_ended
from oidc.authorize.grant_values import grant_values
from oidc.client_keys import ClientKeys
from oidc.clients import Client, Clients
from oidc.errors import OAuthError
from oidc.pushed import PushedRequests
from oidc.signing_keys import SigningKeys
from privacy.journal.api import ActorRef, Journal, Line

Check = Callable[[Asking], Awaitable[None] | None]
Answer = Literal["allowed", "refused"]

CHECKS: tuple[Check, ...] = (
    scope.check_known_scope,
    details.check_authorization_details,
    details.check_resource,
    scope.check_claims,
    levels.check_max_age,
    levels.check_acr,
    hints.check_ui_locales,
    kept.check_lengths,
)
"""Of the authorization endpoint, in its order, except that a scope must be known; run at the request, and again when
the person answers, since the client may have changed meanwhile. What is missing here belongs to a browser of the
client: redirect, state, PKCE."""

LASTING = frozenset({"scope", "acr_values", "max_age", "claims", "resource", "authorization_details", "ui_locales"})
"""The parameters that these checks read: what of a request is kept, sealed, until the person answers. `max_age` counts
from his answer: neither CIBA nor RFC 8628 names it, but the default that the client registered for it (OpenID Connect
Registration §2) holds here as well, and to forget a wish for a fresh sign-in would be to tell less than was asked."""


@dataclass(frozen=True, slots=True)
class AskedPage:
    """What a page says of a request. purposes: titles; none when only a pseudonym is asked for.

    offline_days: how long access is to be renewed without the person; 0 for not at all.
    """

    client: str
    agency: str
    purposes: tuple[str, ...]
    offline_days: int


@dataclass(frozen=True, slots=True)
class AskedElsewhere:
    """The rooms behind it."""

    issuer: str
    database: Database
    clients: Clients
    pushed: PushedRequests
    keys: SigningKeys
    client_keys: ClientKeys
    policy_of: PolicyOf
    identity: Identity
    consent: Consent
    journal: Journal

    async def checked(
        self,
        endpoint: Literal["ciba", "device"],
        client: Client,
        params: Mapping[str, str],
        *,
        now: datetime,
        also: Sequence[Check] = (),
    ) -> Asking:
        """The request after its checks. Raises OAuthError from the first that does not hold."""
        asking = Asking(
            endpoint=endpoint,
            params=dict(params),
            issuer=self.issuer,
            now=now,
            clients=self.clients,
            pushed=self.pushed,
            keys=self.keys,
            known_client=client,
            client_keys=self.client_keys,
            policy_of=self.policy_of,
        )
        for check in (*CHECKS, *also):
            waiting = check(asking)
            if waiting is not None:
                await waiting
        return asking

    async def active_client(self, client_id: str, grant_type: str) -> Client:
        """The client of a request that waits. Raises OAuthError when it may not ask any more."""
        client = await self.clients.get(client_id)
        if client is None or not client.active or grant_type not in client.grant_types:
            raise OAuthError("unauthorized_client", "The client may not ask for this any more.")
        return client

    async def described(self, tx: Tx, asking: Asking, locale: str) -> AskedPage:
        """In the reader's language."""
        client = asking.client
        agency = await self.identity.agency(tx, agency_id=client.agency_id)
        codes = [ask.code for ask in purpose_asks(asking)]
        found = await self.consent.purposes(tx, codes)
        titles = tuple(found[code].texts(locale).title for code in codes if code in found)
        return AskedPage(client.name(locale), agency.name(locale), titles, offline_days(asking))

    @asynccontextmanager
    async def ending(self, end: End) -> AsyncIterator[RawTx]:
        """The one transaction of a walk's end: the account held, the walk claimed. Raises OAuthError."""
        async with self.database.raw() as tx:
            if not await self.identity.still_good(tx, end.signed_in):
                raise account_ended()
            await end.finish()
            yield tx

    async def write(self, tx: Tx, end: End, *, way: Literal["ciba", "device"], gid: uuid.UUID) -> None:
        """The grant and the line of the person's history."""
        await tx.run(grants.INSERT, **grant_values(end, kind=way, gid=gid))
        signed_in = end.signed_in
        await self.record(
            tx,
            "allowed",
            client=end.asking.client,
            person_id=uuid.UUID(signed_in.person_id),
            account_id=signed_in.account_id,
            way=way,
        )

    async def record(
        self, tx: Tx, answer: Answer, *, client: Client, person_id: uuid.UUID, account_id: str, way: str
    ) -> None:
        """The line of the person's history. way: "ciba" or "device"."""
        line = Line(
            kind="act",
            action=f"oidc.request-{answer}",
            subject=person_id,
            actor=ActorRef(kind="citizen", id=account_id),
            agency=client.agency_code,
            details={"client": client.client_id, "way": way},
        )
        await self.journal.write(tx, line)

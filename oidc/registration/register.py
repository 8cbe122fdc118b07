"""The act of registering a client, and of suspending one; both with their line in the journal."""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, select

from core.clock import Clock
from core.database import Query, Tx
from core.errors import BadInput, Conflict
from core.ids import hash_reference, new_reference
from oidc import standing_grants
from oidc.client_secrets import hash_secret, new_secret
from oidc.errors import OAuthError
from oidc.redirect_uris import hosts_of
from oidc.registration import journal_lines, reviews
from oidc.registration.check import CheckedMetadata, check_metadata, profile_named
from oidc.registration.sectors import refuse_taken
from oidc.registration.state import announce, set_state
from oidc.registration.who import Who
from oidc.tables import ClientRow
from privacy.journal.api import ActorRef, Journal

DEFAULT_PURPOSE = "sign-in"
"""The purpose that standard scopes count under, unless the client has another."""

SECRET_LIFE = timedelta(days=365)
"""Of secrets of clients that registered by themselves or by their agency; operators' clients are watched by hand."""

_C: Any = ClientRow.__table__.c  # type: ignore[attr-defined]
_INSERT = Query(insert(ClientRow).values({column.name: bindparam(column.name, type_=column.type) for column in _C}))
_EXISTS = Query(select(_C.client_id).where(_C.client_id == bindparam("client_id")))


@dataclass(frozen=True, slots=True)
class Registered:
    """A new client. secret: shown this once; None for clients with a key or without authentication.

    state: "active", or "pending" until a second person agrees. registration_token: to manage it with (RFC 7592),
    shown this once, if one was asked for.
    """

    client_id: str
    secret: str | None
    state: str = "active"
    secret_expires_at: datetime | None = None
    registration_token: str | None = None
    registered_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Registered({self.client_id!r})"


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a client is registered. seconded: a second person stands behind it already.

    pending: wait for a second person whatever the profile. managed: it gets a registration access token.
    """

    agency_id: uuid.UUID
    agency_code: str
    by: Who
    seconded: bool = False
    pending: bool = False
    managed: bool = False
    origin: str = "operator"
    purpose: str = DEFAULT_PURPOSE
    audiences: Sequence[str] = ()
    sector: str | None = None
    client_id: str | None = None
    secret_life: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Registrar:
    """Registers clients. sandbox: whether plain http to the loopback host may be registered."""

    journal: Journal
    clock: Clock
    server_metadata: Mapping[str, Any]
    sandbox: bool

    async def register(
        self,
        tx: Tx,
        metadata: Mapping[str, Any],
        *,
        agency_id: uuid.UUID,
        agency_code: str,
        by: ActorRef,
        seconded_by: ActorRef | None = None,
        profile: str = "fapi2",
        purpose: str = DEFAULT_PURPOSE,
        audiences: Sequence[str] = (),
        sector: str | None = None,
        client_id: str | None = None,
    ) -> Registered:
        """By an operator. Checks, stores, journals. Raises OAuthError (RFC 7591 §3.2.2; also for another agency's
        sector), Conflict `client-exists`, BadInput `same-person`.

        metadata: as in RFC 7591 and OpenID Connect Registration. audiences: resource identifiers that the
        client serves and may introspect tokens for. sector: needed when the redirect addresses have several
        hosts; without any it is the agency's (an app's own addresses have none). client_id: given by us only;
        otherwise made up.
        seconded_by: a second person; a profile that needs one stays pending without.
        """
        if seconded_by is not None and Who.of_ref(seconded_by).key == Who.of_ref(by).key:
            raise BadInput("same-person", "The second person must be another one.")
        checked = self.check(metadata, profile)
        terms = Terms(
            agency_id,
            agency_code,
            Who.of_ref(by),
            seconded=seconded_by is not None,
            purpose=purpose,
            audiences=audiences,
            sector=sector,
            client_id=client_id,
        )
        await refuse_taken(tx, self.sector(checked, terms), agency_id)
        made = await self.store(tx, checked, profile, terms)
        if seconded_by is not None:
            await journal_lines.write(
                self.journal, tx, journal_lines.APPROVED, seconded_by, agency=agency_code, client=made.client_id
            )
        return made

    def check(self, metadata: Mapping[str, Any], profile: str) -> CheckedMetadata:
        """Raises OAuthError invalid_client_metadata, invalid_redirect_uri."""
        return check_metadata(metadata, profile_named(profile), self.server_metadata, sandbox=self.sandbox)

    async def store(self, tx: Tx, checked: CheckedMetadata, profile: str, terms: Terms) -> Registered:
        """Checked metadata as a client of an agency. Raises OAuthError, Conflict `client-exists`."""
        sector = self.sector(checked, terms)
        client_id = terms.client_id or f"c-{secrets.token_urlsafe(12)}"
        if await tx.row(_EXISTS, client_id=client_id) is not None:
            raise Conflict("client-exists", "There is a client with this identifier already.")
        has_secret = checked.auth_method.startswith("client_secret_")
        secret = new_secret() if has_secret else None
        token = new_reference() if terms.managed else None
        now = self.clock.now()
        expires = now + terms.secret_life if secret is not None and terms.secret_life is not None else None
        if secret is not None and terms.pending and not terms.managed:
            secret, expires = None, now  # nobody is there to be shown it: one is made after the review
        waits = terms.pending or (profile_named(profile).needs_second_person and not terms.seconded)
        state = "pending" if waits else "active"
        await tx.run(
            _INSERT,
            **row_values(checked),
            client_id=client_id,
            agency_id=terms.agency_id,
            agency_code=terms.agency_code,
            profile=profile,
            state=state,
            suspended_by=None,
            secret_hash=hash_secret(secret or new_secret()) if has_secret else None,
            secret_expires_at=expires,
            former_secret_hash=None,
            former_secret_expires_at=None,
            registration_token_hash=None if token is None else hash_reference(token),
            origin=terms.origin,
            audiences=list(terms.audiences),
            sector=sector,
            purpose=terms.purpose,
            created_at=now,
            changed_at=now,
        )
        if "client_credentials" in checked.grant_types:
            await standing_grants.create(tx, client_id, now)
        await announce(tx, client_id)
        action = journal_lines.PROPOSED if waits else journal_lines.REGISTERED
        await journal_lines.write(
            self.journal, tx, action, terms.by.ref, agency=terms.agency_code, client=client_id, profile=profile
        )
        if waits:
            await reviews.propose_registration(tx, client_id, terms.agency_id, by=terms.by, now=now)
        return Registered(client_id, secret, state, expires, token, now)

    def sector(self, checked: CheckedMetadata, terms: Terms) -> str:
        """Of the pairwise subjects. Raises OAuthError invalid_client_metadata."""
        own = None if hosts_of(checked.redirect_uris) else f"agency:{terms.agency_code}"
        sector = terms.sector or checked.sector or own
        if sector is None:
            raise OAuthError("invalid_client_metadata", "redirect_uris with several hosts need sector_identifier_uri.")
        return sector

    async def set_state(self, tx: Tx, client_id: str, state: str, *, by: ActorRef) -> None:
        """See state.set_state."""
        await set_state(self.journal, tx, client_id, state, by=by, now=self.clock.now())


def row_values(checked: CheckedMetadata) -> dict[str, Any]:
    """The columns that metadata decide; the sector is not among them."""
    values = {name: getattr(checked, name) for name in checked.__slots__ if name != "sector"}
    lists = {name: list(value) for name, value in values.items() if isinstance(value, tuple)}
    return {**values, **lists, "options": checked.options.to_json()}

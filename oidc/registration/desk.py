"""What an agency's administrators do with its clients: propose, review, renew a secret, suspend. All of it journalled.

Every act names the agency, and finds only that agency's clients.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select

from consent.api import Consent
from core.actor import Appointment
from core.database import Query, Row, Tx
from core.errors import Conflict
from oidc.client_options import ClientOptions
from oidc.errors import OAuthError
from oidc.registration import initial_tokens, journal_lines, reviews, software_statement
from oidc.registration.as_metadata import PROFILE, STATE
from oidc.registration.change import end_registration_token, refuse_other_sector, renew_secret, write_change
from oidc.registration.check import CheckedMetadata, SectorDocument
from oidc.registration.endpoint import held_by
from oidc.registration.initial_tokens import InitialToken, NewToken
from oidc.registration.limits import Held, refuse_beyond
from oidc.registration.register import DEFAULT_PURPOSE, SECRET_LIFE, Registered, Registrar, Terms
from oidc.registration.reviews import Review
from oidc.registration.rooms import CheckSector
from oidc.registration.sectors import refuse_taken
from oidc.registration.software_statement import with_statement
from oidc.registration.state import find_row, hold_row, set_state, write_state
from oidc.registration.who import Who
from oidc.tables import ClientRow

_C: Any = ClientRow.__table__.c  # type: ignore[attr-defined]
_OF_AGENCY = Query(
    select(*_C)
    .where(
        _C.agency_id == func.coalesce(bindparam("agency_id", type_=_C.agency_id.type), _C.agency_id),
        _C.state != "deleted",
    )
    .order_by(_C.name_vi, _C.client_id)
)


class RegistrationDesk:
    """One per process. Raises NotFound `client-unknown`, `review-unknown` for what is another agency's."""

    def __init__(self, issuer: str, consent: Consent, registrar: Registrar, check_sector: CheckSector) -> None:
        self._issuer = issuer
        self._consent = consent
        self._registrar = registrar
        self._check_sector = check_sector

    # --- looking -----------------------------------------------------------------------------------------

    async def clients(self, tx: Tx, agency_id: uuid.UUID | None) -> Sequence[Row]:
        """Rows of the agency's clients (None: of all), by name; deleted ones are left out."""
        return await tx.rows(_OF_AGENCY, agency_id=agency_id)

    async def client(self, tx: Tx, client_id: str, agency_id: uuid.UUID | None) -> Row:
        return await find_row(tx, client_id, agency_id=agency_id)

    async def held(self, tx: Tx, agency_id: uuid.UUID) -> Held:
        """What the agency's policies hold: purpose → fields."""
        return await held_by(self._consent, tx, agency_id)

    async def open_reviews(self, tx: Tx, agency_id: uuid.UUID) -> Sequence[Review]:
        return await reviews.open_of_agency(tx, agency_id)

    async def review(self, tx: Tx, review_id: uuid.UUID, agency_id: uuid.UUID) -> Review:
        return await reviews.find(tx, review_id, agency_id)

    async def review_of(self, tx: Tx, client_id: str) -> Review | None:
        """The one that is open."""
        return await reviews.open_of_client(tx, client_id)

    # --- proposing ---------------------------------------------------------------------------------------

    async def document(
        self, tx: Tx, metadata: Mapping[str, Any], profile: str, agency_id: uuid.UUID, purpose: str = DEFAULT_PURPOSE
    ) -> SectorDocument | None:
        """The document that the acts below want to know read. Raises OAuthError as they do."""
        merged = await self._merged(tx, metadata, agency_id)
        return (await self._checked(tx, merged, profile, agency_id, purpose)).sector_document

    async def read_document(self, document: SectorDocument | None) -> None:
        """Asks a stranger's server: no transaction is open meanwhile. Raises OAuthError invalid_client_metadata."""
        await self._check_sector(document)

    async def propose(
        self,
        tx: Tx,
        appointment: Appointment,
        metadata: Mapping[str, Any],
        profile: str,
        *,
        by: Who,
        read: SectorDocument | None = None,
    ) -> Registered:
        """A new client, pending until somebody else approves it. read: the sector's document, if it was read and holds.

        Raises OAuthError as at registration.
        """
        merged = await self._merged(tx, metadata, appointment.agency_id)
        checked = await self._checked(tx, merged, profile, appointment.agency_id, DEFAULT_PURPOSE)
        _refuse_unread(checked, read)
        terms = Terms(
            appointment.agency_id,
            appointment.agency_code,
            by,
            pending=True,
            origin="agency",
            secret_life=SECRET_LIFE,
        )
        await refuse_taken(tx, self._registrar.sector(checked, terms), appointment.agency_id)
        return await self._registrar.store(tx, checked, profile, terms)

    async def propose_change(
        self,
        tx: Tx,
        client_id: str,
        agency_id: uuid.UUID,
        metadata: Mapping[str, Any],
        *,
        by: Who,
        read: SectorDocument | None = None,
    ) -> uuid.UUID:
        """New metadata for an active or suspended client, kept as they will hold: whoever reviews them sees what a
        software statement says, not what it covers. Raises OAuthError, Conflict `review-open`, `client-state`."""
        row = await hold_row(tx, client_id, agency_id=agency_id)
        if row["state"] not in {"active", "suspended"}:
            raise Conflict("client-state", "The state of this client does not allow that.")
        merged = await self._merged(tx, metadata, agency_id)
        checked = await self._checked(tx, merged, row["profile"], agency_id, row["purpose"])
        _refuse_unread(checked, read)
        refuse_other_sector(row, checked)
        review_id = await reviews.propose_change(tx, row, merged, by=by, now=self._now())
        await self._line(tx, journal_lines.PROPOSED, row, by)
        return review_id

    # --- reviewing ---------------------------------------------------------------------------------------

    async def document_of_review(self, tx: Tx, review_id: uuid.UUID, agency_id: uuid.UUID) -> SectorDocument | None:
        """As `document`, of a change that waits; a new client's was read when it was proposed."""
        review = await reviews.find(tx, review_id, agency_id)
        if review.metadata is None or not review.open:
            return None
        row = await find_row(tx, review.client_id, agency_id=agency_id)
        return await self.document(tx, review.metadata, row["profile"], agency_id, row["purpose"])

    async def approve(
        self, tx: Tx, review_id: uuid.UUID, agency_id: uuid.UUID, *, by: Who, read: SectorDocument | None = None
    ) -> None:
        """Puts into force what was proposed. Raises NotAllowed `second-person-needed`, Conflict `review-decided`,
        `review-stale`, OAuthError when it would not be taken any more."""
        async with tx.savepoint():  # what is refused half-way leaves the review open
            review = await reviews.find(tx, review_id, agency_id)
            row = await hold_row(tx, review.client_id, agency_id=agency_id)
            await reviews.decide(tx, review, "approved", by=by, now=self._now())
            if row["changed_at"] != review.based_on:
                raise _stale()
            if review.metadata is not None:
                merged = await self._merged(tx, review.metadata, agency_id)
                if merged != review.metadata:
                    raise _stale()  # what was looked at is not what would hold
                checked = await self._checked(tx, merged, row["profile"], agency_id, row["purpose"])
                _refuse_unread(checked, read)
                await write_change(self._registrar.journal, tx, row, checked, by=by, now=self._now(), told=False)
            else:
                await self._activate(tx, row)
            await self._line(tx, journal_lines.APPROVED, row, by, proposed_by=review.proposed_by)

    async def refuse(self, tx: Tx, review_id: uuid.UUID, agency_id: uuid.UUID, *, by: Who, reason: str) -> None:
        """Nothing comes of it; a new client is deleted. Who proposed it may take it back this way."""
        async with tx.savepoint():
            review = await reviews.find(tx, review_id, agency_id)
            row = await hold_row(tx, review.client_id, agency_id=agency_id)
            await reviews.decide(tx, review, "refused", by=by, now=self._now(), reason=reason or None)
            if review.kind == "registration" and row["state"] == "pending":
                await write_state(tx, row, "deleted", now=self._now())
            await self._line(tx, journal_lines.REFUSED, row, by, reason=reason or None, proposed_by=review.proposed_by)

    # --- running -----------------------------------------------------------------------------------------

    async def renew_secret(self, tx: Tx, client_id: str, agency_id: uuid.UUID, *, by: Who, lost: bool = False) -> str:
        """A new secret, shown this once; the former one holds for a week, or ends now when it was lost or the client
        is suspended. Raises Conflict `client-state`."""
        row = await hold_row(tx, client_id, agency_id=agency_id)
        if row["state"] not in {"active", "suspended"}:
            raise Conflict("client-state", "The state of this client does not allow that.")
        return await renew_secret(self._registrar.journal, tx, row, by=by, now=self._now(), lost=lost)

    async def end_registration_token(self, tx: Tx, client_id: str, agency_id: uuid.UUID | None, *, by: Who) -> None:
        """The program that registered the client, or who found its token, manages it no more. Raises Conflict
        `registration-token-none`."""
        row = await hold_row(tx, client_id, agency_id=agency_id)
        await end_registration_token(self._registrar.journal, tx, row, by=by)

    async def set_state(
        self, tx: Tx, client_id: str, agency_id: uuid.UUID | None, state: str, *, by: Who, reason: str
    ) -> None:
        """Suspends or reinstates. Raises Conflict `client-state`."""
        await set_state(
            self._registrar.journal,
            tx,
            client_id,
            state,
            by=by.ref,
            now=self._now(),
            agency_id=agency_id,
            reason=reason or None,
        )

    # --- initial access tokens ---------------------------------------------------------------------------

    async def tokens(self, tx: Tx, agency_id: uuid.UUID) -> list[InitialToken]:
        return await initial_tokens.of_agency(tx, agency_id, self._now())

    async def make_token(self, tx: Tx, terms: NewToken, *, by: Who, seconded_by: Who | None = None) -> str:
        """See initial_tokens.issue. Without a second person, an official's token makes clients that wait for one."""
        journal, clock = self._registrar.journal, self._registrar.clock
        return await initial_tokens.issue(journal, clock, tx, terms, by=by, seconded_by=seconded_by)

    async def revoke_token(self, tx: Tx, token_id: uuid.UUID, agency_id: uuid.UUID, *, by: Who) -> None:
        await initial_tokens.revoke(self._registrar.journal, tx, token_id, by=by, now=self._now(), agency_id=agency_id)

    # --- publishers of software statements ---------------------------------------------------------------

    async def trust(
        self, tx: Tx, issuer: str, jwks: Mapping[str, Any], *, by: Who, agency_id: uuid.UUID | None = None
    ) -> None:
        """See software_statement.trust."""
        now = self._now()
        await software_statement.trust(self._registrar.journal, tx, issuer, jwks, by=by, now=now, agency_id=agency_id)

    async def end_trust(self, tx: Tx, issuer: str, *, by: Who) -> None:
        """Raises NotFound `publisher-unknown`."""
        await software_statement.end_trust(self._registrar.journal, tx, issuer, by=by, now=self._now())

    async def _activate(self, tx: Tx, row: Row) -> None:
        """What a pending client may ask for is looked at once more: policies may have ended meanwhile."""
        if row["state"] != "pending":
            raise Conflict("client-state", "The state of this client does not allow that.")
        types = ClientOptions.from_json(row["options"]).authorization_details_types
        refuse_beyond(row["scopes"], types, await self.held(tx, row["agency_id"]), row["purpose"])
        await write_state(tx, row, "active", now=self._now())

    async def _merged(self, tx: Tx, metadata: Mapping[str, Any], agency_id: uuid.UUID) -> dict[str, Any]:
        """The metadata as they will hold: with what their software statement says, without what is ours to say."""
        own = {name: value for name, value in metadata.items() if name not in {PROFILE, STATE}}
        return await with_statement(tx, own, agency_id=agency_id, issuer=self._issuer, now=self._now())

    async def _checked(
        self, tx: Tx, merged: Mapping[str, Any], profile: str, agency_id: uuid.UUID, purpose: str
    ) -> CheckedMetadata:
        """Rules and policies: everything but who may do it, and what a stranger's server says."""
        checked = self._registrar.check(merged, profile)
        refuse_beyond(
            checked.scopes, checked.options.authorization_details_types, await self.held(tx, agency_id), purpose
        )
        return checked

    async def _line(self, tx: Tx, action: str, row: Row, by: Who, *, reason: str | None = None, **details: str) -> None:
        told = {"client": row["client_id"], **details}
        await journal_lines.write(
            self._registrar.journal, tx, action, by.ref, agency=row["agency_code"], reason=reason, **told
        )

    def _now(self) -> datetime:
        return self._registrar.clock.now()


def _stale() -> Conflict:
    return Conflict("review-stale", "The client was changed since this was proposed. Refuse it, and propose anew.")


def _refuse_unread(checked: CheckedMetadata, read: SectorDocument | None) -> None:
    if checked.sector_document not in {None, read}:
        raise OAuthError("invalid_client_metadata", "sector_identifier_uri has not been read.")

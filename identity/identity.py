"""The room: what other packages ask of identity. Says who the person behind a request is."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from core.actor import Actor, Appointment
from core.cache import Cache
from core.clock import Clock, vietnam_day
from core.database import Database, Reads, Tx
from core.errors import NotAllowed, SignInNeeded
from core.ids import read_id
from core.interaction import SignedIn, SignInAsk
from core.outbox import Outbox
from core.settings import Settings
from core.web.browser import WebSecret, cookie_name, drop_cookie
from identity import accounts, history
from identity.accounts import AccountState
from identity.agencies import Agencies, Agency
from identity.appointments import Appointments, from_json, in_force
from identity.assurance import Step, step_with_session
from identity.enrol import Enrolment
from identity.history import SignIn
from identity.lock import Locks
from identity.locks import Clearer, LockReason, may_unlock_online
from identity.passwords import PasswordHashing
from identity.pending import PendingSignIns
from identity.plugs import SignedOutPlace
from identity.records import Records
from identity.second_factor import CodeStep
from identity.self_declarations import SelfDeclarations
from identity.self_declared import SelfDeclared, part_codes
from identity.sessions import Session, Sessions
from identity.sign_in import PasswordStep
from identity.where import Where
from population_db.api import Registry
from privacy.journal.api import ActorRef, Journal
from privacy.vault.api import Vault

SESSION_COOKIE = "session"
_STATE = "identity_session"


class Identity:
    """One per process; `close` at its end. Implements core's `Authenticate` for people."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        database: Database,
        cache: Cache,
        outbox: Outbox,
        web_secret: WebSecret,
        vault: Vault,
        journal: Journal,
        registry: Registry,
    ) -> None:
        self._settings = settings
        self.clock = clock
        self.vault = vault
        self._outbox = outbox
        self.signed_out_place: SignedOutPlace | None = None
        self.hashing = PasswordHashing.from_settings(settings)
        self.sessions = Sessions(cache, clock)
        self.pending = PendingSignIns(cache, clock)
        self.records = Records(vault, journal)
        self.locks = Locks(clock, self.records, outbox)
        self.agencies = Agencies(clock, self.records)
        self.appointed = Appointments(clock, self.records, self.agencies)
        self.declarations = SelfDeclarations(vault, clock)
        self._enrolment = Enrolment(clock, vault, registry, self.hashing, self.records)
        self.password_step = PasswordStep(
            clock=clock,
            cache=cache,
            database=database,
            vault=vault,
            registry=registry,
            hashing=self.hashing,
            records=self.records,
            outbox=outbox,
            secret=web_secret,
        )
        self.code_step = CodeStep(clock=clock, database=database, vault=vault, records=self.records, locks=self.locks)

    def close(self) -> None:
        """Ends the hashing threads."""
        self.hashing.close()

    # --- who is asking -----------------------------------------------------------------------------------

    async def session(self, request: Request) -> Session | None:
        """The live session of this browser, if any; looked up once per request. Raises Unavailable."""
        if not hasattr(request.state, _STATE):
            found = await self.sessions.find(self.session_token(request))
            self.keep(request, found)
        session: Session | None = getattr(request.state, _STATE)
        return session

    def session_token(self, request: Request) -> str:
        """The secret in this browser's cookie; "" without one."""
        return request.cookies.get(cookie_name(self._settings, SESSION_COOKIE), "")

    def keep(self, request: Request, session: Session | None) -> None:
        """Remembers for the rest of this request who is signed in; pages show it."""
        setattr(request.state, _STATE, session)
        request.state.viewer = None if session is None else self.actor_of(session, as_official=True)

    async def actor(self, request: Request, *, min_aal: int = 1, min_ial: int = 1) -> Actor:
        """The person behind the request at these levels or above. Raises SignInNeeded.

        Under /official the person acts under the appointment chosen there, if it is in force today; on all
        other pages he is a citizen like any other.
        """
        session = await self.session(request)
        if session is None or session.aal < min_aal or session.ial < min_ial:
            raise SignInNeeded(min_aal=min_aal, min_ial=min_ial)
        path = request.url.path
        return self.actor_of(session, as_official=path == "/official" or path.startswith("/official/"))

    def actor_of(self, session: Session, *, as_official: bool) -> Actor:
        appointment = self._appointment(session) if as_official else None
        return Actor(
            kind="official" if appointment else "citizen",
            person_id=session.person,
            account_id=session.account,
            agency_id=appointment.agency_id if appointment else None,
            agency_code=appointment.agency_code if appointment else None,
            appointment=appointment,
            aal=session.aal,
            ial=session.ial,
            amr=tuple(session.amr),
            sid=session.sid,
        )

    def _appointment(self, session: Session) -> Appointment | None:
        if session.appointment is None:
            return None
        appointment = from_json(session.appointment)
        return appointment if in_force(appointment, vietnam_day(self.clock.now())) else None

    async def signed_in(self, request: Request, ask: SignInAsk) -> SignedIn | None:
        """Who is signed in, when that satisfies the ask as it stands (`prompt=none`); asks nobody anything."""
        session = await self.session(request)
        if session is None or self.step_for(session, ask) is not Step.DONE:
            return None
        return session.signed_in()

    def step_for(self, session: Session, ask: SignInAsk) -> Step:
        """What a session still lacks for an ask."""
        return step_with_session(
            ask,
            aal=session.aal,
            ial=session.ial,
            auth_time=session.auth_time,
            has_second_factor=session.has_second_factor,
            now=int(self.clock.now().timestamp()),
        )

    async def still_good(self, tx: Tx, who: SignedIn) -> bool:
        """Whether the account behind a sign-in is neither locked nor changed since, asked of the database.

        The row is held to the end of the transaction: a lock comes before what rests on this, or after it,
        and then finds it.
        """
        return (await self.still_good_each(tx, [who]))[0]

    async def still_good_each(self, tx: Tx, whos: Sequence[SignedIn]) -> list[bool]:
        """`still_good` of several in one trip."""
        held = await accounts.hold_each(tx, {read_id(who.person_id) for who in whos})
        return [_still_good(held.get(read_id(who.person_id)), who) for who in whos]

    async def end_session(self, response: Response, request: Request) -> Session | None:
        """Signs this browser out: the session is dead on the server, the cookie dropped. Gives what ended."""
        ended = await self.sessions.end(self.session_token(request))
        drop_cookie(response, self._settings, SESSION_COOKIE)
        self.keep(request, None)
        return ended

    async def tell_ended(self, tx: Tx, sessions: Iterable[Session]) -> None:
        """Tells the rest of the house: `session.ended` {person_id, sid}, one event each."""
        for session in sessions:
            await self._outbox.emit(tx, "session.ended", {"person_id": session.person_id, "sid": session.sid})

    async def signed_out_url(self, tx: Tx, session: Session) -> str:
        """Where a browser goes that signs out of this session."""
        place = None if self.signed_out_place is None else await self.signed_out_place.place(tx, session)
        return place or "/signedout"

    async def end_sessions(self, person_id: uuid.UUID) -> int:
        """Signs a person out everywhere; gives how many sessions ended."""
        return await self.sessions.end_all(person_id)

    # --- accounts ----------------------------------------------------------------------------------------

    async def enrol(
        self,
        tx: Tx,
        person_id: uuid.UUID,
        *,
        ial: Literal[1, 2],
        password: str,
        totp_secret: str | None,
        by: ActorRef | None = None,
    ) -> uuid.UUID:
        """See enrol.Enrolment.enrol."""
        return await self._enrolment.enrol(tx, person_id, ial=ial, password=password, totp_secret=totp_secret, by=by)

    async def lock(self, tx: Tx, person_id: uuid.UUID, reason: LockReason, *, by: ActorRef | None = None) -> bool:
        """See lock.Locks.lock."""
        return await self.locks.lock(tx, person_id, reason, by=by)

    async def unlock(
        self,
        tx: Tx,
        person_id: uuid.UUID,
        reason: LockReason,
        *,
        cleared_by: Clearer,
        by: ActorRef | None = None,
    ) -> bool:
        """See lock.Locks.unlock."""
        return await self.locks.unlock(tx, person_id, reason, cleared_by=cleared_by, by=by)

    async def unlock_by_holder(self, tx: Tx, person_id: uuid.UUID, account_id: uuid.UUID, where: Where) -> AccountState:
        """Clears the holder's own lock, both factors having been given; the account as it then is.

        Raises NotAllowed `lock-not-yours` when another reason holds as well, or the account is another one.
        """
        account = await accounts.hold(tx, person_id)
        mine = account is not None and account.account_id == account_id
        if account is None or not mine or not may_unlock_online(account.lock_reasons, 2):
            raise NotAllowed("lock-not-yours", "This lock can only be removed by the body that asked for it.")
        by = ActorRef(kind="citizen", id=str(account_id))
        await self.locks.unlock(tx, person_id, "holder", cleared_by="holder", by=by, where=where)
        return replace(account, lock_reasons=())

    async def sign_ins(self, tx: Tx, person_id: uuid.UUID, limit: int = 50) -> list[SignIn]:
        """The sign-in history, newest first."""
        return await history.newest(tx, self.vault, person_id, limit)

    async def self_declared(self, tx: Tx, person_id: uuid.UUID) -> SelfDeclared:
        """What a person says of himself, apart from the registry. Nothing of it is checked by anybody."""
        return await self.declarations.read(tx, person_id)

    async def declare(self, tx: Tx, person_id: uuid.UUID, declared: SelfDeclared, *, seen: int, by: ActorRef) -> None:
        """Replaces it, with a journal line that names the members changed. Raises Conflict `profile-changed`."""
        before = (await self.declarations.kept(tx, person_id)).declared.said()
        after = declared.said()
        changed = {name: None for name in {*before, *after} if before.get(name) != after.get(name)}
        if not changed:
            return
        await self.declarations.write(tx, person_id, declared, seen=seen)
        await self.records.act(tx, "profile.changed", subject=person_id, by=by, details={}, fields=part_codes(changed))

    async def proofed_at(self, tx: Tx, person_id: uuid.UUID) -> datetime | None:
        """When the person was proofed and bound to his record: the opening of his account."""
        return await accounts.enrolled_at(tx, person_id)

    # --- agencies and appointments -----------------------------------------------------------------------

    async def create_agency(
        self, tx: Tx, code: str, name_vi: str, name_en: str, *, by: ActorRef | None = None
    ) -> uuid.UUID:
        """Raises Conflict `agency-exists`."""
        return await self.agencies.create(tx, code, name_vi, name_en, by=by)

    async def create_unit(
        self, tx: Tx, agency_code: str, unit_code: str, name_vi: str, name_en: str, *, by: ActorRef | None = None
    ) -> None:
        """Raises NotFound `agency-unknown`, Conflict `unit-exists`."""
        await self.agencies.create_unit(tx, agency_code, unit_code, name_vi, name_en, by=by)

    async def agency(self, tx: Reads, *, code: str | None = None, agency_id: uuid.UUID | None = None) -> Agency:
        """By code or by identifier. Raises NotFound `agency-unknown`."""
        return await self.agencies.get(tx, code=code, agency_id=agency_id)

    async def agency_names(self, tx: Tx, locale: str) -> dict[str, str]:
        """Code → name in a language, of all agencies."""
        return await self.agencies.names(tx, locale)

    async def appoint(
        self,
        tx: Tx,
        person_id: uuid.UUID,
        agency_code: str,
        unit_code: str,
        title: str,
        areas: Iterable[str],
        permissions: Iterable[str],
        valid_from: date,
        valid_to: date | None = None,
        *,
        by: ActorRef | None = None,
    ) -> uuid.UUID:
        """See appointments.Appointments.appoint."""
        return await self.appointed.appoint(
            tx, person_id, agency_code, unit_code, title, areas, permissions, valid_from, valid_to, by=by
        )

    async def end_appointment(
        self, tx: Tx, person_id: uuid.UUID, appointment_id: uuid.UUID, *, by: ActorRef | None = None
    ) -> None:
        """Raises NotFound `appointment-unknown`."""
        await self.appointed.end(tx, person_id, appointment_id, by=by)

    async def appointments(self, tx: Tx, person_id: uuid.UUID, on: date) -> list[Appointment]:
        """The appointments in force on a day."""
        return await self.appointed.of_person(tx, person_id, on)

    async def standing_appointment(self, tx: Tx, actor: Actor) -> Appointment | None:
        """The appointment an official chose, as it stands now; None when it was ended or never chosen.

        A session remembers what it was when it was chosen: whoever lets an official act asks here.
        """
        if actor.person_id is None or actor.appointment is None:
            return None
        standing = await self.appointments(tx, actor.person_id, self.appointed.today())
        chosen = actor.appointment.appointment_id
        return next((one for one in standing if one.appointment_id == chosen), None)


def _still_good(account: AccountState | None, who: SignedIn) -> bool:
    if account is None or str(account.account_id) != who.account_id or account.locked:
        return False
    # auth_time is cut to the second: a change in that same second is not held against it.
    return account.credentials_changed_at < datetime.fromtimestamp(who.auth_time + 1, UTC)

"""Sign-out, and the citizen's sign-in history with the browsers that are signed in now."""

import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from core.clock import Clock
from core.database import Database, Tx
from core.errors import BadInput, NotFound, SignInNeeded, Unavailable
from core.runtime import part
from core.web.edge import PageTx
from core.web.forms import read_form
from core.web.pages import Pages
from identity.identity import Identity
from identity.records import Happened
from identity.sessions import Session
from identity.walk import see, where_of

HISTORY_LINES = 50

log = structlog.get_logger(__name__)
router = APIRouter(include_in_schema=False)


@router.get("/signout")
async def sign_out_page(request: Request) -> Response:
    """Open to everybody: asks, and ends nothing (a link elsewhere must not sign anybody out)."""
    session = await part(request, Identity).session(request)
    return part(request, Pages).render(request, "identity/signout.html", signed_in=session is not None)


@router.post("/signout")
async def sign_out(request: Request) -> Response:
    """Open to everybody, CSRF checked. The session is dead on the server, whatever the browser keeps."""
    await read_form(request, {})
    identity, response = part(request, Identity), see("/signedout")
    ended = await identity.end_session(response, request)
    if ended is not None:
        try:
            async with part(request, Database).page() as tx:
                response.headers["Location"] = await identity.signed_out_url(tx, ended)
                await identity.tell_ended(tx, [ended])
        except Unavailable:
            # Signing out has to work without the database; what rests on the session then ends by its time.
            log.warning("signout.untold", reason="database-unavailable")
    return response


@router.get("/signedout")
async def signed_out_page(request: Request) -> Response:
    """Open to everybody."""
    return part(request, Pages).render(request, "identity/signedout.html")


@router.get("/me/signins")
async def sign_ins_page(request: Request, tx: PageTx) -> Response:
    """The holder's: where he is signed in now, and the history."""
    identity = part(request, Identity)
    session = await current(request, tx)
    return part(request, Pages).render(
        request,
        "identity/signins.html",
        sessions=await identity.sessions.of_person(session.person),
        current_sid=session.sid,
        history=await identity.sign_ins(tx, session.person, HISTORY_LINES),
    )


@router.post("/me/signins")
async def end_sessions(request: Request, tx: PageTx) -> Response:
    """The holder's: ends one of his sessions (`sid`), or all of them, this one too."""
    form = await read_form(request, {"action": 20, "sid": 64})
    identity = part(request, Identity)
    session = await current(request, tx)
    live = await identity.sessions.of_person(session.person)
    if form["action"] == "end-all":
        await identity.tell_ended(tx, live)
        await identity.end_sessions(session.person)
        response = see(await identity.signed_out_url(tx, session))
        await identity.end_session(response, request)
    elif form["action"] == "end":
        if not await identity.sessions.end_one(session.person, form["sid"]):
            raise NotFound("session-unknown", "This session has ended already.")
        await identity.tell_ended(tx, [one for one in live if one.sid == form["sid"]])
        own = form["sid"] == session.sid
        response = see(await identity.signed_out_url(tx, session) if own else "/me/signins")
    else:
        raise BadInput("unknown-action", "The request has entries to mend.")
    await _record(request, tx, session)
    return response


async def current(request: Request, tx: Tx) -> Session:
    """The session, and its account asked of the database: not locked, not changed since. Raises SignInNeeded."""
    identity = part(request, Identity)
    session = await identity.session(request)
    if session is None:
        raise SignInNeeded
    if not await identity.still_good(tx, session.signed_in()):
        await identity.sessions.end(identity.session_token(request))
        identity.keep(request, None)
        raise SignInNeeded
    return session


async def _record(request: Request, tx: Tx, session: Session) -> None:
    await part(request, Identity).records.write(
        tx,
        Happened(
            action="session.end",
            outcome="session-ended",
            person_id=session.person,
            account_id=session.account,
            at=part(request, Clock).now(),  # type: ignore[type-abstract]
            where=where_of(request),
            aal=session.aal,
            amr=session.amr,
        ),
    )

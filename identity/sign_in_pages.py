"""The pages of the sign-in: number and password, code, what stands in the way. They work without script."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from core.clock import VIETNAM
from core.database import Database
from core.errors import Refusal, TooMany, Unavailable
from core.interaction import Interaction
from core.runtime import part
from core.web.forms import read_form, strict_query
from core.web.pages import Pages
from identity.accounts import AccountState
from identity.assurance import AMR_PASSWORD, AMR_PASSWORD_AND_CODE, Step
from identity.identity import Identity
from identity.locks import may_unlock_online
from identity.number_field import read_number, shown_hint
from identity.password_rules import MAX_CHARACTERS
from identity.pending import Pending
from identity.refusals import CodeRefused, SignInLost, SignInRefused, WaitToTry
from identity.second_factor import FirstFactor
from identity.walk import (
    enter,
    go_on,
    hindrance_page,
    known_cookie,
    load,
    origins,
    own_page,
    see,
    start_own,
    step_up,
    turn_back,
    where_of,
)

log = structlog.get_logger(__name__)
router = APIRouter(include_in_schema=False)

MENDABLE = (SignInRefused, CodeRefused, TooMany, Unavailable)
"""Refusals that the form itself shows, with what was typed; others are shown by the edge."""


@router.get("/signin")
async def sign_in_page(request: Request) -> Response:
    """Open to everybody. Straight on when there is a session that satisfies what is asked."""
    query = strict_query(request)
    if "i" not in query:
        interaction = await start_own(request, query)
        return see(interaction.url("/signin"))
    interaction = await load(request)
    identity = part(request, Identity)
    session = await identity.session(request)
    if session is not None and "other" not in query:
        step = identity.step_for(session, interaction.sign_in)
        if step is Step.DONE:
            return await go_on(request, interaction, session)
        if step is Step.CODE:
            return see(interaction.url("/signin/code"))
        if step is not Step.PASSWORD:
            return hindrance_page(request, interaction, step)
    return _form(request, interaction, number=shown_hint(interaction.sign_in.login_hint))


@router.post("/signin")
async def sign_in(request: Request) -> Response:
    """Open to everybody; the form's CSRF token and the interaction belong to this browser."""
    form = await read_form(request, {"number": 40, "password": MAX_CHARACTERS * 4})
    interaction = await load(request)
    identity, typed = part(request, Identity), form["number"]
    number = read_number(typed)
    errors = _missing(request, typed, number, form["password"])
    if number is None or errors:
        return _form(request, interaction, number=typed, errors=errors, status=422)
    where = where_of(request, interaction)
    try:
        right = await identity.password_step.check(
            number, form["password"], interaction.sign_in, where, known_cookie=known_cookie(request)
        )
    except MENDABLE as refusal:
        log.info("sign_in.refused", code=refusal.code)
        errors = {"number": _told(request, refusal)}
        return _form(request, interaction, number=typed, errors=errors, status=refusal.status, headers=_retry(refusal))
    account = right.account
    if right.step is Step.CODE:
        pending = Pending(str(account.person_id), str(account.account_id), right.auth_at.timestamp(), right.mac.hex())
        await identity.pending.put(interaction.id, pending)
        return see(interaction.url("/signin/code"))
    if right.step is Step.LOCKED:
        return _locked(request, interaction, account, aal=1)
    return await enter(request, interaction, account, auth_at=right.auth_at, aal=1, amr=AMR_PASSWORD, mac=right.mac)


@router.get("/signin/code")
async def code_page(request: Request) -> Response:
    """Open to who has shown a first factor in this interaction or session."""
    interaction = await load(request)
    if await _first_factor(request, interaction) is None:
        return see(interaction.url("/signin"))
    return _code_form(request, interaction)


@router.post("/signin/code")
async def enter_code(request: Request) -> Response:
    """Open to who has shown a first factor in this interaction or session."""
    form = await read_form(request, {"code": 20})
    interaction = await load(request)
    first = await _first_factor(request, interaction)
    if first is None:
        return see(interaction.url("/signin"))
    identity, where = part(request, Identity), where_of(request, interaction)
    try:
        account = await identity.code_step.check(first, form["code"], where)
    except MENDABLE as refusal:
        log.info("sign_in.refused", code=refusal.code)
        errors = {"code": _told(request, refusal)}
        return _code_form(request, interaction, errors=errors, status=refusal.status, headers=_retry(refusal))
    except SignInLost:
        return await _forget(request, see(interaction.url("/signin")), interaction)
    if first.stepping_up:
        session = await identity.session(request)
        if session is None:
            raise SignInLost
        if account.locked:
            # Whoever unlocks gives both factors in one sign-in: this session ends here.
            return await _forget(request, _locked(request, interaction, account, aal=1), interaction)
        return await step_up(request, interaction, session, AMR_PASSWORD_AND_CODE)
    pending = await identity.pending.take(interaction.id)
    if pending is None:
        raise SignInLost
    if account.locked:
        await identity.pending.put(interaction.id, replace(pending, code_given=True))
        return _locked(request, interaction, account, aal=2)
    return await _enter_with_both(request, interaction, account, pending)


@router.post("/signin/unlock")
async def unlock(request: Request) -> Response:
    """Open to the holder of a locked account who has just given both factors: clears his own lock."""
    await read_form(request, {})
    interaction = await load(request)
    identity = part(request, Identity)
    pending = await identity.pending.take(interaction.id)
    if pending is None or not pending.code_given:
        raise SignInLost
    account = await _unlocked(request, pending, interaction)
    return await _enter_with_both(request, interaction, account, pending)


@router.post("/signin/leave")
async def leave(request: Request) -> Response:
    """Open to everybody: back to who asked, without signing in; the reason is ours to say, not the form's."""
    await read_form(request, {})
    interaction = await load(request)
    identity = part(request, Identity)
    session = await identity.session(request)
    error = "cancelled"
    if session is not None:
        step = identity.step_for(session, replace(interaction.sign_in, force=False, max_age_seconds=None))
        if step in (Step.LEVEL_TOO_LOW, Step.NO_SECOND_FACTOR):
            error = step.value
    return await turn_back(request, interaction, error)


async def _first_factor(request: Request, interaction: Interaction) -> FirstFactor | None:
    """The password just given, or a live session that lacks only the code."""
    identity = part(request, Identity)
    pending = await identity.pending.get(interaction.id)
    if pending is not None:
        return FirstFactor(pending.person, pending.account, pending.authenticated_at, stepping_up=False)
    session = await identity.session(request)
    if session is None or identity.step_for(session, interaction.sign_in) is not Step.CODE:
        return None
    auth_at = datetime.fromtimestamp(session.auth_at, UTC)
    return FirstFactor(session.person, session.account, auth_at, stepping_up=True)


async def _forget(request: Request, response: Response, interaction: Interaction) -> Response:
    """The first factor is void (too old, or the account changed since): what rests on it ends."""
    identity = part(request, Identity)
    await identity.pending.drop(interaction.id)
    await identity.end_session(response, request)
    return response


async def _enter_with_both(
    request: Request, interaction: Interaction, account: AccountState, pending: Pending
) -> Response:
    return await enter(
        request,
        interaction,
        account,
        auth_at=pending.authenticated_at,
        aal=2,
        amr=AMR_PASSWORD_AND_CODE,
        mac=bytes.fromhex(pending.mac),
    )


async def _unlocked(request: Request, pending: Pending, interaction: Interaction) -> AccountState:
    identity = part(request, Identity)
    async with part(request, Database).raw() as tx:
        return await identity.unlock_by_holder(tx, pending.person, pending.account, where_of(request, interaction))


def _missing(request: Request, typed: str, number: str | None, password: str) -> dict[str, str]:
    pages, errors = part(request, Pages), {}
    if not typed.strip():
        errors["number"] = pages.gettext(request, "Enter your personal identification number.")
    elif number is None:
        errors["number"] = pages.gettext(request, "The number has 12 digits.")
    if not password:
        errors["password"] = pages.gettext(request, "Enter your password.")
    return errors


def _told(request: Request, refusal: Refusal) -> str:
    pages = part(request, Pages)
    if isinstance(refusal, WaitToTry):
        at = refusal.until.astimezone(VIETNAM).strftime("%H:%M:%S")
        return pages.gettext(request, "Too many attempts. You can try again at %(time)s.", time=at)
    return pages.gettext(request, refusal.public)


def _retry(refusal: Refusal) -> dict[str, str]:
    return {"Retry-After": str(refusal.retry_after)} if isinstance(refusal, TooMany | Unavailable) else {}


def _form(request: Request, interaction: Interaction, *, number: str, status: int = 200, **context: Any) -> Response:
    return part(request, Pages).render(
        request,
        "identity/signin.html",
        status=status,
        form_action=origins(interaction),
        headers=context.pop("headers", None),
        interaction=interaction,
        own=own_page(interaction.resume),
        number=number,
        errors=context.pop("errors", {}),
    )


def _code_form(request: Request, interaction: Interaction, *, status: int = 200, **context: Any) -> Response:
    return part(request, Pages).render(
        request,
        "identity/code.html",
        status=status,
        form_action=origins(interaction),
        headers=context.pop("headers", None),
        interaction=interaction,
        own=own_page(interaction.resume),
        errors=context.pop("errors", {}),
    )


def _locked(request: Request, interaction: Interaction, account: AccountState, *, aal: int) -> Response:
    return part(request, Pages).render(
        request,
        "identity/locked.html",
        status=403,
        form_action=origins(interaction),
        interaction=interaction,
        own=own_page(interaction.resume),
        reasons=account.lock_reasons,
        may_unlock=may_unlock_online(account.lock_reasons, aal),
    )

"""The ways between the sign-in pages: into an interaction, through it, out of it.

An interaction is started by oidc for a portal, or here for one of our own pages. Here it ends at the plain
page; there it goes back to the starter's `resume`, with `signed_in` set, or `sign_in_error`: "ial" (the
account's level is too low), "aal" (the account has no second factor), "cancelled" (the person turned back).
"""

import re
from dataclasses import replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.clock import Clock
from core.interaction import Interaction, Interactions, SignInAsk
from core.runtime import part
from core.settings import Settings
from core.web.browser import WebSecret, cookie_name, set_cookie
from core.web.client_address import client_address, network_of
from core.web.forms import strict_query
from core.web.locale import set_request_locale
from core.web.pages import Pages
from identity.accounts import AccountState
from identity.assurance import Step
from identity.identity import SESSION_COOKIE, Identity
from identity.known_browsers import LIFETIME_SECONDS, with_entry
from identity.refusals import SignInLost
from identity.sessions import Session
from identity.where import Where, browser_of

KNOWN_COOKIE = "known"
START_PAGE = "/me"

_OWN_PAGE = re.compile(r"/(me|official)(/[a-z0-9-]{1,40}){0,3}")
"""Pages of ours that a sign-in may end at: a list of forms, not of hosts, so nothing leads away from here."""


def own_page(path: str) -> bool:
    return _OWN_PAGE.fullmatch(path) is not None


async def start_own(request: Request, query: dict[str, str]) -> Interaction:
    """An interaction of our own: `next` (own page), `aal`, `ial`. Anything else in them means the least.

    Raises TooMany.
    """
    wanted = query.get("next", "")
    ask = SignInAsk(
        min_aal=2 if query.get("aal") == "2" else 1,
        min_ial=2 if query.get("ial") == "2" else 1,
    )
    resume = wanted if own_page(wanted) else START_PAGE
    known = await part(request, Identity).session(request) is not None
    return await part(request, Interactions).start(request, resume=resume, known=known, sign_in=ask)


async def load(request: Request) -> Interaction:
    """The interaction named by `i`, its language set. Raises Refusal `interaction-expired`."""
    interaction = await part(request, Interactions).load(request, strict_query(request).get("i"))
    set_request_locale(request, interaction.locale)
    return interaction


def where_of(request: Request, interaction: Interaction | None = None) -> Where:
    address = client_address(request)
    ask = interaction.sign_in if interaction else SignInAsk()
    return Where(
        address=address,
        network=network_of(address),
        browser=browser_of(request.headers.get("user-agent", "")),
        client=ask.client_name or "",
        agency=ask.agency_name or "",
    )


def see(url: str) -> Response:
    """303, never 307: a password is not posted on (RFC 9700, 4.12)."""
    return RedirectResponse(url, 303)


async def go_on(request: Request, interaction: Interaction, session: Session) -> Response:
    """The sign-in is done: back to who asked, or to our own page."""
    interactions = part(request, Interactions)
    if own_page(interaction.resume):
        await interactions.finish(interaction)
        return see(interaction.resume)
    await interactions.save(replace(interaction, signed_in=session.signed_in(), sign_in_error=None))
    return see(interaction.resume_url)


async def turn_back(request: Request, interaction: Interaction, error: str) -> Response:
    """The sign-in does not happen: the starter is told why; our own pages end at the front page."""
    interactions = part(request, Interactions)
    await part(request, Identity).pending.drop(interaction.id)
    if own_page(interaction.resume):
        await interactions.finish(interaction)
        return see("/")
    await interactions.save(replace(interaction, signed_in=None, sign_in_error=error))
    return see(interaction.resume_url)


async def enter(
    request: Request,
    interaction: Interaction,
    account: AccountState,
    *,
    auth_at: datetime,
    aal: int,
    amr: tuple[str, ...],
    mac: bytes,
) -> Response:
    """Makes the session, with a fresh identifier; what this browser had before is ended."""
    identity, settings = part(request, Identity), part(request, Settings)
    made = await identity.sessions.create(
        person_id=account.person_id,
        account_id=account.account_id,
        auth_at=auth_at,
        aal=aal,
        ial=account.ial,
        amr=amr,
        has_second_factor=account.has_second_factor,
        device=browser_of(request.headers.get("user-agent", "")),
    )
    if made is None:
        raise SignInLost
    token, session = made
    await identity.sessions.end(identity.session_token(request))
    await identity.pending.drop(interaction.id)
    response = await _onward(request, interaction, session)
    set_session(request, response, token, session)
    known = with_entry(
        part(request, WebSecret),
        known_cookie(request),
        mac,
        int(part(request, Clock).now().timestamp()),  # type: ignore[type-abstract]
    )
    set_cookie(response, settings, KNOWN_COOKIE, known, max_age=LIFETIME_SECONDS)
    return response


async def step_up(request: Request, interaction: Interaction, session: Session, amr: tuple[str, ...]) -> Response:
    """The same session at the second level, under a fresh identifier."""
    identity = part(request, Identity)
    made = await identity.sessions.renew(identity.session_token(request), session, aal=2, amr=amr)
    if made is None:
        raise SignInLost
    token, renewed = made
    response = await _onward(request, interaction, renewed)
    set_session(request, response, token, renewed)
    return response


async def _onward(request: Request, interaction: Interaction, session: Session) -> Response:
    """On when all is satisfied; else the page that says what stands in the way.

    The authentication took place just now, so its age is no question.
    """
    ask = replace(interaction.sign_in, force=False, max_age_seconds=None)
    part(request, Identity).keep(request, session)
    step = part(request, Identity).step_for(session, ask)
    if step is Step.DONE:
        return await go_on(request, interaction, session)
    return hindrance_page(request, interaction, step)


def hindrance_page(request: Request, interaction: Interaction, step: Step) -> Response:
    """Signed in, but not at the level that is asked, and no code mends that."""
    return part(request, Pages).render(
        request,
        "identity/hindrance.html",
        status=403,
        form_action=origins(interaction),
        interaction=interaction,
        hindrance=step.value,
        own=own_page(interaction.resume),
    )


def set_session(request: Request, response: Response, token: str, session: Session) -> None:
    """The cookie ends with the browser; the session ends by our clock."""
    set_cookie(response, part(request, Settings), SESSION_COOKIE, token)
    part(request, Identity).keep(request, session)


def known_cookie(request: Request) -> str:
    return request.cookies.get(cookie_name(part(request, Settings), KNOWN_COOKIE), "")


def origins(interaction: Interaction) -> tuple[str, ...]:
    """For `form-action`: where a redirect after our form may end."""
    return (interaction.redirect_origin,) if interaction.redirect_origin else ()

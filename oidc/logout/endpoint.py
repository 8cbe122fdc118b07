"""RP-Initiated Logout 1.0: GET and POST /logout, and the question to the person.

A valid hint of this very session ends it at once; whatever else comes is asked about first, so that no page
somewhere can sign a person out. The browser is sent on only to an address that the hint's client registered.
Signing out ends every grant of the session, refresh tokens for offline access too: a person who signs out means it.
The other clients of the session are told (see the package).
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.clock import Clock
from core.database import Database
from core.errors import Refusal, Unavailable
from core.interaction import Interactions
from core.web.forms import read_form, read_urlencoded, strict_query
from core.web.locale import request_locale, set_request_locale
from core.web.pages import Pages
from identity.api import Identity, Session
from oidc import grants
from oidc.authorize.answers import Answers
from oidc.errors import OAuthError, invalid_request
from oidc.logout.messages import tell_of_session
from oidc.logout.request import LogoutRequest, LogoutRequests
from oidc.logout.signed_out import AfterLogout, SignedOutPage
from oidc.redirect_uris import origin_of
from privacy.pseudonyms.api import Pseudonyms

PATH = "/logout"
CONFIRM_PATH = "/logout/confirm"


@dataclass(frozen=True, slots=True)
class LogoutEndpoint:
    """The endpoint; one per process."""

    requests: LogoutRequests
    identity: Identity
    interactions: Interactions
    answers: Answers
    pages: Pages
    signed_out: SignedOutPage
    database: Database
    clock: Clock
    pseudonyms: Pseudonyms

    async def post(self, request: Request) -> Response:
        """From another site our cookies are not with it: to our own GET first.

        A hint is checked here and waits in the cache: an id_token that was sent in a form is not moved into
        an address, where histories and logs on the way would keep it.
        """
        form = await read_urlencoded(request)
        sent = {name: values[0] for name, values in form.items() if values[0]}
        if "id_token_hint" in sent:
            try:
                asked = await self.requests.checked(sent)
            except OAuthError as error:
                return await self.answers.refuse(request, None, error)
            locales = {name: sent[name] for name in ("ui_locales",) if name in sent}
            sent = {"ticket": await self.requests.keep(asked), **locales}
        return RedirectResponse(f"{PATH}?{urlencode(sent)}", 303, {"Cache-Control": "no-store"})

    async def get(self, request: Request) -> Response:
        """Signs out, or asks."""
        try:
            params = {name: value for name, value in strict_query(request).items() if value}
            asked = await (
                self.requests.kept(params["ticket"]) if "ticket" in params else self.requests.checked(params)
            )
        except OAuthError as error:
            return await self.answers.refuse(request, None, error)
        except Unavailable:
            raise
        except Refusal as refusal:
            return await self.answers.refuse(request, None, invalid_request(refusal.public))
        set_request_locale(request, params.get("ui_locales"))
        client_name = asked.client.name(request_locale(request)) if asked.client else None
        session = await self.identity.session(request)
        if session is None:
            return self.signed_out.show(request, AfterLogout(target=asked.target))
        if self._is_of(session, asked):
            return await self._end(request, session, asked.target, client_name)
        interaction = await self.interactions.start(
            request,
            resume=CONFIRM_PATH,
            known=True,
            redirect_origin=origin_of(asked.target) if asked.target else None,
            data={"target": asked.target, "client_name": client_name},
        )
        return self.pages.render(
            request,
            "oidc/logout.html",
            form_action=[interaction.redirect_origin] if interaction.redirect_origin else [],
            client_name=client_name,
            ticket=interaction.id,
        )

    async def confirm(self, request: Request) -> Response:
        """The person's answer. Raises Refusal `interaction-expired`, NotAllowed `csrf`."""
        form = await read_form(request, {"i": 64, "decision": 20})
        interaction = await self.interactions.load(request, form["i"], resume=CONFIRM_PATH)
        await self.interactions.finish(interaction)
        session = await self.identity.session(request)
        if form["decision"] != "sign-out":
            return self.signed_out.show(request, AfterLogout(), ended=False)
        target = interaction.data["target"]
        if session is None:
            return self.signed_out.show(request, AfterLogout(target=target))
        return await self._end(request, session, target, interaction.data["client_name"])

    def _is_of(self, session: Session, asked: LogoutRequest) -> bool:
        """Whether the hint was issued in this very session; one without `sid`, to this person since it began."""
        hint, client = asked.hint, asked.client
        if hint is not None and hint.sid is not None:
            return hint.sid == session.sid
        if hint is None or client is None:
            return False
        subject = self.pseudonyms.subject(client.sector, session.person)
        return hint.subject == subject and hint.issued_at >= int(session.started_at)

    async def _end(self, request: Request, session: Session, target: str | None, client_name: str | None) -> Response:
        now = self.clock.now()
        async with self.database.raw() as tx:
            # First, and by that after any redemption of a code that is under way: who got tokens is told.
            await grants.revoke_of_session(tx, session.person, session.sid, reason="signed-out", now=now)
            await tell_of_session(tx, session.person, session.sid, now=now)
            frames = await self.signed_out.frames(tx, session.person, session.sid)
        response = self.signed_out.show(request, AfterLogout(frames, target, client_name))
        await self.identity.end_session(response, request)
        return response

"""RP-Initiated Logout 1.0: GET and POST /logout, and the question to the person.

A valid hint of this very session ends it at once; whatever else comes is asked about first, so that no page
somewhere can sign a person out. The browser is sent on only to an address that the hint's client registered.
Signing out ends every grant of the session, refresh tokens too.
"""

from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.cache import Cache
from core.clock import Clock
from core.database import Database
from core.errors import Refusal, Unavailable
from core.ids import new_reference
from core.interaction import Interactions
from core.web.forms import read_form, read_urlencoded, strict_query
from core.web.locale import request_locale, set_request_locale
from core.web.pages import Pages
from identity.api import Identity, Session
from oidc import grants
from oidc.authorize.answers import Answers
from oidc.clients import Client, Clients
from oidc.errors import OAuthError, invalid_request
from oidc.id_token_hint import Hint, HintRefused, read_hint
from oidc.redirect_uris import matches, origin_of
from oidc.signing_keys import SigningKeys

PATH = "/logout"
CONFIRM_PATH = "/logout/confirm"
TICKET_SECONDS = 120
"""From a form of the portal to our own GET, in the same browser."""


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A checked request. target: where to go afterwards, registered by the hint's client; with state."""

    hint: Hint | None
    client: Client | None
    target: str | None


@dataclass(frozen=True, slots=True)
class LogoutEndpoint:
    """The endpoint; one per process."""

    issuer: str
    clients: Clients
    keys: SigningKeys
    identity: Identity
    interactions: Interactions
    answers: Answers
    pages: Pages
    database: Database
    clock: Clock
    cache: Cache

    async def post(self, request: Request) -> Response:
        """From another site our cookies are not with it: to our own GET first.

        A hint is checked here and waits in the cache: an id_token that was sent in a form is not moved into
        an address, where histories and logs on the way would keep it.
        """
        form = await read_urlencoded(request)
        sent = {name: values[0] for name, values in form.items() if values[0]}
        if "id_token_hint" in sent:
            try:
                asked = await self._checked(sent)
            except OAuthError as error:
                return await self.answers.refuse(request, None, error)
            locales = {name: sent[name] for name in ("ui_locales",) if name in sent}
            sent = {"ticket": await self._keep(asked), **locales}
        return RedirectResponse(f"{PATH}?{urlencode(sent)}", 303, {"Cache-Control": "no-store"})

    async def get(self, request: Request) -> Response:
        """Signs out, or asks."""
        try:
            params = {name: value for name, value in strict_query(request).items() if value}
            asked = await (self._kept(params["ticket"]) if "ticket" in params else self._checked(params))
        except OAuthError as error:
            return await self.answers.refuse(request, None, error)
        except Unavailable:
            raise
        except Refusal as refusal:
            return await self.answers.refuse(request, None, invalid_request(refusal.public))
        set_request_locale(request, params.get("ui_locales"))
        session = await self.identity.session(request)
        if session is None:
            return self._done(request, asked.target, ended=True)
        if asked.hint is not None and asked.hint.sid == session.sid:
            return await self._end(request, session, asked.target)
        interaction = await self.interactions.start(
            request,
            resume=CONFIRM_PATH,
            redirect_origin=origin_of(asked.target) if asked.target else None,
            data={"target": asked.target},
        )
        return self.pages.render(
            request,
            "oidc/logout.html",
            form_action=[interaction.redirect_origin] if interaction.redirect_origin else [],
            client_name=asked.client.name(request_locale(request)) if asked.client else None,
            ticket=interaction.id,
        )

    async def confirm(self, request: Request) -> Response:
        """The person's answer. Raises Refusal `interaction-expired`, NotAllowed `csrf`."""
        form = await read_form(request, {"i": 64, "decision": 20})
        interaction = await self.interactions.load(request, form["i"], resume=CONFIRM_PATH)
        await self.interactions.finish(interaction)
        session = await self.identity.session(request)
        if form["decision"] != "sign-out":
            return self._done(request, None, ended=False)
        if session is None:
            return self._done(request, interaction.data["target"], ended=True)
        return await self._end(request, session, interaction.data["target"])

    async def _keep(self, asked: LogoutRequest) -> str:
        """Keeps a checked request for the next step; gives its ticket."""
        ticket = new_reference()
        kept = {"hint": asdict(asked.hint) if asked.hint else None, "target": asked.target}
        await self.cache.put("logout", ticket, kept, TICKET_SECONDS)
        return ticket

    async def _kept(self, ticket: str) -> LogoutRequest:
        """The request of a ticket, which is good once. Raises OAuthError, Unavailable."""
        kept: dict[str, Any] | None = await self.cache.take("logout", ticket) if len(ticket) <= 64 else None
        if kept is None:
            raise invalid_request("This request to sign out is over. Please start again from the service.")
        hint = Hint(**kept["hint"]) if kept["hint"] else None
        client = await self.clients.get(hint.client_id) if hint else None
        return LogoutRequest(hint, client, kept["target"])

    async def _checked(self, params: dict[str, str]) -> LogoutRequest:
        """Raises OAuthError for a hint that is not ours or an address that is not registered."""
        hint = None
        if "id_token_hint" in params:
            try:
                hint = read_hint(params["id_token_hint"], self.keys, issuer=self.issuer)
            except HintRefused:
                raise invalid_request("id_token_hint is not an id_token of ours.") from None
            if params.get("client_id", hint.client_id) != hint.client_id:
                raise invalid_request("id_token_hint was issued to another client.")
        client_id = hint.client_id if hint else params.get("client_id")
        client = await self.clients.get(client_id) if client_id else None
        target = params.get("post_logout_redirect_uri")
        if hint is None or client is None or target is None:
            # Without a hint nobody has shown that he may send the browser anywhere.
            return LogoutRequest(hint, client, None)
        if not matches(target, client.post_logout_redirect_uris):
            raise invalid_request("The post_logout_redirect_uri is not registered for this client.")
        return LogoutRequest(hint, client, _with_state(target, params.get("state")))

    async def _end(self, request: Request, session: Session, target: str | None) -> Response:
        async with self.database.raw() as tx:
            await grants.revoke_of_session(tx, session.person, session.sid, reason="signed-out", now=self.clock.now())
        response = self._done(request, target, ended=True)
        await self.identity.end_session(response, request)
        return response

    def _done(self, request: Request, target: str | None, *, ended: bool) -> Response:
        if target is not None:
            return RedirectResponse(target, 303, {"Cache-Control": "no-store"})
        return self.pages.render(request, "oidc/logged_out.html", ended=ended)


def _with_state(target: str, state: str | None) -> str:
    if state is None:
        return target
    separator = "&" if urlsplit(target).query else "?"
    return f"{target}{separator}{urlencode({'state': state})}"

"""GET and POST /authorize, GET /authorize/resume."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.cache import Cache
from core.clock import Clock
from core.errors import Refusal, Unavailable
from core.ids import new_reference
from core.interaction import Interaction, Interactions
from core.web.brake import Brake
from core.web.forms import strict_query
from core.web.locale import set_request_locale
from oidc.authorize import table
from oidc.authorize.answers import Answers
from oidc.authorize.asking import Asking, PolicyOf
from oidc.authorize.checks.kept import READ
from oidc.authorize.issue_code import RESUME_PATH, CodeEnding
from oidc.authorize.reading import form_parameters, query_parameters
from oidc.authorize.walk import Walk
from oidc.client_keys import ClientKeys
from oidc.client_log import note_answer
from oidc.clients import Clients
from oidc.errors import OAuthError, invalid_request
from oidc.pushed import PushedRequests
from oidc.signing_keys import SigningKeys

PATH = "/authorize"
TICKET_SECONDS = 120
"""From a form of the portal to our own GET, in the same browser."""
TICKETS = Brake("ticket")
_NOT_IN_ADDRESSES = ("id_token_hint", "request", "claims", "authorization_details")
"""What was sent in a form because it is too long or too telling for an address."""


class AuthorizeEndpoint:
    """The endpoint; one per process."""

    def __init__(
        self,
        *,
        issuer: str,
        clients: Clients,
        client_keys: ClientKeys,
        policy_of: PolicyOf,
        pushed: PushedRequests,
        keys: SigningKeys,
        interactions: Interactions,
        answers: Answers,
        walk: Walk,
        ending: CodeEnding,
        cache: Cache,
        clock: Clock,
    ) -> None:
        self._issuer = issuer
        self._clients = clients
        self._client_keys = client_keys
        self._policy_of = policy_of
        self._cache = cache
        self._pushed = pushed
        self._keys = keys
        self._interactions = interactions
        self._answers = answers
        self._walk = walk
        self._ending = ending
        self._clock = clock

    async def get(self, request: Request) -> Response:
        """The request of a client, in the browser's address."""
        try:
            params = query_parameters(request)
            asking = await self._waiting(params["ticket"]) if "ticket" in params else self._asking(params)
        except Unavailable:
            raise
        except Refusal as refusal:
            # Repeated or unreadable: nothing in it can be trusted, the redirect address least of all.
            return await self._answers.refuse(request, None, invalid_request(refusal.public))
        try:
            await self._checked(request, asking)
            set_request_locale(request, asking.params.get("ui_locales"))
            response = await self._walk.begin(request, asking, self._ending)
        except OAuthError as error:
            return await self._refuse(request, asking, error)
        note_answer(request, "authorize", None, status=response.status_code)
        return response

    async def post(self, request: Request) -> Response:
        """The same by POST. It comes from another site, so our cookies are not with it (SameSite=Lax): the
        browser is sent to our own GET before the session is looked at.

        What was sent in a form is not moved into an address, where histories and logs on the way would keep it:
        such a request is checked here and waits in the cache.
        """
        try:
            sent = await form_parameters(request)
        except Refusal as refusal:
            return await self._answers.refuse(request, None, invalid_request(refusal.public))
        # What nobody reads may be a personal number or a secret, and has no business in an address.
        sent = {name: value for name, value in sent.items() if name in READ}
        if any(name in sent for name in _NOT_IN_ADDRESSES):
            asking = self._asking(sent)
            try:
                await self._checked(request, asking)
                await TICKETS.count(self._cache, request)
                sent = {"ticket": await self._let_wait(asking)}
            except OAuthError as error:
                return await self._refuse(request, asking, error)
        query = urlencode({**sent, "resource": sent["resource"].split(" ")} if "resource" in sent else sent, doseq=True)
        return RedirectResponse(f"{PATH}?{query}", 303, {"Cache-Control": "no-store"})

    async def resume(self, request: Request) -> Response:
        """Back from the sign-in page or the consent page. Raises Refusal `interaction-expired`."""
        interaction = await self._interactions.load(request, strict_query(request).get("i"), resume=RESUME_PATH)
        asking = self._again(interaction.data)
        try:
            # Run again: the client may have been suspended or changed meanwhile.
            await self._checked(request, asking)
            return await self._walk.resume(request, asking, interaction, self._ending)
        except OAuthError as error:
            return await self._refuse(request, asking, error, interaction)

    def _asking(self, params: dict[str, str]) -> Asking:
        return Asking(
            endpoint="authorize",
            params=params,
            issuer=self._issuer,
            now=self._clock.now(),
            clients=self._clients,
            client_keys=self._client_keys,
            policy_of=self._policy_of,
            pushed=self._pushed,
            keys=self._keys,
        )

    def _again(self, kept: Mapping[str, Any]) -> Asking:
        """A request that was checked before, as it was kept since."""
        asking = self._asking({})
        asking.again(kept)
        return asking

    async def _let_wait(self, asking: Asking) -> str:
        """Keeps a checked request for the next step; gives its ticket."""
        ticket = new_reference()
        await self._cache.put("authorize", ticket, asking.to_keep(), TICKET_SECONDS)
        return ticket

    async def _waiting(self, ticket: str) -> Asking:
        """The request of a ticket, which is good once. Raises OAuthError, Unavailable."""
        kept = await self._cache.take("authorize", ticket) if len(ticket) <= 64 else None
        if kept is None:
            raise invalid_request("This request is over. Please start again from the service you came from.")
        return self._again(kept)

    async def _checked(self, request: Request, asking: Asking) -> None:
        try:
            await table.run(asking)
        finally:
            if asking.known_client is not None:
                request.state.client_id = asking.known_client.client_id  # for the log line

    async def _refuse(
        self, request: Request, asking: Asking, error: OAuthError, interaction: Interaction | None = None
    ) -> Response:
        """The client gets one answer: with the error the walk and the pushed request are over."""
        if interaction is not None:
            await self._interactions.finish(interaction)
        if asking.target is not None and asking.pushed_uri is not None:
            await self._pushed.finish(asking.pushed_uri)
        response = await self._answers.refuse(request, asking.target, error)
        note_answer(request, "authorize", error, status=response.status_code)
        return response

"""GET and POST /authorize, GET /authorize/resume."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.clock import Clock
from core.errors import Refusal
from core.interaction import Interaction, Interactions
from core.web.forms import read_urlencoded, strict_query
from core.web.locale import set_request_locale
from oidc.authorize import table
from oidc.authorize.answers import Answers
from oidc.authorize.asking import Asking
from oidc.authorize.issue_code import RESUME_PATH, CodeEnding
from oidc.authorize.walk import Walk
from oidc.clients import Clients
from oidc.errors import OAuthError, invalid_request
from oidc.pushed import PushedRequests
from oidc.signing_keys import SigningKeys

PATH = "/authorize"


class AuthorizeEndpoint:
    """The endpoint; one per process."""

    def __init__(
        self,
        *,
        issuer: str,
        clients: Clients,
        pushed: PushedRequests,
        keys: SigningKeys,
        interactions: Interactions,
        answers: Answers,
        walk: Walk,
        ending: CodeEnding,
        clock: Clock,
    ) -> None:
        self._issuer = issuer
        self._clients = clients
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
            # Empty parameters count as not sent (RFC 6749 §3.1).
            params = {name: value for name, value in strict_query(request).items() if value}
        except Refusal as refusal:
            # Repeated or unreadable: nothing in it can be trusted, the redirect address least of all.
            return await self._answers.refuse(request, None, invalid_request(refusal.public))
        asking = self._asking(params)
        try:
            await self._checked(request, asking)
            set_request_locale(request, asking.params.get("ui_locales"))
            return await self._walk.begin(request, asking, self._ending)
        except OAuthError as error:
            return await self._refuse(request, asking, error)

    async def post(self, request: Request) -> Response:
        """The same by POST. It comes from another site, so our cookies are not with it (SameSite=Lax): the
        browser is sent to our own GET before anything is read."""
        form = await read_urlencoded(request)
        sent = {name: values[0] for name, values in form.items() if values[0]}
        sent.pop("login_hint", None)  # it may be a personal number, which has no business in an address
        return RedirectResponse(f"{PATH}?{urlencode(sent)}", 303, {"Cache-Control": "no-store"})

    async def resume(self, request: Request) -> Response:
        """Back from the sign-in page or the consent page. Raises Refusal `interaction-expired`."""
        interaction = await self._interactions.load(request, strict_query(request).get("i"), resume=RESUME_PATH)
        asking = self._asking(dict(interaction.data["params"]))
        asking.pushed_uri = interaction.data["pushed_uri"]
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
            pushed=self._pushed,
            keys=self._keys,
        )

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
        return await self._answers.refuse(request, asking.target, error)

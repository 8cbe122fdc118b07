"""The answer to an authorization request: a redirect or a form to the client, else a page for the person."""

import base64
import hashlib
import re
from collections.abc import Mapping
from urllib.parse import quote_plus

import structlog
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from core.clock import Clock
from core.web.answers import redirection
from core.web.headers import content_security_policy
from core.web.pages import Pages
from oidc.authorize.asking import Target
from oidc.authorize.checks.redirect import JWT_MODES
from oidc.authorize.jarm import SignedAnswers
from oidc.errors import OAuthError
from oidc.redirect_uris import origin_of

_SUBMIT = "document.forms[0].submit()"
# The one script of the house: a constant, allowed by its hash on this page alone.
_SUBMIT_ELEMENT = Markup(f"<script>{_SUBMIT}</script>")  # noqa: S704
_SUBMIT_HASH = base64.b64encode(hashlib.sha256(_SUBMIT.encode()).digest()).decode()

_UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]*", re.ASCII)

log = structlog.get_logger(__name__)


class Answers:
    """Makes the answers; every one to a client carries `iss` (RFC 9207; in the JWT by JARM), errors too."""

    def __init__(self, *, issuer: str, pages: Pages, signed: SignedAnswers, clock: Clock) -> None:
        self._issuer = issuer
        self._issuer_in_query = quote_plus(issuer)
        self._pages = pages
        self._signed = signed
        self._clock = clock

    async def send(self, request: Request, target: Target, params: Mapping[str, str]) -> Response:
        """The parameters to the client, with `state` and `iss`. Raises Unavailable."""
        sent = dict(params) if target.state is None else {**params, "state": target.state}
        if target.response_mode not in JWT_MODES:
            sent["iss"] = self._issuer
        else:
            try:
                sent = {"response": await self._signed.response(target.client, sent, now=self._clock.now())}
            except OAuthError as error:
                # What was to be encrypted is not sent in the open instead.
                return await self.refuse(request, None, error)
        if target.response_mode in {"form_post", "form_post.jwt"}:
            return self._form(request, target, sent)
        _, asks, query = target.redirect_uri.partition("?")
        separator = "&" if query else "" if asks else "?"
        # 303: whatever method led here, the browser asks with GET and carries no credentials along.
        query = "&".join(f"{name}={self._in_query(value)}" for name, value in sent.items())
        return redirection(f"{target.redirect_uri}{separator}{query}")

    def _in_query(self, value: str) -> str:
        """As `urllib.parse.quote_plus`; most values hold nothing to encode, and the issuer is always the same."""
        if value is self._issuer:
            return self._issuer_in_query
        return value if _UNRESERVED.fullmatch(value) else quote_plus(value)

    async def refuse(self, request: Request, target: Target | None, error: OAuthError) -> Response:
        """The error: to the client when its address is proven, else on a page here."""
        if target is not None:
            return await self.send(request, target, error.body())
        log.info("authorize.refused", code=error.code)
        return self._pages.render(
            request,
            "oidc/authorize_error.html",
            status=400,
            error=error.error,
            description=error.description,
            request_id=request.state.request_id,
        )

    def _form(self, request: Request, target: Target, sent: Mapping[str, str]) -> Response:
        """OAuth 2.0 Form Post Response Mode: posts itself, or by the button where scripts are off."""
        origin = origin_of(target.redirect_uri)
        page = self._pages.render(
            request,
            "oidc/form_post.html",
            form_action=(origin,),
            action=target.redirect_uri,
            parameters=sent,
            submit=_SUBMIT_ELEMENT,
        )
        policy = content_security_policy((origin,))
        page.headers["Content-Security-Policy"] = f"{policy}; script-src 'sha256-{_SUBMIT_HASH}'"
        return page

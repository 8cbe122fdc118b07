"""What a logout request may ask (RP-Initiated Logout 1.0 §2, §3): hint, client, address, each checked."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from core.cache import Cache
from core.ids import new_reference
from oidc.clients import Client, Clients
from oidc.errors import invalid_request
from oidc.id_token_hint import Hint, HintRefused, read_hint
from oidc.signing_keys import SigningKeys

TICKET_SECONDS = 120
"""From a form of the portal to our own GET, in the same browser."""
MAX_STATE = 2048
"""It lies in the cache and goes into an address, as that of an authorization request does."""


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A checked request. target: where to go afterwards, registered by the hint's client; with state."""

    hint: Hint | None
    client: Client | None
    target: str | None


@dataclass(frozen=True, slots=True)
class LogoutRequests:
    """Checks requests, and keeps a checked one from a POST to the GET that follows it."""

    issuer: str
    clients: Clients
    keys: SigningKeys
    cache: Cache

    async def checked(self, params: Mapping[str, str]) -> LogoutRequest:
        """Raises OAuthError for a hint that is not ours, an address that is not registered, an endless state."""
        hint = None
        if "id_token_hint" in params:
            try:
                hint = read_hint(params["id_token_hint"], self.keys, issuer=self.issuer)
            except HintRefused:
                raise invalid_request("id_token_hint is not an id_token of ours.") from None
            if params.get("client_id", hint.client_id) != hint.client_id:
                raise invalid_request("id_token_hint was issued to another client.")
        client = await self._client(hint.client_id if hint else params.get("client_id"))
        target = params.get("post_logout_redirect_uri")
        if hint is None or client is None or target is None:
            # Without a hint nobody has shown that he may send the browser anywhere.
            return LogoutRequest(hint, client, None)
        if target not in client.post_logout_redirect_uris:  # no listener of an app, so no port to forgive
            raise invalid_request("The post_logout_redirect_uri is not registered for this client.")
        state = params.get("state")
        if state is not None and len(state) > MAX_STATE:
            raise invalid_request(f"state is longer than {MAX_STATE} characters.")
        return LogoutRequest(hint, client, _with_state(target, state))

    async def keep(self, asked: LogoutRequest) -> str:
        """Keeps a checked request for the next step; gives its ticket. Raises Unavailable."""
        ticket = new_reference()
        kept = {"hint": asdict(asked.hint) if asked.hint else None, "target": asked.target}
        await self.cache.put("logout", ticket, kept, TICKET_SECONDS)
        return ticket

    async def kept(self, ticket: str) -> LogoutRequest:
        """The request of a ticket, which is good once. Raises OAuthError, Unavailable."""
        kept: dict[str, Any] | None = await self.cache.take("logout", ticket) if len(ticket) <= 64 else None
        if kept is None:
            raise invalid_request("This request to sign out is over. Please start again from the service.")
        hint = Hint(**kept["hint"]) if kept["hint"] else None
        return LogoutRequest(hint, await self._client(hint.client_id if hint else None), kept["target"])

    async def _client(self, client_id: str | None) -> Client | None:
        """A suspended client is as good as none: its name is not shown, and it gets no browser."""
        client = await self.clients.get(client_id) if client_id else None
        return client if client is not None and client.active else None


def _with_state(target: str, state: str | None) -> str:
    if state is None:
        return target
    separator = "&" if urlsplit(target).query else "?"
    return f"{target}{separator}{urlencode({'state': state})}"

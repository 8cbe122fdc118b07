"""Client authentication: exactly the registered method, never two at once (RFC 6749 §2.3, RFC 9700 §2.5)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote_plus

from starlette.requests import Request

from oidc.assertions import ASSERTION_TYPE, claimed_client_id, verify_assertion
from oidc.client_keys import ClientKeys
from oidc.client_secrets import secret_matches
from oidc.clients import Client, Clients
from oidc.errors import OAuthError, invalid_client
from oidc.replay import Mark


@dataclass(frozen=True, slots=True)
class _Presented:
    """What came along. method: as in `token_endpoint_auth_method`."""

    method: str
    client_id: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    """A client that proved itself. marks: single uses still to be claimed, before anything else is done."""

    client: Client
    marks: tuple[Mark, ...]


class ClientAuthentication:
    """Knows who calls the token, PAR, introspection and revocation endpoints."""

    def __init__(self, *, issuer: str, clients: Clients, client_keys: ClientKeys) -> None:
        self._issuer = issuer
        self._clients = clients
        self._client_keys = client_keys

    async def authenticate(
        self, request: Request, form: Mapping[str, str], *, now: datetime, public: bool = True
    ) -> AuthenticatedClient:
        """Raises OAuthError invalid_client. public: whether a client without a secret may come at all."""
        shown = self._presented(request, form)
        client = await self._clients.get(shown.client_id)
        realm = self._issuer if shown.method == "client_secret_basic" else None
        # The hash is computed and compared whoever it is: an unknown client takes as long as a known one.
        secret_holds = secret_matches(shown.secret, *(client.secret_hashes(now) if client else (None, None)))
        request.state.named_client = client.client_id if client else None  # for the client's own log
        if client is None or not client.active:
            raise invalid_client("The client is unknown or its authentication failed.", basic_realm=realm)
        if shown.method != client.auth_method:
            raise invalid_client(
                "The client is unknown or its authentication failed.",
                basic_realm=realm,
                private=f"sent {shown.method}, registered {client.auth_method}",
            )
        request.state.client_id = client.client_id
        if client.auth_method == "private_key_jwt":
            verified = verify_assertion(
                form["client_assertion"],
                client,
                await self._client_keys.verification(client),
                issuer=self._issuer,
                endpoint=f"{self._issuer}{request.url.path}",
                now=now,
            )
            return AuthenticatedClient(client, (verified.mark,))
        if client.auth_method == "none":
            if not public:
                raise invalid_client("This endpoint needs a client that authenticates.")
            return AuthenticatedClient(client, ())
        if not secret_holds:
            raise invalid_client("The client is unknown or its authentication failed.", basic_realm=realm)
        return AuthenticatedClient(client, ())

    def _presented(self, request: Request, form: Mapping[str, str]) -> _Presented:
        headers = request.headers.getlist("authorization")
        asserted = "client_assertion" in form or "client_assertion_type" in form
        ways = len(headers) + asserted + ("client_secret" in form)
        if ways > 1:
            raise invalid_client("Authenticate by exactly one method.", basic_realm=self._issuer if headers else None)
        shown = self._one(headers, form, asserted)
        if form.get("client_id", shown.client_id) != shown.client_id:
            raise invalid_client("client_id is not the one that authenticates.")
        return shown

    def _one(self, headers: list[str], form: Mapping[str, str], asserted: bool) -> _Presented:
        if headers:
            client_id, secret = self._basic(headers[0])
            return _Presented("client_secret_basic", client_id, secret)
        if asserted:
            if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
                raise invalid_client("client_assertion needs the client_assertion_type jwt-bearer.")
            return _Presented("private_key_jwt", claimed_client_id(form["client_assertion"]))
        if "client_id" not in form:
            raise invalid_client("No client authentication was sent.")
        if "client_secret" in form:
            return _Presented("client_secret_post", form["client_id"], form["client_secret"])
        return _Presented("none", form["client_id"])

    def _basic(self, header: str) -> tuple[str, str]:
        """Both halves are form-encoded before they are joined (RFC 6749 §2.3.1)."""
        scheme, _, encoded = header.partition(" ")
        if scheme.lower() != "basic":
            raise self._malformed()
        try:
            client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise self._malformed() from None
        if not colon:
            raise self._malformed()
        return unquote_plus(client_id), unquote_plus(secret)

    def _malformed(self) -> OAuthError:
        return invalid_client("The Authorization header is not HTTP Basic.", basic_realm=self._issuer)

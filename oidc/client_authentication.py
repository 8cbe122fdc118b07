"""Client authentication: exactly the registered method, never two at once (RFC 6749 §2.3, RFC 9700 §2.5).

A certificate alone is no second method: it may be there only to bind tokens (RFC 8705 §3). Which of the two a
`client_id` without anything else means, public client or certificate, the registration says.
"""

import binascii
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from urllib.parse import unquote_plus

from starlette.requests import Request

from core.client_certificate import client_certificate
from core.jose import JoseRefused, SigningKey, UnverifiedJwt, verify_signature
from core.record import record
from core.request_headers import headers_of
from oidc.assertions import ASSERTION_TYPE, read_assertion, verify_assertion
from oidc.certificates import CertificateAuthorities, is_key_of, is_named
from oidc.client_ends import note_certificate
from oidc.client_keys import ClientKeys
from oidc.client_secrets import secret_matches
from oidc.clients import Client, Clients
from oidc.errors import invalid_client
from oidc.profiles import CERTIFICATE_METHODS
from oidc.replay import Mark

_FAILED = "The client is unknown or its authentication failed."
MAX_BASIC = 4096
"""Characters of a Basic header's value; ours are a tenth of it."""


@record
class _Presented:
    """What came along. method: as in `token_endpoint_auth_method`. assertion: as read, nothing of it verified."""

    method: str
    client_id: str
    secret: str = ""
    assertion: UnverifiedJwt | None = None


@record
class AuthenticatedClient:
    """A client that proved itself. marks: single uses still to be claimed, before anything else is done."""

    client: Client
    marks: tuple[Mark, ...]


class ClientAuthentication:
    """Knows who calls the token, PAR, introspection and revocation endpoints."""

    def __init__(
        self,
        *,
        issuer: str,
        mtls_base: str,
        clients: Clients,
        client_keys: ClientKeys,
        authorities: CertificateAuthorities | None,
    ) -> None:
        """mtls_base: the other origin we are reached at, or empty. authorities: for tls_client_auth, if any."""
        self._issuer = issuer
        self._bases = (issuer, mtls_base) if mtls_base else (issuer,)
        self._clients = clients
        self._client_keys = client_keys
        self._authorities = authorities
        self._decoys = tuple(SigningKey.generate(alg).public() for alg in ("ES256", "EdDSA"))

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
            self._check_decoys(shown.assertion)
            raise invalid_client(_FAILED, basic_realm=realm)
        by_certificate = shown.method == "none" and client.auth_method in CERTIFICATE_METHODS
        if shown.method != client.auth_method and not by_certificate:
            self._check_decoys(shown.assertion)
            private = f"sent {shown.method}, registered {client.auth_method}"
            raise invalid_client(_FAILED, basic_realm=realm, private=private)
        marks: tuple[Mark, ...] = ()
        if shown.assertion is not None:
            marks = (await self._by_assertion(request, shown.assertion, client, now),)
        elif by_certificate:
            await self._by_certificate(request, client, now)
        elif client.auth_method == "none":
            if not public:
                raise invalid_client("This endpoint needs a client that authenticates.")
        elif not secret_holds:
            raise invalid_client(_FAILED, basic_realm=realm)
        request.state.client_id = client.client_id
        request.state.proven_client = None if client.auth_method == "none" else client.client_id
        return AuthenticatedClient(client, marks)

    async def _by_assertion(self, request: Request, assertion: UnverifiedJwt, client: Client, now: datetime) -> Mark:
        kid = assertion.header.get("kid")
        keys = await self._client_keys.verification(client, kid=kid if isinstance(kid, str) else None)
        endpoints = [f"{base}{path}" for base in self._bases for path in ("/token", request.scope["path"])]
        return verify_assertion(assertion, client, keys, issuer=self._issuer, endpoints=endpoints, now=now).mark

    async def _by_certificate(self, request: Request, client: Client, now: datetime) -> None:
        """RFC 8705 §2.1 and §2.2: possession was proven in the handshake, here is asked whose it is."""
        shown = client_certificate(request)
        if shown is None:
            raise invalid_client(f"{client.auth_method}: no client certificate came with the request.")
        if client.auth_method == "self_signed_tls_client_auth":
            holds = shown.is_valid_at(now) and is_key_of(shown, await self._client_keys.key_set(client))
        else:
            named = client.options.tls_subject is not None and is_named(shown, client.options.tls_subject)
            holds = named and self._authorities is not None and self._authorities.vouch_for(shown, now)
        if not holds:
            raise invalid_client(f"{client.auth_method}: the certificate is not the client's, or does not hold now.")
        note_certificate(request, client.client_id, shown.leaf.not_valid_after_utc)

    def _check_decoys(self, assertion: UnverifiedJwt | None) -> None:
        """A signature is checked here too, so that the time does not tell which clients exist."""
        if assertion is None:
            return
        for decoy in self._decoys:
            with suppress(JoseRefused):
                verify_signature(assertion, decoy, typ=None)

    def _presented(self, request: Request, form: Mapping[str, str]) -> _Presented:
        headers = headers_of(request.scope, b"authorization")
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
            found = read_basic(headers[0])
            if found is None:
                raise invalid_client("The Authorization header is not HTTP Basic.", basic_realm=self._issuer)
            return _Presented("client_secret_basic", *found)
        if asserted:
            if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
                raise invalid_client("client_assertion needs the client_assertion_type jwt-bearer.")
            client_id, assertion = read_assertion(form["client_assertion"])
            return _Presented("private_key_jwt", client_id, assertion=assertion)
        if "client_id" not in form:
            raise invalid_client("No client authentication was sent.")
        if "client_secret" in form:
            return _Presented("client_secret_post", form["client_id"], form["client_secret"])
        return _Presented("none", form["client_id"])


def read_basic(header: str) -> tuple[str, str] | None:
    """Client id and secret of an `Authorization` header; None when it is not HTTP Basic (RFC 7617 §2).

    Both halves are form-encoded before they are joined (RFC 6749 §2.3.1).
    """
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or len(encoded) > MAX_BASIC:
        return None
    try:
        # strict: what cannot be decoded is refused, not repaired into another name
        joined = binascii.a2b_base64(encoded.strip(" "), strict_mode=True).decode()
        client_id, colon, secret = joined.partition(":")
        if not colon:
            return None
        if "%" in joined or "+" in joined:
            return unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
        return client_id, secret
    except (binascii.Error, ValueError):  # of base64, of UTF-8 before and after the escapes
        return None

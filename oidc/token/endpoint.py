"""POST /token: authenticate, prove the key, claim the single uses, hand over to the grant type, encrypt."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from core.cache import Cache
from core.client_certificate import client_certificate
from core.clock import Clock
from core.jwe import EncryptionKey
from oidc.authorize.reading import pushed_parameters
from oidc.client_authentication import ClientAuthentication
from oidc.clients import Client
from oidc.edge import json_response, required
from oidc.encryption import encrypted_to
from oidc.errors import OAuthError
from oidc.proof import Proofs, replay_mark
from oidc.registration.check import DEVICE
from oidc.registration.check_options import CIBA
from oidc.replay import claim_all
from oidc.token.authorization_code import authorization_code
from oidc.token.client_credentials import StandingGrants, client_credentials
from oidc.token.context import TokenRequest, TokenRooms
from oidc.token.refresh_token import refresh_token

GrantType = Callable[[TokenRequest, TokenRooms], Awaitable[dict[str, Any]]]
GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials", CIBA, DEVICE)


class TokenEndpoint:
    """The endpoint; one per process."""

    def __init__(
        self,
        rooms: TokenRooms,
        *,
        authentication: ClientAuthentication,
        proofs: Proofs,
        cache: Cache,
        clock: Clock,
        further: Mapping[str, GrantType],
    ) -> None:
        """further: grant types of other packages, by name."""
        self._rooms = rooms
        self._authentication = authentication
        self._proofs = proofs
        self._cache = cache
        self._clock = clock
        self.standing = StandingGrants(rooms.database)
        self._grant_types: Mapping[str, GrantType] = {
            "authorization_code": authorization_code,
            "refresh_token": refresh_token,
            "client_credentials": lambda asked, rooms: client_credentials(asked, rooms, self.standing),
            **further,
        }

    async def answer(self, request: Request) -> Response:
        """Raises OAuthError, Unavailable."""
        parameters = await pushed_parameters(request)
        now = self._clock.now()
        authenticated = await self._authentication.authenticate(request, parameters, now=now)
        client = authenticated.client
        proof = self._proofs.read(request, client, now=now)
        marks = authenticated.marks if proof is None else (*authenticated.marks, replay_mark(proof))
        await claim_all(self._cache, marks)
        grant_type = self._grant_type(required(parameters, "grant_type"), client)
        if proof is None and client.dpop_bound:
            raise OAuthError("invalid_dpop_proof", "This client's tokens are bound to a key: send a DPoP proof.")
        jkt, x5t = None if proof is None else proof.jkt, _certificate_of(request, client)
        to = await self._encryption_key(client)
        answer = await grant_type(TokenRequest(client, parameters, jkt, x5t, now), self._rooms)
        if to is not None and "id_token" in answer:
            enc = client.options.id_token_encrypted_response_enc
            answer["id_token"] = encrypted_to(to, enc=enc, token=answer["id_token"])
        return json_response(answer)

    async def _encryption_key(self, client: Client) -> EncryptionKey | None:
        """Found before anything is spent or a transaction opened: it may have to be fetched, or not be there."""
        alg = client.options.id_token_encrypted_response_alg
        return None if alg is None else await self._rooms.client_keys.encryption(client, alg)

    def _grant_type(self, name: str, client: Client) -> GrantType:
        if name not in self._grant_types:
            raise OAuthError("unsupported_grant_type", f"grant_type must be one of {', '.join(GRANT_TYPES)}.")
        if name not in client.grant_types:
            raise OAuthError("unauthorized_client", "The client is not registered for this grant_type.")
        return self._grant_types[name]


def _certificate_of(request: Request, client: Client) -> str | None:
    """Thumbprint of the certificate that this client's tokens are bound to (RFC 8705 §3). Raises OAuthError."""
    if not client.mtls_bound:
        return None
    shown = client_certificate(request)
    if shown is None:
        raise OAuthError("invalid_request", "This client's tokens are bound to its certificate: use mutual TLS.")
    return shown.x5t_s256

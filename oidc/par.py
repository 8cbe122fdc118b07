"""POST /par: pushed authorization requests (RFC 9126), checked by the same table as /authorize."""

from starlette.requests import Request
from starlette.responses import Response

from core.cache import Cache
from core.clock import Clock
from core.web.brake import Brake
from oidc.authorize import table
from oidc.authorize.asking import Asking, PolicyOf
from oidc.authorize.reading import pushed_parameters
from oidc.client_authentication import ClientAuthentication
from oidc.client_keys import ClientKeys
from oidc.clients import Clients
from oidc.edge import json_response
from oidc.proof import Proofs, replay_mark
from oidc.pushed import LIFETIME_SECONDS, PushedRequests
from oidc.replay import claim_all
from oidc.signing_keys import SigningKeys

STRANGERS = Brake("par")
_AUTHENTICATION = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


class ParEndpoint:
    """The endpoint; one per process."""

    def __init__(
        self,
        *,
        issuer: str,
        authentication: ClientAuthentication,
        proofs: Proofs,
        clients: Clients,
        client_keys: ClientKeys,
        policy_of: PolicyOf,
        pushed: PushedRequests,
        keys: SigningKeys,
        cache: Cache,
        clock: Clock,
    ) -> None:
        self._issuer = issuer
        self._authentication = authentication
        self._proofs = proofs
        self._clients = clients
        self._client_keys = client_keys
        self._policy_of = policy_of
        self._pushed = pushed
        self._keys = keys
        self._cache = cache
        self._clock = clock

    async def answer(self, request: Request) -> Response:
        """201 with `request_uri` and `expires_in`. Raises OAuthError, TooMany, Unavailable."""
        parameters = await pushed_parameters(request)
        now = self._clock.now()
        authenticated = await self._authentication.authenticate(request, parameters, now=now)
        proof = self._proofs.read(request, authenticated.client, now=now)
        marks = authenticated.marks if proof is None else (*authenticated.marks, replay_mark(proof))
        await claim_all(self._cache, marks)
        params = {name: value for name, value in parameters.items() if name not in _AUTHENTICATION}
        asking = Asking(
            endpoint="par",
            params=params,
            issuer=self._issuer,
            now=now,
            clients=self._clients,
            client_keys=self._client_keys,
            policy_of=self._policy_of,
            pushed=self._pushed,
            keys=self._keys,
            known_client=authenticated.client,
            # RFC 9449 §10.1: a proof here binds the code just as dpop_jkt does.
            proof_jkt=None if proof is None else proof.jkt,
        )
        await table.run(asking)
        if authenticated.client.public:
            await STRANGERS.count(self._cache, request)
        uri = await self._pushed.keep(authenticated.client.client_id, asking.to_keep())
        return json_response({"request_uri": uri, "expires_in": LIFETIME_SECONDS}, status=201)

"""POST /bc-authorize: the backchannel authentication endpoint (CIBA §7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from core.cache import Cache
from core.clock import Clock
from oidc.asked_elsewhere import AskedElsewhere
from oidc.authorize.reading import pushed_parameters
from oidc.ciba import requests
from oidc.ciba.asked import (
    KNOWN,
    check_binding_message,
    check_grant_type,
    kept,
    notification_token,
    read_hint,
    requested_lifetime,
)
from oidc.ciba.person import People
from oidc.ciba.requests import CibaRequests
from oidc.ciba.signed_request import must_sign, refuse_parameters_beside, verify_signed_request
from oidc.client_authentication import ClientAuthentication
from oidc.clients import Client
from oidc.collect import INTERVAL_SECONDS
from oidc.edge import json_response
from oidc.errors import OAuthError, invalid_request
from oidc.replay import Mark, claim_all
from oidc.request_objects import claimed_kid

MAX_WAITING = 20
"""Requests of one client that may wait for one person at a time: a page of fifty would be read by nobody."""


@dataclass(frozen=True, slots=True)
class CibaEndpoint:
    """The endpoint; one per process."""

    asked: AskedElsewhere
    authentication: ClientAuthentication
    people: People
    requests: CibaRequests
    cache: Cache
    clock: Clock

    async def answer(self, request: Request) -> Response:
        """200 with `auth_req_id`, `expires_in`, `interval` (§7.3). Raises OAuthError, Unavailable.

        Known and unknown numbers take the same steps: found or not, one row is written for one person.
        """
        sent = await pushed_parameters(request)
        now = self.clock.now()
        authenticated = await self.authentication.authenticate(request, sent, now=now, public=False)
        client = authenticated.client
        params, marks = await self._opened(client, sent, now)
        await claim_all(self.cache, (*authenticated.marks, *marks))
        check_grant_type(client)
        hint = read_hint(params)
        asking = await self.asked.checked("ciba", client, params, now=now, also=(check_binding_message,))
        token, lifetime_seconds = notification_token(client, params), requested_lifetime(params)
        async with self.asked.database.raw() as tx:
            person_id = await self.people.meant_by(tx, hint, client)
            waiting = await requests.count_waiting_of_client(tx, person_id, client.client_id, now=now)
            if waiting >= MAX_WAITING:
                raise OAuthError("access_denied", "Too many requests wait for this person.", status=403)
            auth_req_id = await self.requests.write(
                tx,
                person_id=person_id,
                client_id=client.client_id,
                params=kept(asking.params),
                notification_token=token,
                lifetime_seconds=lifetime_seconds,
                now=now,
            )
        body = {"auth_req_id": auth_req_id, "expires_in": lifetime_seconds, "interval": INTERVAL_SECONDS}
        return json_response(body)

    async def _opened(
        self, client: Client, sent: Mapping[str, str], now: datetime
    ) -> tuple[Mapping[str, str], tuple[Mark, ...]]:
        """The parameters: out of the signed request, when there is one or must be one."""
        unverified_jwt = sent.get("request")
        if unverified_jwt is None:
            if must_sign(client):
                raise invalid_request("This client must send a signed request in the parameter request.")
            return sent, ()
        refuse_parameters_beside(sent, KNOWN)
        try:
            kid = claimed_kid(unverified_jwt)
        except OAuthError as error:
            raise invalid_request(error.description) from None
        keys = await self.asked.client_keys.verification(client, kid=kid)
        opened = verify_signed_request(unverified_jwt, client, keys, issuer=self.asked.issuer, now=now)
        return opened.params, (opened.mark,)

"""POST /device_authorization: the device authorization endpoint (RFC 8628 §3.1, §3.2)."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from core.cache import Cache
from core.clock import Clock
from core.web.brake import Brake
from oidc.asked_elsewhere import LASTING, AskedElsewhere
from oidc.authorize.reading import pushed_parameters
from oidc.client_authentication import ClientAuthentication
from oidc.collect import INTERVAL_SECONDS
from oidc.device.requests import LIFETIME_SECONDS, DeviceRequests
from oidc.device.user_codes import shown
from oidc.edge import json_response
from oidc.errors import OAuthError
from oidc.registration.check import DEVICE
from oidc.replay import claim_all

PAGE_PATH = "/device"
STRANGERS = Brake("device", 120)
"""A hall has few kiosks, and the more codes are alive the easier one is hit."""


@dataclass(frozen=True, slots=True)
class DeviceEndpoint:
    """The endpoint; one per process."""

    asked: AskedElsewhere
    authentication: ClientAuthentication
    requests: DeviceRequests
    cache: Cache
    clock: Clock

    async def answer(self, request: Request) -> Response:
        """200 with the codes and where to enter them. Raises OAuthError, TooMany, Unavailable.

        A kiosk that cannot keep a secret names itself only; it then gets what any public client gets.
        """
        sent = await pushed_parameters(request)
        now = self.clock.now()
        authenticated = await self.authentication.authenticate(request, sent, now=now)
        client = authenticated.client
        await claim_all(self.cache, authenticated.marks)
        if DEVICE not in client.grant_types:
            raise OAuthError("unauthorized_client", "The client is not registered for this grant type.")
        asking = await self.asked.checked("device", client, sent, now=now)
        params = {name: value for name, value in asking.params.items() if name in LASTING}
        if client.public:
            await STRANGERS.count(self.cache, request, apart=client.client_id)
        async with self.asked.database.raw() as tx:
            codes = await self.requests.write(tx, client_id=client.client_id, params=params, now=now)
        page, user_code = f"{self.asked.issuer}{PAGE_PATH}", shown(codes.user_code)
        body = {
            "device_code": codes.device_code,
            "user_code": user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={user_code}",
            "expires_in": LIFETIME_SECONDS,
            "interval": INTERVAL_SECONDS,
        }
        return json_response(body)

"""What the walk of a device request ends in: a grant, and the request approved, in one transaction."""

import uuid
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.ids import random_id
from oidc.asked_elsewhere import AskedElsewhere
from oidc.authorize.asking import Asking
from oidc.authorize.end_of_walk import End
from oidc.device import requests
from oidc.device.requests import DeviceRequest
from oidc.errors import OAuthError

RESUME_PATH = "/device/resume"
ALLOWED_PATH = "/device/allowed"


@dataclass(frozen=True, slots=True)
class DeviceEnding:
    """The `Ending` of one request."""

    asked: AskedElsewhere
    waiting: DeviceRequest

    @property
    def resume(self) -> str:
        return RESUME_PATH

    async def write(self, end: End) -> str:
        """Claims the answer before anything is written: a refusal commits what came before it."""
        person_id = uuid.UUID(end.signed_in.person_id)
        gid = random_id(person_id)
        async with self.asked.ending(end) as tx:
            if not await requests.approve(tx, self.waiting, person_id=person_id, gid=gid, now=end.now):
                raise OAuthError("access_denied", "The code was answered already, or its time is over.")
            await self.asked.write(tx, end, way="device", gid=gid)
        return ALLOWED_PATH

    async def answer(self, request: Request, asking: Asking, written: str) -> Response:
        return RedirectResponse(written, 303, {"Cache-Control": "no-store"})

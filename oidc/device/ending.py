"""What the walk of a device request ends in: a grant, and the request approved, in one transaction."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.database import Tx
from core.interaction import SignedIn
from oidc.asked_elsewhere import AskedElsewhere
from oidc.authorize.asking import Asking
from oidc.authorize.write_grant import write_grant
from oidc.device import requests
from oidc.device.requests import DeviceRequest
from oidc.errors import OAuthError
from oidc.grants import PurposeGrant, new_gid

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

    async def write(
        self,
        tx: Tx,
        asking: Asking,
        signed_in: SignedIn,
        purposes: Mapping[str, PurposeGrant],
        *,
        now: datetime,
    ) -> str:
        """Claims the answer before anything is written: a refusal commits what came before it."""
        person_id = uuid.UUID(signed_in.person_id)
        gid = new_gid(person_id)
        if not await requests.approve(tx, self.waiting, person_id=person_id, gid=gid, now=now):
            raise OAuthError("access_denied", "The code was answered already, or its time is over.")
        await write_grant(tx, asking, signed_in, purposes, kind="device", code=None, now=now, gid=gid)
        await self.asked.record(
            tx, "allowed", client=asking.client, person_id=person_id, account_id=signed_in.account_id, way="device"
        )
        return ALLOWED_PATH

    async def answer(self, request: Request, asking: Asking, written: str) -> Response:
        return RedirectResponse(written, 303, {"Cache-Control": "no-store"})

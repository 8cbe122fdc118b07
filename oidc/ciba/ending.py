"""What the walk of a CIBA request ends in: a grant, and the request approved, in one transaction."""

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
from oidc.ciba import requests
from oidc.ciba.requests import CibaRequest
from oidc.errors import OAuthError
from oidc.grants import PurposeGrant, new_gid

RESUME_PATH = "/ciba/resume"


def page_of(request_id: uuid.UUID) -> str:
    """The person's page of a request."""
    return f"/me/requests/{request_id}"


@dataclass(frozen=True, slots=True)
class CibaEnding:
    """The `Ending` of one request."""

    asked: AskedElsewhere
    waiting: CibaRequest

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
        person_id = self.waiting.person_id
        if signed_in.person_id != str(person_id):
            raise OAuthError("access_denied", "The request was put to somebody else.")
        gid = new_gid(person_id)
        if not await requests.approve(tx, person_id, self.waiting.request_id, gid, now=now):
            raise OAuthError("access_denied", "The request was answered already, or its time is over.")
        await write_grant(tx, asking, signed_in, purposes, kind="ciba", code=None, now=now, gid=gid)
        await self.asked.record(
            tx, "allowed", client=asking.client, person_id=person_id, account_id=signed_in.account_id, way="ciba"
        )
        return page_of(self.waiting.request_id)

    async def answer(self, request: Request, asking: Asking, written: str) -> Response:
        return RedirectResponse(written, 303, {"Cache-Control": "no-store"})

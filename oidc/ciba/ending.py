"""What the walk of a CIBA request ends in: a grant, and the request approved, in one transaction."""

import uuid
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.ids import random_id
from oidc.asked_elsewhere import AskedElsewhere
from oidc.authorize.asking import Asking
from oidc.authorize.end_of_walk import End
from oidc.ciba import requests
from oidc.ciba.requests import CibaRequest
from oidc.errors import OAuthError

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

    async def write(self, end: End) -> str:
        """Claims the answer before anything is written: a refusal commits what came before it."""
        person_id = self.waiting.person_id
        if end.signed_in.person_id != str(person_id):
            raise OAuthError("access_denied", "The request was put to somebody else.")
        gid = random_id(person_id)
        async with self.asked.ending(end) as tx:
            if not await requests.approve(tx, person_id, self.waiting.request_id, gid, now=end.now):
                raise OAuthError("access_denied", "The request was answered already, or its time is over.")
            await self.asked.write(tx, end, way="ciba", gid=gid)
        return page_of(self.waiting.request_id)

    async def answer(self, request: Request, asking: Asking, written: str) -> Response:
        return RedirectResponse(written, 303, {"Cache-Control": "no-store"})

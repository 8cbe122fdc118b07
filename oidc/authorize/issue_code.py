"""The usual end of a walk: a grant with its one authorization code, sent to the client by the browser."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from core.database import Tx
from core.ids import hash_reference, new_reference
from core.interaction import SignedIn
from oidc import grants
from oidc.authorize.answers import Answers
from oidc.authorize.asking import Asking
from oidc.authorize.write_grant import CodeOfGrant, write_grant
from oidc.errors import OAuthError
from oidc.pushed import PushedRequests

RESUME_PATH = "/authorize/resume"


class CodeEnding:
    """The `Ending` of the authorization endpoint."""

    resume = RESUME_PATH

    def __init__(self, pushed: PushedRequests, answers: Answers) -> None:
        self._pushed = pushed
        self._answers = answers

    async def write(
        self,
        tx: Tx,
        asking: Asking,
        signed_in: SignedIn,
        purposes: Mapping[str, grants.PurposeGrant],
        *,
        now: datetime,
    ) -> str:
        """Writes the grant; gives the code: 192 random bits behind the person's bucket, kept as a hash."""
        if asking.pushed_uri is not None and not await self._pushed.finish(asking.pushed_uri):
            raise OAuthError("invalid_request_uri", "The request_uri was used already.")
        code = new_reference(uuid.UUID(signed_in.person_id))
        written = CodeOfGrant(
            code_hash=hash_reference(code),
            redirect_uri=asking.answer_to.redirect_uri,
            challenge=asking.code_challenge,
            expires_at=now + timedelta(seconds=grants.CODE_SECONDS),
        )
        await write_grant(tx, asking, signed_in, purposes, kind="code", code=written, now=now)
        return code

    async def answer(self, request: Request, asking: Asking, written: str) -> Response:
        return await self._answers.send(request, asking.answer_to, {"code": written})

"""The usual end of a walk: a grant with its one authorization code, sent to the client by the browser."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from core.ids import hash_reference, new_reference, read_id
from oidc import grants
from oidc.authorize.answers import Answers
from oidc.authorize.asking import Asking
from oidc.authorize.end_of_walk import End, account_ended
from oidc.authorize.grant_values import CodeOfGrant, grant_values
from oidc.authorize.grants_together import GrantsTogether
from oidc.errors import OAuthError
from oidc.pushed import PushedRequests

RESUME_PATH = "/authorize/resume"


class CodeEnding:
    """The `Ending` of the authorization endpoint."""

    resume = RESUME_PATH

    def __init__(self, pushed: PushedRequests, grants_together: GrantsTogether, answers: Answers) -> None:
        self._pushed = pushed
        self._grants = grants_together
        self._answers = answers

    async def write(self, end: End) -> str:
        """Writes the grant; gives the code: 192 random bits behind the person's bucket, kept as a hash."""
        asking = end.asking
        await end.finish()
        if asking.pushed_uri is not None and not await self._pushed.finish(asking.pushed_uri):
            raise OAuthError("invalid_request_uri", "The request_uri was used already.")
        code = new_reference(read_id(end.signed_in.person_id))
        written = CodeOfGrant(
            code_hash=hash_reference(code),
            redirect_uri=asking.answer_to.redirect_uri,
            challenge=asking.code_challenge,
            expires_at=end.now + timedelta(seconds=grants.CODE_SECONDS),
        )
        if not await self._grants.write(end.signed_in, grant_values(end, kind="code", code=written)):
            raise account_ended()
        return code

    async def answer(self, request: Request, asking: Asking, written: str) -> Response:
        return await self._answers.send(request, asking.answer_to, {"code": written})

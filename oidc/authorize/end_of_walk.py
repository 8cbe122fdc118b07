"""What a walk ends in: the one grant, written where its starter keeps it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from core.interaction import SignedIn
from core.record import record
from oidc.authorize.asking import Asking
from oidc.errors import OAuthError
from oidc.grants import PurposeGrant


@record
class End:
    """What a person allowed on a walk. finish: claims the walk's one end; raises OAuthError for who comes second."""

    asking: Asking
    signed_in: SignedIn
    purposes: Mapping[str, PurposeGrant]
    now: datetime
    finish: Callable[[], Awaitable[None]]


class Ending(Protocol):
    """What a walk ends in. resume: own path that the sign-in and consent pages come back to."""

    @property
    def resume(self) -> str: ...

    async def write(self, end: End) -> str:
        """Claims the end and writes the grant, committed; gives what `answer` needs. Raises OAuthError.

        The account is asked of the database in the transaction of the grant: `account_ended` if it may not now.
        """
        ...

    async def answer(self, request: Request, asking: Asking, written: str) -> Response:
        """The answer to the browser."""
        ...


def account_ended() -> OAuthError:
    """The account was locked, or its credentials changed, since the person signed in."""
    return OAuthError("access_denied", "The account may not sign in now.")

"""The interaction: what a browser walks through between a portal's request and its answer.

Kept in Redis under the hash of its identifier, bound to the browser that started it. Pages read it, write
their result into it and redirect to `resume`; so the sign-in and consent pages need not know the provider.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from core.cache import Cache
from core.clock import Clock
from core.errors import Refusal
from core.ids import new_reference
from core.web.brake import Brake
from core.web.browser import browser_binding

TTL_SECONDS = 30 * 60
STRANGERS = Brake("interaction")
"""Each is up to 8 kB for half an hour."""


@dataclass(frozen=True, slots=True)
class SignInAsk:
    """What is asked of the sign-in. max_age_seconds: how old the authentication may be. force: prompt=login.

    min_…: without it the sign-in fails. wish_aal: asked of those whose account has it; the others go on without.
    """

    min_aal: int = 1
    min_ial: int = 1
    max_age_seconds: int | None = None
    force: bool = False
    login_hint: str | None = None
    client_name: str | None = None
    agency_name: str | None = None
    wish_aal: int = 1


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, how and when (auth_time: epoch seconds)."""

    account_id: str
    person_id: str
    sid: str
    auth_time: int
    aal: int
    ial: int
    amr: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Interaction:
    """One walk. Change it with `dataclasses.replace` and `Interactions.save`.

    resume: own path to go to when a step is done. redirect_origin: verified origin of the portal, for the
    form-action of the pages. sign_in_error: why the sign-in cannot give what was asked ("ial", "aal") or that
    the person turned back ("cancelled"); the starter answers with an error. consent_ask / consent_answer:
    JSON of the consent package. data: the starter's own JSON; nobody else reads it.
    """

    id: str
    browser: str
    started_at: int
    resume: str
    locale: str | None = None
    sign_in: SignInAsk = field(default_factory=SignInAsk)
    signed_in: SignedIn | None = None
    sign_in_error: str | None = None
    consent_ask: dict[str, Any] | None = None
    consent_answer: dict[str, Any] | None = None
    redirect_origin: str | None = None
    data: dict[str, Any] = field(default_factory=dict)

    def url(self, path: str) -> str:
        """A page of this interaction, e.g. `url("/consent")`."""
        return f"{path}?{urlencode({'i': self.id})}"

    @property
    def resume_url(self) -> str:
        return self.url(self.resume)


def _expired() -> Refusal:
    return Refusal(
        "interaction-expired",
        "This page has expired or belongs to another browser. Please start again from the service you came from.",
        status=400,
    )


class Interactions:
    """Starts, loads, saves and finishes interactions. Raises Unavailable when Redis does not answer."""

    def __init__(self, cache: Cache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock

    async def start(self, request: Request, *, resume: str, known: bool = False, **fields: Any) -> Interaction:
        """Makes one for this browser. The response must carry the browser cookie (the middleware sets it).

        known: somebody is signed in; strangers are braked. Raises TooMany.
        """
        if not known:
            await STRANGERS.count(self._cache, request)
        made = Interaction(
            id=new_reference(),
            browser=browser_binding(request),
            started_at=int(self._clock.now().timestamp()),
            resume=resume,
            **fields,
        )
        await self._cache.put("interaction", made.id, asdict(made), TTL_SECONDS)
        return made

    async def load(self, request: Request, ident: str | None, *, resume: str | None = None) -> Interaction:
        """The interaction of this browser. Raises Refusal `interaction-expired`.

        resume: given by its starter, to take no other walk for its own.
        """
        if not ident or len(ident) > 64:
            raise _expired()
        raw = await self._cache.get("interaction", ident)
        if raw is None or raw["browser"] != browser_binding(request):
            raise _expired()
        if raw["started_at"] + TTL_SECONDS <= self._clock.now().timestamp():
            raise _expired()
        if resume is not None and raw["resume"] != resume:
            raise _expired()
        return _from_json(raw)

    async def save(self, interaction: Interaction) -> None:
        """Writes it back. Raises Refusal `interaction-expired` when it was finished meanwhile."""
        kept = await self._cache.replace("interaction", interaction.id, asdict(interaction), TTL_SECONDS)
        if not kept:
            raise _expired()

    async def finish(self, interaction: Interaction) -> bool:
        """Claims the end in one atomic command; False when somebody else had it."""
        return await self._cache.take("interaction", interaction.id) is not None


def _from_json(raw: dict[str, Any]) -> Interaction:
    signed_in = raw["signed_in"]
    made = Interaction(**{**raw, "sign_in": SignInAsk(**raw["sign_in"]), "signed_in": None})
    if signed_in is None:
        return made
    return replace(made, signed_in=SignedIn(**{**signed_in, "amr": tuple(signed_in["amr"])}))

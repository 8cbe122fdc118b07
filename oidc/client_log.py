"""What a client did last, for its developers: notes of errors with their reason, and when each endpoint was used.

Kept in Redis, so it may be lost; a list per client of bounded length, which forgets by itself. A note holds the
time, the endpoint, the OAuth error with our own words for it, and the request id: no token, no secret, no `state`,
nothing of a person. Anybody can name a client: what nobody proved has a short list and a short queue of its own, so
that it drives out nothing of what surely was the client. Writing never delays or fails a request: notes are gathered
and written beside it, and when Redis is slow the newest ones are dropped.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from time import monotonic

import orjson
import structlog
from starlette.requests import Request

from core.cache import Cache, answered
from core.clock import Clock
from core.errors import Refusal, Unavailable
from core.runtime import Parts
from core.token import TokenRefused
from oidc.beside import Beside
from oidc.errors import OAuthError

MAX_NOTES = 50
MAX_UNPROVEN_NOTES = 20
NOTES_SECONDS = 14 * 24 * 3600
USE_SECONDS = 400 * 24 * 3600
USE_EVERY_SECONDS = 60.0
"""How often the last use of an endpoint is written, per process, client and endpoint."""
SANDBOX_EVERY_SECONDS = 1.0
"""In the sandbox a developer also sees what went well."""
MAX_WAITING = 500
MAX_UNPROVEN_WAITING = 50
MAX_BATCH = 100
MAX_REMEMBERED = 20_000
MAX_REASON = 200

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """One request. at: epoch seconds. error: wire code, None when it went well. description: as it was answered.
    reason: what the answer did not say, for the client's own people. proven: whether it was surely this client: one
    without a secret cannot prove it, and whoever asks for a sign-in only names it."""

    at: int
    endpoint: str
    error: str | None
    description: str
    reason: str
    status: int
    request_id: str
    proven: bool


@dataclass(frozen=True, slots=True)
class _Waiting:
    client_id: str
    note: Note
    listed: bool


class ClientLog:
    """One per process. sandbox: whether requests that went well are listed as well."""

    def __init__(self, cache: Cache, clock: Clock, *, sandbox: bool) -> None:
        self._cache = cache
        self._clock = clock
        self._sandbox = sandbox
        self._used: dict[tuple[str, str], float] = {}
        self._proven: deque[_Waiting] = deque()
        self._unproven: deque[_Waiting] = deque()
        self._beside = Beside(self._write)

    def note(self, request: Request, client_id: str, endpoint: str, refusal: Refusal | None, *, status: int) -> None:
        """Notes a request of a client. refusal: None when it went well. Never raises, never waits."""
        try:
            if refusal is None and not self._due(client_id, endpoint):
                return
            proven = getattr(request.state, "proven_client", None) == client_id
            waiting, most = (self._proven, MAX_WAITING) if proven else (self._unproven, MAX_UNPROVEN_WAITING)
            if len(waiting) >= most:
                return
            note = self._made(endpoint, refusal, status, str(request.state.request_id), proven)
            waiting.append(_Waiting(client_id, note, listed=refusal is not None or self._sandbox))
            self._beside.wake()
        except Exception as error:
            log.warning("client-log", error=type(error).__name__)

    async def last(self, client_id: str) -> list[Note]:
        """The last notes, newest first: of what was proven and of what was not. Raises Unavailable."""
        raw: list[bytes] = []
        for proven in (True, False):
            raw += await answered(self._cache.redis.lrange(self._list_key(client_id, proven=proven), 0, -1))
        return newest_first([note for each in raw if (note := _read(each)) is not None])

    async def used(self, client_id: str) -> dict[str, int]:
        """Endpoint → epoch seconds of its last use that went well, at most a minute off. Raises Unavailable."""
        raw = await answered(self._cache.redis.hgetall(self._use_key(client_id)))
        return {endpoint.decode(): int(at) for endpoint, at in raw.items()}

    async def written(self) -> None:
        """Waits until all that was told so far is written."""
        await self._beside.written()

    async def close(self) -> None:
        """At the end of the process; what is not written then is lost."""
        await self._beside.close()

    def _due(self, client_id: str, endpoint: str) -> bool:
        now, key = monotonic(), (client_id, endpoint)
        every = SANDBOX_EVERY_SECONDS if self._sandbox else USE_EVERY_SECONDS
        last = self._used.get(key)
        if last is not None and now - last < every:
            return False
        if len(self._used) >= MAX_REMEMBERED:
            self._used.clear()
        self._used[key] = now
        return True

    def _made(self, endpoint: str, refusal: Refusal | None, status: int, request_id: str, proven: bool) -> Note:
        at = int(self._clock.now().timestamp())
        if refusal is None:
            return Note(at, endpoint, None, "", "", status, request_id, proven)
        reason = refusal.private[:MAX_REASON] if isinstance(refusal, OAuthError | TokenRefused) else ""
        return Note(at, endpoint, error_of(refusal), refusal.public, reason, status, request_id, proven)

    async def _write(self) -> None:
        while waiting := self._proven or self._unproven:
            batch = [waiting.popleft() for _ in range(min(MAX_BATCH, len(waiting)))]
            pipe = self._cache.redis.pipeline(transaction=False)
            for each in batch:
                if each.listed:
                    key = self._list_key(each.client_id, proven=each.note.proven)
                    pipe.lpush(key, orjson.dumps(asdict(each.note)))
                    pipe.ltrim(key, 0, (MAX_NOTES if each.note.proven else MAX_UNPROVEN_NOTES) - 1)
                    pipe.expire(key, NOTES_SECONDS)
                if each.note.error is None:
                    pipe.hset(self._use_key(each.client_id), each.note.endpoint, each.note.at)
                    pipe.expire(self._use_key(each.client_id), USE_SECONDS)
            try:
                await answered(pipe.execute())
            except Unavailable as gone:
                log.warning("client-log", error=gone.private, count=len(batch))

    def _list_key(self, client_id: str, *, proven: bool) -> str:
        return self._cache.key("client-notes", client_id, "proven" if proven else "named")

    def _use_key(self, client_id: str) -> str:
        return self._cache.key("client-use", client_id)


def error_of(refusal: Refusal) -> str:
    """The wire code that the answer carried."""
    if isinstance(refusal, OAuthError):
        return refusal.error
    if isinstance(refusal, TokenRefused):
        return "invalid_token" if refusal.code == "token-missing" else refusal.code
    if isinstance(refusal, Unavailable):
        return "temporarily_unavailable"
    return refusal.code.replace("-", "_")


def note_answer(request: Request, endpoint: str, refusal: Refusal | None, *, status: int) -> None:
    """Notes a request for the client that it named or proved to be, if any; nothing without a log."""
    client_id = getattr(request.state, "client_id", None) or getattr(request.state, "named_client", None)
    log_of = _log_of(request)
    if client_id is not None and log_of is not None:
        log_of.note(request, client_id, endpoint, refusal, status=status)


def _log_of(request: Request) -> ClientLog | None:
    parts: Parts = request.app.state.parts
    try:
        return parts.get(ClientLog)
    except LookupError:
        return None


def newest_first(notes: Sequence[Note]) -> list[Note]:
    """By time; processes write side by side."""
    return sorted(notes, key=lambda note: note.at, reverse=True)


def _read(raw: bytes) -> Note | None:
    """A note of another release is left out."""
    try:
        return Note(**orjson.loads(raw))
    except (TypeError, ValueError):
        return None

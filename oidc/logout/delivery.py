"""Back-Channel Logout by the worker: many clients at once, few calls per client, each message until it is settled.

A message is claimed (and its next try put off) before the call, and settled after it: a worker that dies between
lets the message be told twice rather than never, and signing out twice is signing out. A client that does not
answer is left alone for a while, so that its messages take no place from those of others.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from time import monotonic
from typing import Literal
from urllib.parse import urlencode

import structlog

from core.clock import Clock
from core.database import Database
from core.errors import Refusal, Unavailable
from core.outbound import Outbound, OutboundRefused
from oidc.client_keys import ClientKeys
from oidc.clients import Client, Clients
from oidc.encryption import encrypted_for
from oidc.logout import messages
from oidc.logout.messages import LogoutMessage
from oidc.logout.token import TYPE, logout_claims
from oidc.signing_keys import SigningKeys
from privacy.pseudonyms.api import Pseudonyms

MAX_AT_ONCE = 24
MAX_PER_CLIENT = 2
PAUSE_SECONDS = 30.0
"""For a client that just failed to answer."""
LOOK_AGAIN_SECONDS = 1.0

Outcome = Literal["delivered", "refused", "dropped", "failed"]

log = structlog.get_logger(__name__)


class LogoutDelivery:
    """One per worker; `close` at its end."""

    def __init__(
        self,
        *,
        issuer: str,
        database: Database,
        clock: Clock,
        clients: Clients,
        client_keys: ClientKeys,
        keys: SigningKeys,
        pseudonyms: Pseudonyms,
        outbound: Outbound,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._issuer = issuer
        self._database = database
        self._clock = clock
        self._clients = clients
        self._client_keys = client_keys
        self._keys = keys
        self._pseudonyms = pseudonyms
        self._outbound = outbound
        self._seconds = seconds
        self._calls: set[asyncio.Task[None]] = set()
        self._per_client: Counter[str] = Counter()
        self._paused_until: dict[str, float] = {}

    async def step(self) -> bool:
        """Starts calls for what is due as far as there is room; True when there may be more. Raises Unavailable."""
        if len(self._calls) >= MAX_AT_ONCE:
            await asyncio.wait(self._calls, return_when=asyncio.FIRST_COMPLETED)
        started = False
        while len(self._calls) < MAX_AT_ONCE:
            async with self._database.raw() as tx:
                message = await messages.claim(tx, busy=self._busy(), now=self._clock.now())
            if message is None:
                break
            started = True
            self._start(message)
        if started or not self._calls:
            return started
        # What waits belongs to clients that are being called: the end of a call makes room.
        ended, _ = await asyncio.wait(self._calls, timeout=LOOK_AGAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        return bool(ended)

    async def settled(self) -> None:
        """Waits until no call is under way."""
        while self._calls:
            await asyncio.wait(self._calls)

    async def tidy(self) -> None:
        """Gives up what was tried often enough, forgets what was settled long ago. Raises Unavailable."""
        async with self._database.raw() as tx:
            await messages.tidy(tx, now=self._clock.now())

    async def close(self) -> None:
        """Calls off what is under way; it is tried again by whoever works next."""
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    def _busy(self) -> list[str]:
        now = self._seconds()
        self._paused_until = {client_id: until for client_id, until in self._paused_until.items() if until > now}
        full = [client_id for client_id, count in self._per_client.items() if count >= MAX_PER_CLIENT]
        return [*self._paused_until, *full]

    def _start(self, message: LogoutMessage) -> None:
        self._per_client[message.client_id] += 1
        call = asyncio.create_task(self._deliver(message))
        self._calls.add(call)

        def ended(_: asyncio.Task[None]) -> None:
            self._calls.discard(call)
            self._per_client[message.client_id] -= 1
            if not self._per_client[message.client_id]:
                del self._per_client[message.client_id]

        call.add_done_callback(ended)

    async def _deliver(self, message: LogoutMessage) -> None:
        """Raises nothing: what could not be done is tried again when the message is due."""
        try:
            outcome, error = await self._call(message)
            async with self._database.raw() as tx:
                now = self._clock.now()
                if outcome != "failed":
                    await messages.settle(tx, message, outcome, error=error, now=now)
                elif message.is_last_try:
                    await messages.settle(tx, message, "given-up", error=error, now=now)
                else:
                    await messages.note_failure(tx, message, error or "")
        except Unavailable as gone:
            log.warning("oidc.logout_unsettled", client_id=message.client_id, code=gone.code)
        except Exception as fault:
            log.error("oidc.logout_failed", client_id=message.client_id, exc_info=fault)

    async def _call(self, message: LogoutMessage) -> tuple[Outcome, str | None]:
        client = await self._clients.get(message.client_id)
        uri = client.options.backchannel_logout_uri if client is not None and client.active else None
        if client is None or uri is None:
            return "dropped", None
        try:
            body = urlencode({"logout_token": await self._token(client, message)}).encode()
            answer = await self._outbound.post(uri, body=body, content_type="application/x-www-form-urlencoded")
        except OutboundRefused as refused:
            self._paused_until[message.client_id] = self._seconds() + PAUSE_SECONDS
            log.info("oidc.logout_undelivered", client_id=message.client_id, reason=refused.reason)
            return "failed", refused.reason
        except Refusal as refusal:
            return "failed", refusal.code  # its key set cannot be had
        # §2.8: 200; some frameworks turn an empty one into 204. 400 says that it will not.
        if answer.status in {200, 204}:
            return "delivered", None
        if answer.status == 400:
            log.info("oidc.logout_refused", client_id=message.client_id)
            return "refused", "status-400"
        log.info("oidc.logout_undelivered", client_id=message.client_id, reason="status")
        return "failed", f"status-{answer.status}"

    async def _token(self, client: Client, message: LogoutMessage) -> str:
        """Signed, and encrypted, as the client's id_tokens are (§2.4, §2.6)."""
        claims = logout_claims(
            issuer=self._issuer,
            client_id=client.client_id,
            subject=self._pseudonyms.subject(client.sector, message.person_id),
            sid=message.sid,
            now=self._clock.now(),
        )
        token = await self._keys.sign(client.id_token_alg, claims, typ=TYPE)
        alg, enc = client.options.id_token_encrypted_response_alg, client.options.id_token_encrypted_response_enc
        return token if alg is None else await encrypted_for(client, self._client_keys, alg=alg, enc=enc, token=token)

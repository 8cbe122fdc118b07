"""The keys of clients: those registered by value, and those that a client keeps at its `jwks_uri`.

A fetched set is good for ten minutes; when it cannot be fetched again, for twenty more. A `kid` that is not in it
makes us look again, at most once in half a minute per client, since anybody can write a made-up `kid`. One fetch at
a time per client; who waits for one client's server holds up no other client.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import structlog

from core.errors import Refusal, Unavailable
from core.jose import VerificationKey
from core.jwe import EncryptionKey, encryption_key
from core.outbound import Outbound, OutboundRefused
from oidc.clients import Client, keys_of
from oidc.errors import OAuthError, invalid_client
from oidc.fetched_keys import KeySetRefused, read_key_set

FRESH_SECONDS = 600
USABLE_SECONDS = 1800
"""From the last good fetch on. A key that its owner withdrew is believed no longer than this, whoever keeps us from
reading the new set."""
UNKNOWN_KID_SECONDS = 30
AFTER_FAILURE_SECONDS = 10
MAX_REMEMBERED = 4096
ACCEPT = ("application/jwk-set+json", "application/json")

Fetched = Callable[[str, str, tuple[Mapping[str, Any], ...]], None]
"""Client, address, the keys as they were written."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Set:
    """A fetched set, and when (seconds of the process's own count)."""

    raw: tuple[Mapping[str, Any], ...]
    keys: tuple[VerificationKey, ...]
    fetched_at: float

    def has(self, kid: str | None) -> bool:
        return kid is None or any(each.get("kid") == kid for each in self.raw) or any(k.kid == kid for k in self.keys)


@dataclass(slots=True)
class _Known:
    """What is known of a client's address. missed_at: last fetch on account of an unknown kid."""

    uri: str
    found: _Set | None = None
    missed_at: float | None = None
    failed_at: float | None = None
    failure: Callable[[], Refusal] | None = None


class ClientKeys:
    """Finds the keys to check a client's signatures with, and to encrypt to. One per process."""

    def __init__(
        self, outbound: Outbound, seconds: Callable[[], float] = monotonic, *, fetched: Fetched | None = None
    ) -> None:
        """fetched: is told of every set that was fetched and can be used."""
        self._outbound = outbound
        self._fetched = fetched
        self._seconds = seconds
        self._known: dict[str, _Known] = {}
        self._fetching: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def verification(self, client: Client, *, kid: str | None = None) -> tuple[VerificationKey, ...]:
        """The client's keys. kid: the one that is looked for, so that a set that lacks it is fetched again.

        Raises Unavailable when a key set cannot be fetched and none is remembered, OAuthError `invalid_client` when
        what is there cannot be used.
        """
        return client.keys if client.jwks_uri is None else (await self._set_of(client, client.jwks_uri, kid)).keys

    async def key_set(self, client: Client) -> tuple[Mapping[str, Any], ...]:
        """The set as it was written, every key of it (RFC 7517). Raises as above."""
        if client.jwks_uri is None:
            return tuple((client.jwks or {}).get("keys", ()))
        return (await self._set_of(client, client.jwks_uri, None)).raw

    async def encryption(self, client: Client, alg: str) -> EncryptionKey:
        """The client's key for a key management algorithm; one with `use` "enc" before one without.

        Raises OAuthError `invalid_client_metadata` when its set has none: what was to be encrypted is not told.
        """
        found = encryption_key(await self.key_set(client), alg)
        if found is None:
            raise OAuthError("invalid_client_metadata", f"The client's key set has no key for {alg}.")
        return found

    async def _set_of(self, client: Client, uri: str, kid: str | None) -> _Set:
        known = self._known.get(client.client_id)
        if known is None or known.uri != uri:
            known = self._remember(client.client_id, _Known(uri))
        under_way = (client.client_id, uri) in self._fetching and (known.found is None or not known.found.has(kid))
        if under_way or self._wants_fetch(known, kid):
            await self._fetch_once(client.client_id, known)
        found = known.found
        if found is not None and self._age(found.fetched_at) < USABLE_SECONDS:
            return found
        raise known.failure() if known.failure is not None else _unavailable("no answer")

    def _wants_fetch(self, known: _Known, kid: str | None) -> bool:
        if known.failed_at is not None and self._age(known.failed_at) < AFTER_FAILURE_SECONDS:
            return False
        if known.found is None or self._age(known.found.fetched_at) >= FRESH_SECONDS:
            return True
        if known.found.has(kid) or (known.missed_at is not None and self._age(known.missed_at) < UNKNOWN_KID_SECONDS):
            return False
        known.missed_at = self._seconds()
        return True

    async def _fetch_once(self, client_id: str, known: _Known) -> None:
        """Fetches, or waits for the fetch that is under way; who gives up waiting does not end it for others."""
        place = (client_id, known.uri)
        task = self._fetching.get(place)
        if task is None:
            task = self._fetching[place] = asyncio.create_task(self._fetch(client_id, known))
            task.add_done_callback(lambda _: self._fetching.pop(place, None))
        await asyncio.shield(task)

    async def _fetch(self, client_id: str, known: _Known) -> None:
        """Puts the outcome into `known`; raises nothing."""
        known.failed_at = None
        try:
            answer = await self._outbound.get_json(known.uri, accept=ACCEPT)
            raw = read_key_set(answer.body)
        except OutboundRefused as refused:
            known.failed_at, known.failure = self._seconds(), _failure(refused)
            reason = refused.reason
        except KeySetRefused as refused:
            # Not what was there before instead: the client says by this set which keys hold.
            known.found, known.failed_at = None, self._seconds()
            known.failure = _unusable(refused.reason)
            reason = "content"
        else:
            known.found, known.failure = _Set(raw, keys_of({"keys": list(raw)}), self._seconds()), None
            if self._fetched is not None:
                self._fetched(client_id, known.uri, raw)
            return
        log.warning("oidc.jwks_uri", client_id=client_id, reason=reason)

    def _remember(self, client_id: str, known: _Known) -> _Known:
        while len(self._known) >= MAX_REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known.pop(client_id, None)
        self._known[client_id] = known
        return known

    def _age(self, at: float) -> float:
        return self._seconds() - at


def _failure(refused: OutboundRefused) -> Callable[[], Refusal]:
    return (lambda: _unavailable(str(refused))) if refused.passing else _unusable(str(refused))


def _unusable(reason: str) -> Callable[[], Refusal]:
    return lambda: invalid_client(f"The key set at the client's jwks_uri cannot be used: {reason}.")


def _unavailable(reason: str) -> Unavailable:
    return Unavailable(
        "client-keys-unavailable",
        f"The key set at the client's jwks_uri cannot be fetched now: {reason}.",
        retry_after=AFTER_FAILURE_SECONDS,
    )

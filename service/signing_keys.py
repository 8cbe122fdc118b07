"""Signing keys as the command line and the worker handle them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

import structlog

from core.clock import Clock
from core.database import Database, Tx
from core.runtime import Parts
from core.settings import Settings
from oidc.api import Acted, KeyShown, ProviderFoundation, SigningKeyActs
from privacy.journal.api import ActorRef, Journal
from service.compose import composed

KEEPER = ActorRef(kind="operator", id="keys-command", name_hint="Key keeper")
SCHEDULE = ActorRef(kind="operator", id="key-schedule", name_hint="Key schedule")

Answer = TypeVar("Answer")
log = structlog.get_logger(__name__)


def list_keys(settings: Settings) -> list[KeyShown]:
    """Every key there ever was."""

    async def work(acts: SigningKeyActs, tx: Tx) -> list[KeyShown]:
        return await acts.shown(tx)

    return _run(settings, work)


def rotate_keys(settings: Settings, algs: Sequence[str]) -> Acted:
    """Publishes next keys. Raises Conflict, NotFound."""

    async def work(acts: SigningKeyActs, tx: Tx) -> Acted:
        return await acts.rotate(tx, algs, by=KEEPER)

    return _run(settings, work)


def revoke_keys(settings: Settings, kids: Sequence[str] | None, reason: str) -> Acted:
    """Ends keys at once; kids None: every key that is not retired or revoked. Raises Conflict, NotFound."""

    async def work(acts: SigningKeyActs, tx: Tx) -> Acted:
        chosen = kids
        if chosen is None:
            live = {"next", "signs", "kept"}
            chosen = [each.times.kid for each in await acts.shown(tx) if each.state in live]
        return await acts.revoke(tx, chosen, reason=reason, by=KEEPER)

    return _run(settings, work)


def key_acts(parts: Parts) -> SigningKeyActs:
    """The acts over the rooms of a process that has the worker's login."""
    clock: Clock = parts.get(Clock)  # type: ignore[type-abstract]
    return SigningKeyActs(parts.get(ProviderFoundation).keys, parts.get(Journal), clock)


def key_schedule(parts: Parts, settings: Settings) -> Callable[[], Awaitable[bool]]:
    """The worker's step: next keys published in time, private halves of retired ones erased."""
    acts, database = key_acts(parts), parts.get(Database)
    every = timedelta(days=settings.key_rotation_days)

    async def step() -> bool:
        async with database.raw() as tx:
            acted = await acts.keep(tx, every=every, by=SCHEDULE)
        if acted.labels:
            await asyncio.to_thread(acts.destroy, acted)
        return False

    return step


def _run(settings: Settings, work: Callable[[SigningKeyActs, Tx], Awaitable[Answer]]) -> Answer:
    async def inside() -> Answer:
        async with _acting(settings) as (acts, database):
            async with database.raw() as tx:
                done = await work(acts, tx)
            if isinstance(done, Acted):
                await asyncio.to_thread(acts.destroy, done)
            return done

    with ThreadPoolExecutor(max_workers=1) as beside:
        return beside.submit(asyncio.run, inside()).result()


@asynccontextmanager
async def _acting(settings: Settings) -> AsyncIterator[tuple[SigningKeyActs, Database]]:
    async with composed(settings, login="worker") as parts:
        yield key_acts(parts), parts.get(Database)

"""`dinhdanh worker`: the background work, each kind its own loop; one that fails does not stop the others.

Any number of workers may run: the sequencer elects a leader by advisory lock, the outbox claims rows.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import structlog

from core.clock import Clock
from core.database import Database
from core.errors import Unavailable
from core.outbox import CHANNEL, Outbox
from core.settings import Settings, secret_value
from core.tasks import end
from oidc.api import OpenIdProvider
from privacy.journal.api import Sequencer, make_months
from service.compose import composed
from service.database_checks import check_worker_login
from service.metrics import OUTBOX_WAITING, PENDING_LINES, STEPS
from service.ready_marks import mark_ready
from service.signing_keys import key_schedule

SEQUENCE_EVERY_SECONDS = 0.25
"""A line has its position within a second of its commit."""
OUTBOX_AT_LEAST_EVERY_SECONDS = 1.0
MONTHS_EVERY_SECONDS = 3600.0
FORGET_EVERY_SECONDS = 600.0
PING_EVERY_SECONDS = 0.5
LOGOUT_EVERY_SECONDS = 1.0
KEYS_EVERY_SECONDS = 600.0
GAUGES_EVERY_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 10.0
UNAVAILABLE_PAUSE_SECONDS = 0.5
"""A server that is gone costs one attempt to connect, and lines wait for their place until it is back."""

log = structlog.get_logger(__name__)

Step = Callable[[], Awaitable[bool]]
"""Does one piece of work; True when there may be more at once."""


def work(settings: Settings) -> None:
    """Works until a signal asks to end. Raises CommandError when the login is not fit."""
    check_worker_login(secret_value(settings.database_worker_url, "DATABASE_WORKER_URL"), settings)
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    async with composed(settings, login="worker") as parts:
        database, outbox = parts.get(Database), parts.get(Outbox)
        sequencer, clock = parts.get(Sequencer), parts.get(Clock)  # type: ignore[type-abstract]
        elsewhere = parts.get(OpenIdProvider).elsewhere
        logouts = parts.get(OpenIdProvider).logout_delivery
        woken = asyncio.Event()

        async def sequence() -> bool:
            return await sequencer.run_once() > 0

        async def handle_event() -> bool:
            return await outbox.run_once(database)

        async def make_partitions() -> bool:
            async with database.raw() as tx:
                await make_months(tx, clock.now())
            return False

        async def ping() -> bool:
            return await elsewhere.pings.run_once()

        async def forget() -> bool:
            await outbox.forget_done(database)
            await elsewhere.forget()
            await logouts.tidy()
            return False

        async def gauge() -> bool:
            lines, _ = await sequencer.backlog()
            async with database.raw_read() as tx:
                waiting, _ = await outbox.backlog(tx)
            PENDING_LINES.set(lines)
            OUTBOX_WAITING.set(waiting)
            return False

        loops = [
            asyncio.create_task(_loop("sequence", sequence, SEQUENCE_EVERY_SECONDS)),
            asyncio.create_task(_loop("outbox", handle_event, OUTBOX_AT_LEAST_EVERY_SECONDS, woken)),
            asyncio.create_task(_loop("partitions", make_partitions, MONTHS_EVERY_SECONDS)),
            asyncio.create_task(_loop("ping", ping, PING_EVERY_SECONDS)),
            asyncio.create_task(_loop("logout", logouts.step, LOGOUT_EVERY_SECONDS)),
            asyncio.create_task(_loop("forget", forget, FORGET_EVERY_SECONDS)),
            asyncio.create_task(_loop("keys", key_schedule(parts, settings), KEYS_EVERY_SECONDS)),
            asyncio.create_task(_loop("gauges", gauge, GAUGES_EVERY_SECONDS)),
            asyncio.create_task(_listen(database, woken)),
        ]
        mark_ready()
        log.info("worker.ready")
        await _asked_to_end()
        await end(*loops)
        await logouts.close()


async def _loop(name: str, step: Step, every_seconds: float, woken: asyncio.Event | None = None) -> None:
    """Runs a step again and again; after a fault of its own it waits longer each time, up to ten seconds."""
    pause = every_seconds
    while True:
        try:
            started = monotonic()
            more = await step()
            STEPS.labels(name, "done").inc()
            pause = 0.0 if more else every_seconds
            if more and monotonic() - started > 1.0:
                log.info("worker.slow_step", step=name, seconds=round(monotonic() - started, 1))
        except Unavailable as error:
            STEPS.labels(name, "unavailable").inc()
            pause = UNAVAILABLE_PAUSE_SECONDS
            log.warning("worker.unavailable", step=name, detail=error.private)
        except Exception as error:
            STEPS.labels(name, "failed").inc()
            pause = min(max(pause * 2, 0.5), LONGEST_PAUSE_SECONDS)
            log.error("worker.failed", step=name, exc_info=error)
        if woken is None:
            await asyncio.sleep(pause)
        elif pause:
            with suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), pause)
            woken.clear()


async def _listen(database: Database, woken: asyncio.Event) -> None:
    """Wakes the outbox as soon as an event is committed; the loop's own rhythm is the net below."""

    def wake(*_: object) -> None:
        woken.set()

    while True:
        try:
            async with database.pool.acquire(timeout=5) as conn:
                await _listen_on(conn, wake)
        except Exception as error:
            log.warning("worker.listen", error=type(error).__name__)
        await asyncio.sleep(1.0)


async def _listen_on(conn: Any, wake: Callable[..., None]) -> None:
    gone = asyncio.Event()

    def ended(_: object) -> None:
        gone.set()

    conn.add_termination_listener(ended)
    await conn.add_listener(CHANNEL, wake)
    try:
        await gone.wait()
    finally:
        if not conn.is_closed():
            conn.remove_termination_listener(ended)
            # A server that goes at this very moment must not turn the end of this task into an error to go on from.
            with suppress(Exception):
                await conn.remove_listener(CHANNEL, wake)


async def _asked_to_end() -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, asked.set)
    await asked.wait()

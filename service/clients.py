"""Clients as the command line handles them: an operator's looks and acts, across all agencies."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from core.clock import Clock
from core.database import Database, Row, Tx
from core.runtime import Parts
from core.settings import Settings
from identity.api import Identity
from oidc.api import ClientEnds, ClientHealth, NewToken, Registration, Who, client_health
from privacy.journal.api import ActorRef
from service.compose import composed

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class TokenWish:
    """An initial access token to issue. agency: its code. profiles: the default first."""

    agency: str
    profiles: Sequence[str]
    uses: int
    days: int
    note: str


def operator(name: str) -> Who:
    """Somebody at the command line, by the name he gives; it stands in the journal."""
    return Who.of_ref(ActorRef(kind="operator", id=name, name_hint=name))


def list_clients(settings: Settings, agency: str | None) -> list[ClientHealth]:
    """Of one agency, or of all. Raises NotFound `agency-unknown`."""

    async def work(parts: Parts, tx: Tx) -> list[ClientHealth]:
        agency_id = None if agency is None else await _agency(parts, tx, agency)
        rows = await parts.get(Registration).desk.clients(tx, agency_id)
        return await _healths(parts, rows)

    return _run(settings, work)


def show_client(settings: Settings, client_id: str) -> ClientHealth:
    """Raises NotFound `client-unknown`."""

    async def work(parts: Parts, tx: Tx) -> ClientHealth:
        (found,) = await _healths(parts, [await parts.get(Registration).desk.client(tx, client_id, None)])
        return found

    return _run(settings, work)


def set_client_state(settings: Settings, client_id: str, state: str, *, by: str, reason: str) -> None:
    """ "suspended" or "active". Raises NotFound `client-unknown`, Conflict `client-state`."""

    async def work(parts: Parts, tx: Tx) -> None:
        desk = parts.get(Registration).desk
        await desk.set_state(tx, client_id, None, state, by=operator(by), reason=reason)

    _run(settings, work)


def end_registration_token(settings: Settings, client_id: str, *, by: str) -> None:
    """Raises NotFound `client-unknown`, Conflict `registration-token-none`."""

    async def work(parts: Parts, tx: Tx) -> None:
        await parts.get(Registration).desk.end_registration_token(tx, client_id, None, by=operator(by))

    _run(settings, work)


def issue_token(settings: Settings, wish: TokenWish, *, by: str, seconded_by: str | None) -> str:
    """Gives the token. Raises NotFound `agency-unknown`, BadInput."""

    async def work(parts: Parts, tx: Tx) -> str:
        agency_id = await _agency(parts, tx, wish.agency)
        terms = NewToken(agency_id, wish.agency, wish.profiles, wish.uses, timedelta(days=wish.days), wish.note)
        second = None if seconded_by is None else operator(seconded_by)
        return await parts.get(Registration).desk.make_token(tx, terms, by=operator(by), seconded_by=second)

    return _run(settings, work)


def trust_publisher(settings: Settings, issuer: str, jwks: Mapping[str, Any], *, by: str, agency: str | None) -> None:
    """Believes a publisher of software statements. Raises OAuthError, NotFound `agency-unknown`."""

    async def work(parts: Parts, tx: Tx) -> None:
        agency_id = None if agency is None else await _agency(parts, tx, agency)
        await parts.get(Registration).desk.trust(tx, issuer, jwks, by=operator(by), agency_id=agency_id)

    _run(settings, work)


def distrust_publisher(settings: Settings, issuer: str, *, by: str) -> None:
    """Raises NotFound `publisher-unknown`."""

    async def work(parts: Parts, tx: Tx) -> None:
        await parts.get(Registration).desk.end_trust(tx, issuer, by=operator(by))

    _run(settings, work)


async def _agency(parts: Parts, tx: Tx, code: str) -> uuid.UUID:
    return (await parts.get(Identity).agency(tx, code=code)).agency_id


async def _healths(parts: Parts, rows: Sequence[Row]) -> list[ClientHealth]:
    seen, now = await parts.get(ClientEnds).seen([row["client_id"] for row in rows]), _now(parts)
    return [client_health(row, now, seen[row["client_id"]]) for row in rows]


def _now(parts: Parts) -> datetime:
    clock: Clock = parts.get(Clock)  # type: ignore[type-abstract]
    return clock.now()


def _run(settings: Settings, work: Callable[[Parts, Tx], Awaitable[Answer]]) -> Answer:
    async def run() -> Answer:
        async with composed(settings, login="web") as parts, parts.get(Database).page() as tx:
            return await work(parts, tx)

    with ThreadPoolExecutor(max_workers=1) as beside:
        return beside.submit(asyncio.run, run()).result()

"""Liveness and readiness. Readiness asks what the service cannot answer without; each check is named."""

import asyncio
from collections.abc import Awaitable, Callable

import orjson
from fastapi import APIRouter
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response

from core.cache import Cache
from core.database import Database, Query
from core.errors import Refusal
from core.runtime import part
from service.revision import newest_revision

router = APIRouter(include_in_schema=False)

CHECK_SECONDS = 3
_HEAD = Query(text("SELECT version_num FROM public.alembic_version"))
_JOURNAL_WRITABLE = Query(
    text(
        "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'"
        " AND has_table_privilege('privacy.journal_lines', 'INSERT')"
        " AND has_table_privilege('privacy.journal_pending', 'INSERT') AS writable"
    )
)


@router.get("/health/live")
async def live() -> Response:
    """200 as long as the process answers."""
    return _answer({"process": "ok"})


@router.get("/health/ready")
async def ready(request: Request) -> Response:
    """200 when every check is ok, 503 otherwise; the body names each."""
    database, cache = part(request, Database), part(request, Cache)

    async def check_database() -> str:
        async with database.raw_read() as tx:
            await tx.rows(Query(text("SELECT 1")))
        return "ok"

    async def check_head() -> str:
        async with database.raw_read() as tx:
            row = await tx.row(_HEAD)
        return "ok" if row is not None and row["version_num"] == newest_revision() else "migration missing"

    async def check_journal() -> str:
        async with database.raw_read() as tx:
            row = await tx.row(_JOURNAL_WRITABLE)
        return "ok" if row is not None and row["writable"] else "not writable"

    async def check_cache() -> str:
        await cache.ping()
        return "ok"

    checks = {
        "database": check_database,
        "cache": check_cache,
        "migrations": check_head,
        "journal": check_journal,
    }
    outcomes = await asyncio.gather(*(_outcome(check) for check in checks.values()))
    return _answer(dict(zip(checks, outcomes, strict=True)))


async def _outcome(check: Callable[[], Awaitable[str]]) -> str:
    try:
        return await asyncio.wait_for(check(), CHECK_SECONDS)
    except (Refusal, TimeoutError):
        return "no answer"


def _answer(checks: dict[str, str]) -> Response:
    fine = all(outcome == "ok" for outcome in checks.values())
    body = {"status": "ok" if fine else "unavailable", "checks": checks}
    return Response(orjson.dumps(body), 200 if fine else 503, {"Cache-Control": "no-store"}, "application/json")

"""Open databases for tests, and transactions that leave nothing behind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.database import Database, RawTx, SessionTx


class _RollBack(Exception):
    """Passes through a transaction's block to roll it back."""


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    database = await Database.connect(url, application_name="dinhdanh-tests")
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def rolled_back_raw(database: Database) -> AsyncIterator[RawTx]:
    try:
        async with database.raw() as tx:
            yield tx
            raise _RollBack
    except _RollBack:
        return


@asynccontextmanager
async def rolled_back_page(database: Database) -> AsyncIterator[SessionTx]:
    try:
        async with database.page() as tx:
            yield tx
            raise _RollBack
    except _RollBack:
        return

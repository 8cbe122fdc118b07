"""The raw door's connections: how many, to whom next, and that none is handed on in the middle of something."""

import asyncio

import asyncpg
import pytest

from core.connections import Connections
from core.database import Database
from core.errors import Unavailable


async def pid_of(database: Database) -> int:
    async with database.raw_read() as tx:
        return int(await tx.conn.fetchval("SELECT pg_backend_pid()"))


async def test_the_one_used_last_comes_first(database: Database) -> None:
    assert await pid_of(database) == await pid_of(database)


async def test_there_are_never_more_than_allowed_and_all_get_their_turn(database: Database) -> None:
    pids: list[int] = []

    async def use() -> None:
        async with database.raw_read() as tx:
            pids.append(int(await tx.conn.fetchval("SELECT pg_backend_pid() FROM pg_sleep(0.005)")))

    await asyncio.gather(*(use() for _ in range(60)))
    assert len(pids) == 60
    assert len(set(pids)) <= database.pool._most


async def test_who_waits_in_vain_is_told_after_a_while(database: Database) -> None:
    pool = database.pool
    taken = [await pool.take(5) for _ in range(pool._most)]
    with pytest.raises(TimeoutError):
        await pool.take(0.01)
    for conn in taken:
        pool.give_back(conn)
    async with pool.acquire() as conn:
        assert await conn.fetchval("SELECT 1") == 1


async def test_who_stops_waiting_loses_nobody_a_connection(database: Database) -> None:
    pool = database.pool
    taken = [await pool.take(5) for _ in range(pool._most)]
    gone, stays = asyncio.create_task(pool.take(5)), asyncio.create_task(pool.take(5))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    pool.give_back(taken[0])  # given to the first, who is cancelled before he hears of it
    gone.cancel()
    assert await stays is taken[0]
    for conn in taken:
        pool.give_back(conn)
    assert len(pool._idle) == pool._most


async def test_an_open_transaction_is_not_handed_on(database: Database) -> None:
    conn = await database.pool.take(5)
    await conn.execute("BEGIN")
    database.pool.give_back(conn)
    assert conn.is_closed()
    async with database.raw_read() as tx:
        assert tx.conn is not conn


async def test_a_statement_broken_off_is_not_handed_on(database: Database) -> None:
    async with database.raw_read() as tx:
        conn = tx.conn

    async def slow() -> None:
        async with database.raw_read() as tx:
            assert tx.conn is conn
            await tx.conn.execute("SELECT pg_sleep(5)")

    task = asyncio.create_task(slow())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert conn.is_closed()
    assert await pid_of(database) > 0


async def test_one_that_the_server_ended_is_exchanged(database: Database) -> None:
    async with database.raw_read() as tx:
        conn, pid = tx.conn, await tx.conn.fetchval("SELECT pg_backend_pid()")
        ended = asyncio.Event()
        conn.add_termination_listener(lambda _: ended.set())
    async with database.page() as page:
        await (await page.session.connection()).exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
    await ended.wait()
    assert await pid_of(database) != pid


async def test_a_commit_that_fails_is_unavailable(database: Database) -> None:
    with pytest.raises(Unavailable):
        async with database.raw() as tx:
            tx.conn.terminate()


async def test_after_the_end_nobody_gets_one(database: Database) -> None:
    pool = Connections(database.pool._connect, 1)
    conn = await pool.take(5)
    waiting = asyncio.create_task(pool.take(5))
    await asyncio.sleep(0)
    ending = asyncio.create_task(pool.close())
    with pytest.raises(asyncpg.InterfaceError):
        await waiting
    assert not ending.done()  # one is still lent
    pool.give_back(conn)
    await ending
    assert conn.is_closed()

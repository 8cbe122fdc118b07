"""Shared claims: exactly one gets what is good once, committed, and one that cannot be run spoils nobody else's."""

import asyncio

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import bindparam, text

from core.database import Database, Query
from core.errors import Unavailable

_SPEND = Query(
    text(
        "UPDATE public.tickets SET holder = :holder WHERE ticket = :ticket AND door = :door AND holder IS NULL"
        " RETURNING ticket, holder, 12 / CAST(:by AS integer) AS part"
    ).bindparams(bindparam("holder"), bindparam("ticket"), bindparam("door"), bindparam("by"))
)
_SILENT = Query(text("UPDATE public.tickets SET holder = 'x'"))


@pytest_asyncio.fixture
async def tickets(owner_database: Database, database: Database) -> Database:
    async with owner_database.raw() as tx:
        await tx.conn.execute(
            "DROP TABLE IF EXISTS public.tickets;"
            "CREATE TABLE public.tickets (ticket text PRIMARY KEY, door text NOT NULL, holder text);"
            "INSERT INTO public.tickets SELECT 't' || n, 'east', NULL FROM generate_series(0, 29) AS n;"
            "GRANT SELECT, UPDATE ON public.tickets TO PUBLIC"
        )
    return database


async def spend(database: Database, ticket: str, holder: str, *, door: str = "east", by: int = 1) -> str | None:
    row = await database.claims.row(_SPEND, ticket.encode(), holder=holder, ticket=ticket, door=door, by=by)
    return None if row is None else f"{row['ticket']} {row['holder']}"


async def held(database: Database) -> dict[str, str]:
    async with database.raw() as tx:
        rows = await tx.conn.fetch("SELECT ticket, holder FROM public.tickets WHERE holder IS NOT NULL")
    return {row["ticket"]: row["holder"] for row in rows}


async def test_everybody_gets_his_own_row_and_it_is_kept(tickets: Database) -> None:
    got = await asyncio.gather(*(spend(tickets, f"t{n}", f"h{n}") for n in reversed(range(30))))
    assert got == [f"t{n} h{n}" for n in reversed(range(30))]
    assert await held(tickets) == {f"t{n}": f"h{n}" for n in range(30)}


async def test_of_many_who_want_the_same_one_gets_it(tickets: Database) -> None:
    got = await asyncio.gather(*(spend(tickets, f"t{n % 3}", f"h{n}") for n in range(60)))
    winners = [each for each in got if each is not None]
    assert sorted(winners) == sorted(f"{ticket} {holder}" for ticket, holder in (await held(tickets)).items())
    assert len(winners) == 3


async def test_who_asks_for_the_same_at_the_wrong_door_gets_nothing(tickets: Database) -> None:
    """He has the same key and stands before the owner in the batch: the owner's row is not for him."""
    first, thief, owner = await asyncio.gather(
        spend(tickets, "t1", "first"), spend(tickets, "t2", "thief", door="west"), spend(tickets, "t2", "owner")
    )
    assert (first, thief, owner) == ("t1 first", None, "t2 owner")


async def test_one_that_cannot_be_run_spoils_nobody_elses(tickets: Database) -> None:
    got = await asyncio.gather(
        *(spend(tickets, f"t{n}", "h", by=0 if n == 2 else 1) for n in range(5)), return_exceptions=True
    )
    assert isinstance(got[2], asyncpg.DivisionByZeroError)
    assert await held(tickets) == {f"t{n}": "h" for n in (0, 1, 3, 4)}


async def test_a_statement_that_tells_nothing_is_no_claim(tickets: Database) -> None:
    with pytest.raises(ValueError, match="RETURNING"):
        await tickets.claims.row(_SILENT, b"t1")
    assert await held(tickets) == {}


async def test_a_server_that_is_not_there_is_unavailable_for_all() -> None:
    gone = await Database.connect("postgresql://nobody:x@127.0.0.1:1/none", sessions=1, raw=1)
    try:
        answers = await asyncio.gather(*(spend(gone, "t1", "h") for _ in range(3)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [Unavailable] * 3
    finally:
        await gone.close()

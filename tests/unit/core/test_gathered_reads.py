"""Shared reads: everybody gets the rows of his own question, and one that cannot be run spoils nobody else's."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import bindparam, text

from core.database import Database, Query
from core.errors import Unavailable

_UP_TO = Query(
    text("SELECT n, :word AS word FROM generate_series(1, :most) AS n ORDER BY n DESC").bindparams(
        bindparam("word"), bindparam("most")
    )
)
_PART = Query(text("SELECT 12 / CAST(:by AS integer) AS part").bindparams(bindparam("by")))


async def test_everybody_gets_the_rows_of_his_own_question(database: Database) -> None:
    answers = await asyncio.gather(*(database.shared.rows(_UP_TO, word=f"w{most}", most=most) for most in range(20)))
    for most, rows in enumerate(answers):
        assert [(row["n"], row["word"]) for row in rows] == [(n, f"w{most}") for n in range(most, 0, -1)]


async def test_the_first_row_or_none(database: Database) -> None:
    alone = await database.shared.row(_UP_TO, word="w", most=3)
    nothing, some = await asyncio.gather(
        database.shared.row(_UP_TO, word="w", most=0), database.shared.row(_UP_TO, word="w", most=2)
    )
    assert alone is not None
    assert some is not None
    assert (alone["n"], nothing, some["n"]) == (3, None, 2)


async def test_one_that_cannot_be_run_spoils_nobody_elses(database: Database) -> None:
    answers = await asyncio.gather(*(database.shared.row(_PART, by=by) for by in (1, 0, 3)), return_exceptions=True)
    assert isinstance(answers[1], asyncpg.DivisionByZeroError)
    assert [answer["part"] for answer in answers if not isinstance(answer, BaseException) and answer] == [12, 4]


async def test_a_server_that_is_not_there_is_unavailable_for_all() -> None:
    gone = await Database.connect("postgresql://nobody:x@127.0.0.1:1/none", sessions=1, raw=1)
    try:
        answers = await asyncio.gather(*(gone.shared.row(_PART, by=1) for _ in range(3)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [Unavailable] * 3
        with pytest.raises(Unavailable):
            await gone.shared.row(_PART, by=2)
    finally:
        await gone.close()

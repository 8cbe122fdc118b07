"""What the database itself refuses, whatever Python says: rules of the tables, and rights of the logins."""

from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from core.database import Database

PERSON = "01990000-0000-7000-8000-000000000001"
OTHER = "01990000-0000-7000-8000-000000000002"
NOBODY = "01990000-0000-7000-8000-00000000dead"
NOW = "'2026-11-02 00:00+00'"


def person(person_id: str = PERSON, status: str = "alive", version: int = 1) -> str:
    return f"INSERT INTO population_db.persons VALUES ('{person_id}', '{status}', {NOW}, {version}, {NOW}, NULL, NULL)"


def group(
    person_id: str = PERSON, code: str = "civil", version: int = 1, source: str = "self", ended: str = "NULL"
) -> str:
    return (
        f"INSERT INTO population_db.person_groups VALUES ('{person_id}', '{code}', {version}, 'x', 'm', '{source}',"
        f" '2026-01-01', '2026-01-01', {NOW}, {ended})"
    )


def number(
    person_id: str = PERSON, ordinal: int = 1, status: str = "active", reason: str = "NULL", on: str = "NULL"
) -> str:
    return (
        f"INSERT INTO population_db.person_numbers"
        f" VALUES ('{person_id}', {ordinal}, '{status}', 'x', {reason}, {on}, {NOW})"
    )


def index(person_id: str = PERSON, mac: str = "a", status: str = "active", version: int = 1) -> str:
    return (
        f"INSERT INTO population_db.number_index"
        f" VALUES (repeat('{mac}', 32)::bytea, {version}, '{person_id}', '{status}')"
    )


def search(person_id: str = PERSON, kind: str = "name-date", length: int = 32) -> str:
    return f"INSERT INTO population_db.search_index VALUES (repeat('a', {length})::bytea, 1, '{person_id}', '{kind}')"


def member(person_id: str = PERSON, household: str = OTHER, to: str = "NULL") -> str:
    return (
        f"INSERT INTO population_db.household_members VALUES ('{person_id}', '{household}', {NOW}, '2026-01-01', {to})"
    )


@pytest.mark.parametrize(
    ("statements", "error"),
    [
        ([person(status="asleep")], asyncpg.CheckViolationError),
        ([person(version=0)], asyncpg.CheckViolationError),
        ([person(), person()], asyncpg.UniqueViolationError),
        ([person(), group(code="shoes")], asyncpg.CheckViolationError),
        ([person(), group(source="Sở Tư pháp")], asyncpg.CheckViolationError),
        ([person(), group(source="")], asyncpg.CheckViolationError),
        ([person(), group(ended="'2026-11-01 00:00+00'")], asyncpg.CheckViolationError),
        ([person(), group(), group(version=2)], asyncpg.UniqueViolationError),
        ([group(NOBODY)], asyncpg.ForeignKeyViolationError),
        ([number(NOBODY)], asyncpg.ForeignKeyViolationError),
        ([index(NOBODY)], asyncpg.ForeignKeyViolationError),
        ([search(NOBODY)], asyncpg.ForeignKeyViolationError),
        ([member(NOBODY)], asyncpg.ForeignKeyViolationError),
        ([person(), number(), number(ordinal=2)], asyncpg.UniqueViolationError),
        ([person(), number(on="'2026-01-01'")], asyncpg.CheckViolationError),
        ([person(), number(status="lost")], asyncpg.CheckViolationError),
        ([person(), number(status="cancelled", reason="'Nguyễn An'")], asyncpg.CheckViolationError),
        ([person(), person(OTHER), index(), index(OTHER)], asyncpg.UniqueViolationError),
        ([person(), index(status="lost")], asyncpg.CheckViolationError),
        ([person(), index(mac="aa")], asyncpg.CheckViolationError),
        ([person(), search(kind="name")], asyncpg.CheckViolationError),
        ([person(), search(length=31)], asyncpg.CheckViolationError),
        ([person(), member(), member(household=PERSON)], asyncpg.UniqueViolationError),
        ([person(), member(to="'2025-01-01'")], asyncpg.CheckViolationError),
    ],
)
async def test_the_tables_hold_their_rules(
    owner_database: Database, statements: list[str], error: type[Exception]
) -> None:
    *before, last = statements
    async with owner_database.pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        for statement in before:
            await conn.execute(statement)
        with pytest.raises(error):
            await conn.execute(last)
        await transaction.rollback()


async def test_what_the_rules_allow(owner_database: Database) -> None:
    async with owner_database.pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        for statement in (
            person(),
            group(ended="'2026-11-03 00:00+00'"),
            group(version=2),
            number(status="cancelled", reason="'wrong-sex'", on="'2026-01-01'"),
            number(ordinal=2),
            index(),
            index(mac="b", status="cancelled"),
            index(version=2),
            search(),
            member(to="'2026-02-01'"),
            member(household=PERSON),
        ):
            await conn.execute(statement)
        await transaction.rollback()


FORBIDDEN: Mapping[str, list[str]] = {
    "web": [
        "DELETE FROM population_db.persons",
        "DELETE FROM population_db.person_numbers",
        "DELETE FROM population_db.number_index",
        "DELETE FROM population_db.person_groups",
        "DELETE FROM population_db.household_members",
        "TRUNCATE population_db.search_index",
        "UPDATE population_db.person_groups SET sealed = 'x'",
        "UPDATE population_db.person_groups SET as_of = '2026-01-01'",
        "INSERT INTO population_db.import_runs VALUES (gen_random_uuid(), 'x', 1, 1, now(), NULL)",
    ],
    "worker": [
        "DELETE FROM population_db.persons",
        "DELETE FROM population_db.person_groups",
        "UPDATE population_db.person_groups SET sealed = 'x'",
        "DELETE FROM population_db.import_batches",
        "UPDATE population_db.import_batches SET rejected = 0",
    ],
    "reader": [
        person(),
        "UPDATE population_db.persons SET status = 'dead'",
        "DELETE FROM population_db.search_index",
    ],
}


@pytest.mark.parametrize("login", list(FORBIDDEN))
async def test_the_logins_may_do_no_more_than_their_work(
    login: str, database: Database, worker_database: Database, reader_database: Database
) -> None:
    asked = {"web": database, "worker": worker_database, "reader": reader_database}[login]
    for statement in FORBIDDEN[login]:
        async with asked.pool.acquire() as conn:
            await conn.execute("SET default_transaction_read_only = off")  # the reader's first fence; here: the second
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute(statement)


async def test_the_reader_may_look(reader_database: Database) -> None:
    async with reader_database.pool.acquire() as conn:
        tables: list[Any] = await conn.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'population_db' ORDER BY 1"
        )
        assert len(tables) == 10
        for table in tables:
            await conn.fetch(f"SELECT * FROM population_db.{table['tablename']} LIMIT 1")

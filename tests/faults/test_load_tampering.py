"""A row of the journal changed by hand: the real command finds it and names it; the web login cannot even try."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import pytest

from core.database import Database
from core.settings import secret_value
from privacy.journal.api import ActorRef, Journal, Line
from service.commands.journal import TAMPERED
from tests.support.commands import run
from tests.support.furnished import Furnished
from tests.support.servers import ServerAddresses

ACTION = "tests.looked"
NOTHING_HOLDS_HIM = "SET session_replication_role = replica"  # triggers are silent for a superuser who says so


@dataclass
class Evil:
    """A database superuser, and the journal's own command. line_id: the line he is after."""

    world: Furnished
    connection: "asyncpg.Connection[asyncpg.Record]"
    line_id: UUID

    def verify(self) -> tuple[int, str]:
        settings = self.world.settings
        done = run(
            ["journal", "verify"],
            {
                "DINHDANH_DATA_DIR": str(settings.data_dir),
                "DATABASE_URL": secret_value(settings.database_url, "DATABASE_URL"),
                "DATABASE_READER_URL": secret_value(settings.database_reader_url, "DATABASE_READER_URL"),
                "REDIS_URL": secret_value(settings.redis_url, "REDIS_URL"),
            },
        )
        return done.returncode, done.stdout


@pytest.fixture
async def evil(furnished: Furnished, servers: ServerAddresses) -> AsyncIterator[Evil]:
    line = Line(kind="act", action=ACTION, subject=None, actor=ActorRef("operator", "tests"))
    async with furnished.web.get(Database).raw() as tx:
        written = await furnished.web.get(Journal).write(tx, line)
    await furnished.work()
    name = urlsplit(secret_value(furnished.settings.database_url, "DATABASE_URL")).path
    connection = await asyncpg.connect(urlunsplit(urlsplit(servers.superuser_url)._replace(path=name)))
    try:
        await connection.execute(NOTHING_HOLDS_HIM)
        yield Evil(furnished, connection, written.line_id)
    finally:
        await connection.close()


async def test_a_journal_left_alone_is_whole(evil: Evil) -> None:
    code, said = evil.verify()
    assert code == 0, said
    assert said.startswith("The journal is whole: ")


async def test_a_row_changed_by_hand_is_named_and_mended_is_whole_again(evil: Evil) -> None:
    change = "UPDATE privacy.journal_lines SET agency = $2 WHERE line_id = $1"
    assert await evil.connection.execute(change, evil.line_id, "H99.99") == "UPDATE 1"
    code, said = evil.verify()
    assert code == TAMPERED == 3
    assert f"line-changed: line {evil.line_id}: agency:" in said
    assert "The journal was TAMPERED with: 1 findings" in said
    await evil.connection.execute(change, evil.line_id, None)
    assert evil.verify()[0] == 0


async def test_a_row_taken_away_by_hand_is_named(evil: Evil) -> None:
    async with evil.connection.transaction():
        row = await evil.connection.fetchrow(
            "DELETE FROM privacy.journal_lines WHERE line_id = $1 RETURNING *", evil.line_id
        )
    code, said = evil.verify()
    assert code == 3
    assert f"line-missing: line {evil.line_id}:" in said
    assert row is not None
    places = ", ".join(f"${at}" for at in range(1, len(row) + 1))
    await evil.connection.execute(f"INSERT INTO privacy.journal_lines VALUES ({places})", *row.values())
    assert evil.verify()[0] == 0


@pytest.mark.parametrize("table", ["journal_lines", "journal_leaves", "journal_checkpoints", "journal_pending"])
@pytest.mark.parametrize(
    "statement", ["UPDATE privacy.{} SET {} = {}", "DELETE FROM privacy.{}", "TRUNCATE privacy.{}"]
)
async def test_the_web_login_is_refused_by_the_server(furnished: Furnished, table: str, statement: str) -> None:
    column = "signed_at" if table == "journal_checkpoints" else "recorded_at"
    url = secret_value(furnished.settings.database_url, "DATABASE_URL")
    connection = await asyncpg.connect(url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement.format(table, column, column))
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "statement", ["UPDATE privacy.journal_lines SET agency = 'x'", "DELETE FROM privacy.journal_lines"]
)
async def test_even_the_owner_is_refused_by_the_trigger(evil: Evil, statement: str) -> None:
    connection = await asyncpg.connect(secret_value(evil.world.settings.database_owner_url, "DATABASE_OWNER_URL"))
    try:
        with pytest.raises(asyncpg.PostgresError, match="only"):
            await connection.execute(statement)
    finally:
        await connection.close()

"""The sequencer: order, checkpoints, restart, two at once, and what makes it stop."""

import asyncio
import base64
import hashlib
from datetime import timedelta

import pytest

from core.ids import new_id
from privacy.journal.api import JournalBroken, LogKey, LogKeyError, NoteBroken, origin_of, public_key_of
from privacy.journal.verify_notes import signed_root, signed_statement
from tests.support.privacy import ISSUER, JournalRoom


async def test_pending_lines_get_a_place_and_a_signed_root(room: JournalRoom) -> None:
    assert await room.sequencer.run_once() == 0
    written = {await room.act() for _ in range(5)}
    assert (await room.sequencer.backlog())[0] == 5
    assert await room.sequencer.run_once() == 5
    assert await room.sequencer.backlog() == (0, 0.0)
    async with room.reader.raw() as tx:
        leaves = await tx.conn.fetch("SELECT * FROM privacy.journal_leaves ORDER BY leaf_index")
        (checkpoint,) = await tx.conn.fetch("SELECT * FROM privacy.journal_checkpoints")
    assert [leaf["leaf_index"] for leaf in leaves] == [0, 1, 2, 3, 4]
    assert {leaf["line_id"] for leaf in leaves} == written
    root = signed_root(checkpoint["note"], room.log_key.public_key)
    assert root.text == f"id.example.vn/journal\n5\n{base64.b64encode(checkpoint['root_hash']).decode()}\n"
    statement = signed_statement(checkpoint["statement"], root.origin, room.log_key.public_key)
    assert (statement.serial, statement.time) == (1, room.clock.now())
    assert statement.before_sha256 == bytes(32)
    assert statement.checkpoint_sha256 == hashlib.sha256(root.text.encode()).digest()


async def test_a_restarted_sequencer_goes_on(room: JournalRoom) -> None:
    for size in (3, 4, 1):
        for _ in range(size):
            await room.act()
        assert await room.another_sequencer().run_once() == size
    report = await room.check()
    assert report.ok
    assert (report.tree_size, report.checkpoints) == (8, 3)


async def test_a_changed_issuer_is_a_new_origin_of_the_same_log(room: JournalRoom) -> None:
    await room.act()
    await room.sequencer.run_once()
    await room.act()
    await room.another_sequencer(issuer="http://localhost:8100").run_once()
    report = await room.check()
    assert report.ok
    assert report.origin == "localhost:8100/journal"
    assert any("origin changes" in note for note in report.notes)


async def test_many_sequencers_at_once_are_one(room: JournalRoom) -> None:
    async def write(count: int) -> None:
        for _ in range(count):
            await room.act()

    async def sequence() -> int:
        mine = room.another_sequencer()
        done = 0
        for _ in range(25):
            done += await mine.run_once()
            await asyncio.sleep(0)
        return done

    *done, _, _ = await asyncio.gather(sequence(), sequence(), sequence(), write(40), write(40))
    assert sum(done) + await room.sequencer.run_once() == 80
    report = await room.check()
    assert report.ok
    assert (report.tree_size, report.pending) == (80, 0)


async def test_a_clock_set_back_is_noted_and_stops_nothing(room: JournalRoom) -> None:
    await room.act()
    await room.sequencer.run_once()
    room.clock.advance(timedelta(hours=-3))
    await room.act()
    assert await room.sequencer.run_once() == 1
    report = await room.check()
    assert report.ok
    assert "checkpoint 2: the clock was set back by 10800.000 s before it was signed" in report.notes
    assert any("recorded long before" in note for note in report.notes)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM privacy.journal_checkpoints WHERE serial = 2",
        "DELETE FROM privacy.journal_leaves WHERE leaf_index = 3",
        "UPDATE privacy.journal_checkpoints SET frontier = set_byte(frontier, 0, 0) WHERE serial = 2",
        "UPDATE privacy.journal_checkpoints SET serial = 9 WHERE serial = 2",
        "UPDATE privacy.journal_checkpoints SET note = replace(note, 'vn/', 'com/') WHERE serial = 2",
    ],
)
async def test_a_tampered_tree_is_not_built_upon(room: JournalRoom, sql: str) -> None:
    for _ in range(2):
        await room.act()
        await room.act()
        await room.sequencer.run_once()
    await room.tamper(sql)
    await room.act()
    with pytest.raises(JournalBroken):
        await room.sequencer.run_once()
    async with room.reader.raw() as tx:
        assert await tx.conn.fetchval("SELECT count(*) FROM privacy.journal_pending") == 1


def test_the_log_key_is_a_private_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("log") / "log.pem"
    key = LogKey.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert LogKey.from_file(path).public_key == key.public_key
    assert public_key_of(key.verifier_key(ISSUER)) == ("id.example.vn/journal", key.public_key)
    assert repr(key) == "LogKey(hidden)"
    with pytest.raises(LogKeyError, match="exists"):
        LogKey.create(path)
    path.chmod(0o644)
    with pytest.raises(LogKeyError, match="0600"):
        LogKey.from_file(path)
    path.write_text("nothing")
    path.chmod(0o600)
    with pytest.raises(LogKeyError):
        LogKey.from_file(path)
    with pytest.raises(LogKeyError):
        LogKey.from_file(path.with_name("none.pem"))


def test_origins() -> None:
    assert origin_of("http://localhost:8000") == "localhost:8000/journal"
    for wrong in ("nothing", "https://a+b", "https://a b"):
        with pytest.raises(ValueError):
            origin_of(wrong)
    with pytest.raises(NoteBroken):
        public_key_of(str(new_id()))

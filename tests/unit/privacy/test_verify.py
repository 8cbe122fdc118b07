"""The verifier against a database owner who tampers: each trick is found and the row is named."""

from datetime import timedelta
from uuid import UUID

import pytest

from core.ids import new_id
from privacy.journal.api import LogKey, Progress, Sequencer
from tests.support.privacy import JournalRoom, line

LINES_PER_CHECKPOINT = 6
CHECKPOINTS = 4


async def filled(room: JournalRoom) -> list[UUID]:
    """A journal of 24 lines in 4 checkpoints; gives the line ids by leaf index."""
    person = new_id()
    for _ in range(CHECKPOINTS):
        for _ in range(LINES_PER_CHECKPOINT):
            room.clock.advance(timedelta(milliseconds=3))
            await room.act(person)
        assert await room.sequencer.run_once() == LINES_PER_CHECKPOINT
    async with room.reader.raw() as tx:
        rows = await tx.conn.fetch("SELECT line_id FROM privacy.journal_leaves ORDER BY leaf_index")
    return [row["line_id"] for row in rows]


async def found(room: JournalRoom, **asked: object) -> list[tuple[str, str]]:
    report = await room.check(**asked)
    assert report.ok == (not report.findings)
    return [(finding.kind, finding.place) for finding in report.findings]


async def test_an_untouched_journal_is_whole(room: JournalRoom) -> None:
    await filled(room)
    await room.act()
    seen: list[Progress] = []
    report = await room.check(progress=seen.append, origin="id.example.vn/journal", at_least=24)
    assert report.ok
    assert report.notes == ()
    assert (report.lines, report.leaves, report.pending, report.checkpoints) == (25, 24, 1, 4)
    assert report.tree_size == 24
    assert [progress.stage for progress in seen] == ["leaves", "pending", "lines"]
    async with room.reader.raw() as tx:
        root = await tx.conn.fetchval("SELECT root_hash FROM privacy.journal_checkpoints WHERE serial = 4")
    assert report.root_hash == root


async def test_an_empty_journal_is_whole(room: JournalRoom) -> None:
    assert (await room.check()).ok


CHANGES = {
    "kind": "'refusal'",
    "action": "'lookup.matches'",
    "outcome": "'refused'",
    "agency": "NULL",
    "purpose": "'tax'",
    "actor_kind": "'official'",
    "actor_id": "'client-2'",
    "schema_version": "2",
    "recorded_at": "recorded_at + interval '1 microsecond'",
}


@pytest.mark.parametrize("column", CHANGES)
async def test_a_changed_clear_column_is_named(room: JournalRoom, column: str) -> None:
    line_id = (await filled(room))[9]
    await room.tamper(f"UPDATE privacy.journal_lines SET {column} = {CHANGES[column]} WHERE line_id = $1", line_id)
    report = await room.check()
    (finding,) = report.findings
    assert (finding.kind, finding.place) == ("line-changed", f"line {line_id}")
    assert finding.detail.startswith(f"{column}:")


async def test_a_line_given_to_another_person_is_named(room: JournalRoom) -> None:
    line_id = (await filled(room))[9]
    other = new_id()
    await room.act(other)
    await room.sequencer.run_once()
    await room.tamper("UPDATE privacy.journal_lines SET person_id = $2 WHERE line_id = $1", line_id, other)
    assert await found(room) == [("line-changed", f"line {line_id}")]


async def test_a_changed_ciphertext_is_named(room: JournalRoom) -> None:
    line_id = (await filled(room))[9]
    await room.tamper(
        "UPDATE privacy.journal_lines SET sealed = set_byte(sealed, 60, get_byte(sealed, 60) # 1) WHERE line_id = $1",
        line_id,
    )
    assert await found(room) == [("line-changed", f"line {line_id}")]


async def test_exchanged_contents_are_named(room: JournalRoom) -> None:
    ids = await filled(room)
    await room.tamper(
        "UPDATE privacy.journal_lines l SET sealed = o.sealed FROM privacy.journal_lines o"
        " WHERE l.line_id = $1 AND o.line_id = $2",
        ids[3],
        ids[4],
    )
    assert await found(room) == [("line-changed", f"line {ids[3]}")]


async def test_a_line_rewritten_by_one_who_has_the_keys_is_named(room: JournalRoom) -> None:
    """Not only the database: the vault is in the wrong hands. The tree still holds the old commitment."""
    from privacy.journal.line import draft
    from privacy.journal.seal_line import line_columns

    line_id = (await filled(room))[9]
    async with room.owner.raw() as tx:
        row = await tx.conn.fetchrow("SELECT * FROM privacy.journal_lines WHERE line_id = $1", line_id)
        assert row is not None
        forged = draft(line(row["person_id"], kind="act", dossier="another"), line_id, row["recorded_at"])
        key = (await room.vault.find_person_keys(tx, [row["person_id"]]))[row["person_id"]]
    await room.tamper(
        "UPDATE privacy.journal_lines SET sealed = $2 WHERE line_id = $1",
        line_id,
        line_columns(forged, key)["sealed"],
    )
    assert await found(room) == [("line-changed", f"line {line_id}")]


async def test_a_deleted_line_is_named(room: JournalRoom) -> None:
    ids = await filled(room)
    await room.tamper("DELETE FROM privacy.journal_lines WHERE line_id = ANY($1)", [ids[0], ids[23]])
    assert await found(room) == [("line-missing", f"line {ids[0]}"), ("line-missing", f"line {ids[23]}")]


async def test_an_inserted_line_is_named(room: JournalRoom) -> None:
    ids = await filled(room)
    forged = new_id()
    await room.tamper(
        "INSERT INTO privacy.journal_lines SELECT person_id, recorded_at, $2, schema_version, kind, action,"
        " outcome, agency, purpose, actor_kind, actor_id, sealed FROM privacy.journal_lines WHERE line_id = $1",
        ids[5],
        forged,
    )
    assert await found(room) == [("line-added", f"line {forged}")]


async def test_a_doubled_line_is_named(room: JournalRoom) -> None:
    ids = await filled(room)
    await room.tamper(
        "INSERT INTO privacy.journal_lines SELECT person_id, recorded_at + interval '1 s', line_id,"
        " schema_version, kind, action, outcome, agency, purpose, actor_kind, actor_id, sealed"
        " FROM privacy.journal_lines WHERE line_id = $1",
        ids[5],
    )
    assert ("line-twice", f"line {ids[5]}") in await found(room)


async def test_a_line_whose_leaf_was_taken_away_is_named(room: JournalRoom) -> None:
    ids = await filled(room)
    await room.tamper("DELETE FROM privacy.journal_leaves WHERE leaf_index = 8")
    assert await found(room) == [("leaf-missing", "leaf 8"), ("line-added", f"line {ids[8]}")]


async def test_a_gap_over_several_checkpoints_does_not_hide_later_faults(room: JournalRoom) -> None:
    ids = await filled(room)
    await room.tamper("DELETE FROM privacy.journal_leaves WHERE leaf_index BETWEEN 4 AND 13")
    await room.tamper("UPDATE privacy.journal_leaves SET leaf_hash = $1 WHERE leaf_index = 20", bytes(32))
    report = await found(room)
    assert report[0] == ("leaf-missing", "leaf 4")
    assert ("checkpoint-root", "checkpoint 4") in report
    assert ("leaf-changed", "leaf 20") in report
    assert [entry for entry in report if entry[0] == "line-added"] == [
        ("line-added", f"line {line_id}") for line_id in sorted(ids[4:14])
    ]


async def test_a_changed_leaf_is_named(room: JournalRoom) -> None:
    await filled(room)
    await room.tamper("UPDATE privacy.journal_leaves SET leaf_hash = $1 WHERE leaf_index = 8", bytes(32))
    assert await found(room) == [("checkpoint-root", "checkpoint 2"), ("leaf-changed", "leaf 8")]


async def swapped(room: JournalRoom, one: int, two: int) -> None:
    for was, becomes in ((one, 900), (two, one), (900, two)):
        await room.tamper(f"UPDATE privacy.journal_leaves SET leaf_index = {becomes} WHERE leaf_index = {was}")


async def test_reordered_leaves_are_named(room: JournalRoom) -> None:
    await filled(room)
    await swapped(room, 7, 8)
    assert await found(room) == [("leaf-order", "leaf 8"), ("checkpoint-root", "checkpoint 2")]


async def test_leaves_reordered_across_checkpoints_are_named(room: JournalRoom) -> None:
    await filled(room)
    await swapped(room, 2, 15)
    report = await found(room)
    assert ("checkpoint-root", "checkpoint 1") in report
    assert ("checkpoint-root", "checkpoint 3") in report
    assert ("checkpoint-root", "checkpoint 2") not in report
    assert ("leaf-order", "leaf 3") in report


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ("tree_size = 13", {"checkpoint-changed"}),
        ("root_hash = set_byte(root_hash, 0, get_byte(root_hash, 0) # 1)", {"checkpoint-changed"}),
        ("frontier = set_byte(frontier, 0, get_byte(frontier, 0) # 1)", {"checkpoint-changed"}),
        ("signed_at = signed_at - interval '1 day'", {"checkpoint-changed"}),
        ("note = replace(note, E'\\n12\\n', E'\\n13\\n')", {"checkpoint-signature"}),
        ("note = replace(note, '— id', '— if')", {"checkpoint-signature"}),
        ("statement = replace(statement, '2026', '2025')", {"checkpoint-signature"}),
        ("statement = ''", {"checkpoint-signature"}),
        ("note = (SELECT note FROM privacy.journal_checkpoints WHERE serial = 1)", {"checkpoint-changed"}),
        ("statement = (SELECT statement FROM privacy.journal_checkpoints WHERE serial = 1)", {"checkpoint-changed"}),
    ],
)
async def test_a_changed_checkpoint_is_named(room: JournalRoom, change: str, kinds: set[str]) -> None:
    await filled(room)
    await room.tamper(f"UPDATE privacy.journal_checkpoints SET {change} WHERE serial = 2")
    report = await found(room)
    assert kinds <= {kind for kind, _ in report}
    assert "checkpoint 2" in {place for _, place in report}


@pytest.mark.parametrize(("serial", "named"), [(1, "checkpoint 1"), (2, "checkpoint 2"), (3, "checkpoint 3")])
async def test_a_deleted_checkpoint_is_named(room: JournalRoom, serial: int, named: str) -> None:
    await filled(room)
    await room.tamper("DELETE FROM privacy.journal_checkpoints WHERE serial = $1", serial)
    assert await found(room) == [("checkpoint-missing", named)]


async def test_a_deleted_last_checkpoint_leaves_unsigned_leaves(room: JournalRoom) -> None:
    await filled(room)
    await room.tamper("DELETE FROM privacy.journal_checkpoints WHERE serial = 4")
    assert await found(room) == [("leaf-unsigned", "leaf 18")]


async def test_renumbered_checkpoints_are_named(room: JournalRoom) -> None:
    await filled(room)
    await room.tamper("DELETE FROM privacy.journal_checkpoints WHERE serial = 2")
    await room.tamper("UPDATE privacy.journal_checkpoints SET serial = serial - 1 WHERE serial = 3")
    await room.tamper("UPDATE privacy.journal_checkpoints SET serial = serial - 1 WHERE serial = 4")
    assert ("checkpoint-changed", "checkpoint 2") in await found(room)


async def test_a_tail_cut_off_whole_is_found_by_who_saw_it(room: JournalRoom) -> None:
    ids = await filled(room)
    await room.tamper("DELETE FROM privacy.journal_checkpoints WHERE serial = 4")
    await room.tamper("DELETE FROM privacy.journal_leaves WHERE leaf_index >= 18")
    await room.tamper("DELETE FROM privacy.journal_lines WHERE line_id = ANY($1)", ids[18:])
    assert await found(room, at_least=24) == [("leaf-missing", "leaf 18")]


async def test_a_log_signed_by_another_key_is_not_ours(room: JournalRoom) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    await room.act()
    stranger = LogKey(Ed25519PrivateKey.generate())
    await Sequencer(room.worker, room.clock, stranger.signer("https://id.example.vn")).run_once()
    assert [kind for kind, _ in await found(room)] == ["checkpoint-signature", "checkpoint-signature"]


async def test_another_origin_than_the_asked_one_is_named(room: JournalRoom) -> None:
    await room.act()
    await room.sequencer.run_once()
    assert await found(room, origin="other.example/journal") == [("checkpoint-changed", "checkpoint 1")]


async def test_a_line_that_waits_too_long_is_named(room: JournalRoom) -> None:
    await filled(room)
    line_id = await room.act()
    room.clock.advance(timedelta(seconds=59))
    assert await found(room) == []
    room.clock.advance(timedelta(seconds=2))
    assert await found(room) == [("pending-late", f"line {line_id}")]


async def test_tampering_before_the_sequencer_came_is_named(room: JournalRoom) -> None:
    await filled(room)
    changed, gone, unhooked, rehashed = [await room.act() for _ in range(4)]
    await room.tamper("UPDATE privacy.journal_lines SET agency = 'XX' WHERE line_id = $1", changed)
    await room.tamper("DELETE FROM privacy.journal_lines WHERE line_id = $1", gone)
    await room.tamper("DELETE FROM privacy.journal_pending WHERE line_id = $1", unhooked)
    await room.tamper("UPDATE privacy.journal_pending SET leaf_hash = $2 WHERE line_id = $1", rehashed, bytes(32))
    assert sorted(await found(room)) == sorted(
        [
            ("line-changed", f"line {changed}"),
            ("line-missing", f"line {gone}"),
            ("line-added", f"line {unhooked}"),
            ("line-changed", f"line {rehashed}"),
        ]
    )


async def test_a_line_put_back_into_the_queue_is_named(room: JournalRoom) -> None:
    ids = await filled(room)
    await room.tamper(
        "INSERT INTO privacy.journal_pending SELECT line_id, recorded_at, leaf_hash"
        " FROM privacy.journal_leaves WHERE leaf_index = 5"
    )
    assert await found(room) == [("pending-twice", f"line {ids[5]}")]


async def test_a_destroyed_key_counts_as_erased_only_when_it_is_lawful(room: JournalRoom) -> None:
    person = new_id()
    line_ids = [await room.act(person) for _ in range(2)]
    await room.sequencer.run_once()
    async with room.worker.raw() as tx:
        await room.vault.destroy_person_key(tx, person)
    assert await found(room) == [("line-unopenable", f"line {line_id}") for line_id in line_ids]
    report = await room.check(lawfully_erased={person})
    assert report.ok
    assert report.erased == 2


async def test_a_report_stays_bounded(room: JournalRoom) -> None:
    await filled(room)
    await room.tamper(
        "INSERT INTO privacy.journal_lines SELECT person_id, recorded_at, gen_random_uuid(), schema_version, kind,"
        " action, outcome, agency, purpose, actor_kind, actor_id, sealed"
        " FROM privacy.journal_lines, generate_series(1, 100)"
    )
    report = await room.check()
    assert (report.found, len(report.findings), report.lines) == (2400, 1000, 2424)

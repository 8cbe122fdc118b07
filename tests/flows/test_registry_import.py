"""Importing files into a real registry: what arrives, what is refused, what a second run changes."""

import copy
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from core.clock import FixedClock
from core.database import Database
from population_db.api import FIELDS, PersonRef, Record
from population_db.generate import rows
from population_db.import_crew import ImportFailed
from population_db.import_run import Progress
from population_db.import_store import Counts
from service.embedded import EmbeddedUrls
from tests.support.registry_world import RegistryWorld

HUONG: dict[str, Any] = {
    "number": "001190012345",
    "full_name": "Nguyễn Thị Hương",
    "birth_date": "1990-05-17",
    "sex": "female",
    "nationality": "VN",
    "marital_status": "single",
    "permanent_residence": {"text": "12 phố Huế, Phường Hai Bà Trưng, Thành phố Hà Nội", "province": "01"},
    "phone": "+84912345678",
    "ethnicity": "Kinh",
    "household": "HN-0001",
    "sources": {
        "civil": {"source": "civil-status", "as_of": "2025-03-01"},
        "residence": {"source": "residence", "as_of": "2025-08-01"},
        "contact": {"source": "self", "as_of": "2025-08-01"},
        "sensitive": {"source": "police-archive", "as_of": "2021-02-25"},
    },
}


def huong(civil_as_of: str | None = None, **changes: Any) -> dict[str, Any]:
    row = copy.deepcopy(HUONG) | changes
    if civil_as_of:
        row["sources"]["civil"]["as_of"] = civil_as_of
    return {name: value for name, value in row.items() if value is not None}


@pytest.fixture
async def world(
    database: Database,
    owner_database: Database,
    database_urls: EmbeddedUrls,
    tmp_path: Path,
    clock: FixedClock,
) -> AsyncIterator[RegistryWorld]:
    async with owner_database.raw() as tx:
        await tx.conn.execute("TRUNCATE privacy.vault_keys, privacy.person_keys")
    made = await RegistryWorld.make(database, owner_database, database_urls.database_worker_url, tmp_path, clock)
    yield made
    await made.empty()


async def find(world: RegistryWorld, number: str) -> PersonRef | None:
    async with world.web.raw() as tx:
        return await world.registry.find_by_number(tx, number)


async def record(world: RegistryWorld, number: str, *fields: str) -> Record:
    async with world.web.raw() as tx:
        ref = await world.registry.find_by_number(tx, number)
        assert ref is not None
        return await world.registry.read(tx, ref.person_id, fields or FIELDS)


async def test_what_a_file_says_can_be_read_with_source_and_date(world: RegistryWorld) -> None:
    report = await world.load(world.file([huong()]))
    assert (report.read, report.inserted, report.rejected) == (1, 1, 0)
    found = await record(world, "001190012345")
    assert found.get("full_name") == "Nguyễn Thị Hương"
    assert found.get("personal_number") == "001190012345"
    assert found.get("permanent_residence") == HUONG["permanent_residence"]
    assert found.get("phone") == "+84912345678"
    assert (found.values["phone"].source, found.values["phone"].as_of) == ("self", date(2025, 8, 1))
    assert (found.values["ethnicity"].source, found.values["ethnicity"].as_of) == ("police-archive", date(2021, 2, 25))
    assert found.status == "alive"
    assert "father" not in found.values


async def test_generated_people_arrive_whole_by_processes_and_in_one(world: RegistryWorld) -> None:
    people = list(rows(700, seed=11))
    steps: list[Progress] = []
    report = await world.load(world.file(people), processes=2, batch_rows=100, progress=steps.append)
    assert (report.read, report.inserted, report.rejected) == (700, 700, 0)
    assert steps[-1].done_bytes == steps[-1].total_bytes
    assert steps[-1].counts == Counts(700, 700, 0, 0, 0)
    for row in people[::50]:
        found = await record(world, row["number"])
        expected = {name: value for name, value in row.items() if name in FIELDS}
        assert {name: value.value for name, value in found.values.items()} == expected
    households = {row["household"] for row in people if "household" in row}
    assert await world.value("SELECT count(*) FROM population_db.households") == len(households)
    members = sum("household" in row for row in people)
    assert await world.value("SELECT count(*) FROM population_db.household_members") == members


async def test_the_same_file_again_changes_nothing(world: RegistryWorld) -> None:
    path = world.file([huong(), *rows(300, seed=12)])
    await world.load(path)
    before = await world.contents()
    again = await world.load(path, batch_rows=70, processes=2)
    assert (again.read, again.inserted, again.updated, again.unchanged) == (301, 0, 0, 301)
    assert await world.contents() == before
    turned = [dict(reversed(orjson.loads(line).items())) for line in path.read_bytes().splitlines()]
    again = await world.load(world.file(turned, "turned.jsonl"))
    assert again.unchanged == 301
    assert await world.contents() == before


async def test_a_changed_row_makes_versions_of_the_changed_groups_only(world: RegistryWorld) -> None:
    await world.load(world.file([huong()]))
    report = await world.load(world.file([huong("2026-01-05", marital_status="married")]))
    assert (report.updated, report.unchanged) == (1, 0)
    versions = await world.fetch(
        "SELECT group_code, version, superseded_at IS NULL AS current FROM population_db.person_groups"
        " ORDER BY group_code, version"
    )
    assert [tuple(row) for row in versions] == [
        ("civil", 1, False),
        ("civil", 2, True),
        ("contact", 1, True),
        ("residence", 1, True),
        ("sensitive", 1, True),
    ]
    found = await record(world, "001190012345", "marital_status", "full_name")
    assert found.get("marital_status") == "married"
    assert found.values["full_name"].as_of == date(2026, 1, 5)
    assert found.version == 2


async def test_a_row_older_than_the_registry_is_refused(world: RegistryWorld) -> None:
    await world.load(world.file([huong("2026-01-05", marital_status="married")]))
    before = await world.contents()
    report = await world.load(world.file([huong()]))
    assert report.rejected == 1
    assert world.rejects()[0]["code"] == "older"
    assert await world.contents() == before


async def test_a_new_name_and_a_move_are_found_and_the_old_ones_not(world: RegistryWorld) -> None:
    await world.load(world.file([huong()]))
    moved = {"text": "5 Lê Lợi, Phường Bến Thành, Thành phố Hồ Chí Minh", "province": "79"}
    row = huong("2026-01-05", full_name="Nguyễn Mai Hương", permanent_residence=moved)
    row["sources"]["residence"]["as_of"] = "2026-01-05"
    assert (await world.load(world.file([row]))).updated == 1
    async with world.web.raw() as tx:
        search = world.registry.search
        assert len(await search(tx, full_name="Nguyễn Mai Hương", birth_date="1990-05-17")) == 1
        assert len(await search(tx, full_name="nguyen mai huong", birth_year=1990, province="79")) == 1
        assert await search(tx, full_name="Nguyễn Mai Hương", birth_year=1990, province="01") == []
        assert await search(tx, full_name="Nguyễn Thị Hương", birth_date="1990-05-17") == []
    assert await world.value("SELECT count(*) FROM population_db.search_index") == 2


async def test_another_household_ends_the_membership(world: RegistryWorld) -> None:
    await world.load(world.file([huong()]))
    row = huong(household="HN-0002")
    assert (await world.load(world.file([row]))).updated == 1
    members = await world.fetch(
        "SELECT valid_to IS NULL AS current FROM population_db.household_members ORDER BY recorded_at, valid_to"
    )
    assert sorted(row["current"] for row in members) == [False, True]


async def test_a_death_in_a_file_is_an_event(world: RegistryWorld) -> None:
    await world.load(world.file([huong()]))
    assert await world.value("SELECT count(*) FROM core.outbox") == 0
    await world.load(world.file([huong("2026-06-01", life_status="dead", death_date="2026-05-30")]))
    ref = await find(world, "001190012345")
    assert ref is not None
    assert ref.status == "dead"
    events = await world.fetch("SELECT topic, handler, payload FROM core.outbox")
    assert [(row["topic"], row["payload"]) for row in events] == [("person.died", {"person_id": str(ref.person_id)})]
    report = await world.load(world.file([huong("2026-07-01")]))
    assert report.rejected == 1
    assert world.rejects()[0]["code"] == "dead-alive"


async def test_a_changed_number_is_a_change_and_the_old_one_still_finds(world: RegistryWorld) -> None:
    await world.load(world.file([huong()]))
    first = await find(world, "001190012345")
    former = [{"number": "001190012345", "cancelled_on": "2026-01-04", "reason": "duplicate"}]
    row = huong("2026-01-05", number="001190099999", former_numbers=former)
    report = await world.load(world.file([row]))
    assert (report.inserted, report.updated) == (0, 1)
    new, old = await find(world, "001190099999"), await find(world, "001190012345")
    assert first is not None
    assert new is not None
    assert old is not None
    assert first.person_id == new.person_id == old.person_id
    assert (new.number_status, new.is_current_number, new.may_sign_in) == ("active", True, True)
    assert (old.number_status, old.is_current_number, old.may_sign_in) == ("cancelled", False, False)
    assert await world.value("SELECT topic FROM core.outbox") == "person.number_changed"
    before = await world.contents()
    assert (await world.load(world.file([row]))).unchanged == 1
    assert await world.contents() == before


async def test_a_number_counts_once_in_a_file(world: RegistryWorld) -> None:
    """The first line wins, in one batch, across batches, and when the person was known before."""
    people = list(rows(60, seed=13))
    twice = people[0] | {"full_name": "Trần Văn Khác"}
    path = world.file([*people, twice, twice])
    for expected in ("inserted", "unchanged"):
        report = await world.load(path, batch_rows=20, processes=2)
        assert getattr(report, expected) == 60
        assert report.rejected == 2
        assert [(row["line"], row["code"]) for row in world.rejects()] == [
            (61, "repeated-number"),
            (62, "repeated-number"),
        ]
    assert (await record(world, people[0]["number"], "full_name")).get("full_name") == people[0]["full_name"]
    corrected = await world.load(world.file([twice, twice]))
    assert (corrected.updated, corrected.rejected) == (1, 1)
    assert await world.value("SELECT count(*) FROM population_db.import_seen") == 0


async def test_a_thousand_broken_rows_are_explained_and_the_rest_arrives(world: RegistryWorld) -> None:
    good = list(rows(1_500, seed=14))
    broken = [_broken(row, at) for at, row in enumerate(rows(1_000, seed=15))]
    lines: list[Any] = []
    for at, row in enumerate(good):
        lines.append(row)
        if at < 1_000:
            lines.append(broken[at])
    path = world.file(lines)
    report = await world.load(path, batch_rows=300, processes=2)
    assert (report.read, report.inserted, report.rejected) == (2_500, 1_500, 1_000)
    rejects = world.rejects()
    assert [row["line"] for row in rejects] == list(range(2, 2_002, 2))
    assert {row["code"] for row in rejects} == {
        *("formula", "date", "number", "number-sex", "unknown-field", "syntax", "row-too-long", "encoding"),
    }
    assert all(row["reason"] for row in rejects)
    assert world.rejects_path.stat().st_mode & 0o777 == 0o600
    text = world.rejects_path.read_text()
    assert "HYPERLINK" not in text
    for row in rows(1_000, seed=15):
        assert row["number"] not in text
    assert any(row.get("number", "").count("*") == 5 for row in rejects)


def _broken(row: dict[str, Any], at: int) -> Any:
    ways: list[Any] = [
        row | {"full_name": '=HYPERLINK("http://x.example","x")'},
        row | {"birth_date": "1990-02-30"},
        row | {"number": row["number"][:11]},
        row | {"sex": "male" if row["sex"] == "female" else "female"},
        row | {"shoe_size": "42"},
        orjson.dumps(row)[:-1],
        orjson.dumps(row | {"test_note": "x" * 66_000}),
        orjson.dumps(row).replace(b'"nationality":"VN"', b'"nationality":"V\xd4"')
        if row["nationality"] == "VN"
        else b'{"number":"\xd4"}',
    ]
    return ways[at % len(ways)]


async def test_csv_and_json_lines_are_the_same_people(world: RegistryWorld) -> None:
    from tests.unit.population_db.test_import_reader import as_csv

    people = list(rows(120, seed=16))
    path = world.folder / "people.csv"
    path.write_bytes(as_csv(people))
    assert (await world.load(path)).inserted == 120
    assert (await world.load(world.file(people))).unchanged == 120


async def test_one_import_at_a_time(world: RegistryWorld, owner_database: Database) -> None:
    from population_db.import_run import IMPORT_LOCK

    async with owner_database.raw() as tx:
        await tx.conn.execute("SELECT pg_advisory_xact_lock($1)", IMPORT_LOCK)
        with pytest.raises(ImportFailed, match="another import"):
            await world.load(world.file([huong()]))
    assert (await world.load(world.file([huong()]))).inserted == 1


async def test_keys_that_do_not_fit_stop_the_import_in_a_sentence(world: RegistryWorld) -> None:
    world.keys.write_text("{}")
    with pytest.raises(ImportFailed, match="kek"):
        await world.load(world.file([huong()]))
    with pytest.raises(ImportFailed, match="kek"):
        await world.load(world.file([huong()]), processes=2)
    assert await world.value("SELECT count(*) FROM population_db.persons") == 0


async def test_a_rejects_file_that_cannot_be_written_is_told(world: RegistryWorld) -> None:
    world.rejects_path.mkdir()
    with pytest.raises(ImportFailed, match=r"rejects\.jsonl"):
        await world.load(world.file([huong()]))
    world.rejects_path.rmdir()
    assert (await world.load(world.file([huong()]))).unchanged == 1


async def test_a_database_that_is_not_there_is_told(world: RegistryWorld) -> None:
    world.worker_url = f"postgresql://nobody:x@/none?host={world.folder}"
    with pytest.raises(ImportFailed, match="does not answer"):
        await world.load(world.file([huong()]))


async def test_a_connection_that_is_cut_stops_the_import_in_a_sentence(world: RegistryWorld) -> None:
    def cut(step: Progress) -> None:
        if step.stage == "importing":
            raise ConnectionResetError("the server closed the connection")

    with pytest.raises(ImportFailed, match="ConnectionResetError"):
        await world.load(world.file(list(rows(40, seed=17))), batch_rows=10, progress=cut)
    report = await world.load(world.file(list(rows(40, seed=17))))
    assert (report.inserted, report.resumed) == (40, 10)


async def test_nothing_of_a_person_stands_in_the_database_in_clear(world: RegistryWorld) -> None:
    """The canary: planted names, numbers, dates, addresses, phones are nowhere in a dump of all tables."""
    canaries = [
        *("001190012345", "Nguyễn Thị Hương", "Nguyen Thi Huong", "nguyen thi huong", "1990-05-17", "12 phố Huế"),
        *("+84912345678", "912345678", "Kinh", "HN-0001", "001190077777", "Trần Văn Cũ", "298765432"),
    ]
    row = huong(old_id_numbers=["298765432"], father={"full_name": "Trần Văn Cũ", "number": "001050000001"})
    row["former_numbers"] = [{"number": "001190077777"}]
    row["sources"]["family"] = row["sources"]["civil"]
    bad = huong(number="001190077778", full_name="=Trần Văn Cũ")
    await world.load(world.file([row, bad]))
    tables = await world.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    dump = ""
    for table in tables:
        found = await world.fetch(f"SELECT t::text AS row FROM {table['name']} t")
        dump += "\n".join(one["row"] for one in found) + "\n"
    assert "civil-status" in dump  # what may be read is there
    for canary in canaries:
        for shown in (canary, canary.encode().hex(), orjson.dumps(canary).decode().strip('"')):
            assert shown not in dump, f"{canary} stands in the database"

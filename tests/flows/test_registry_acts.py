"""Asking the registry and recording life events, through either door of the database."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core.clock import FixedClock
from core.database import Database, Query, RawTx, SessionTx, Tx
from core.errors import BadInput, Conflict, NotFound
from core.ids import new_id
from core.outbox import OutboxRow
from population_db.api import Number, PartialDate, PersonRef
from privacy.vault.api import SealBroken
from service.embedded import EmbeddedUrls
from tests.support.registry_world import RegistryWorld

_OUTBOX = Query(select(OutboxRow.__table__.c.topic, OutboxRow.__table__.c.payload))  # type: ignore[attr-defined]
CIVIL = {"civil": {"source": "civil-status", "as_of": "2025-03-01"}}
FULL = CIVIL | {
    "residence": {"source": "residence", "as_of": "2025-08-01"},
    "contact": {"source": "self", "as_of": "2025-08-01"},
}


def person(number: str, name: str, birth: str, province: str | None = None, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"number": number, "full_name": name, "birth_date": birth, "sources": FULL}
    row["sex"] = "female" if int(number[3]) % 2 else "male"
    if province is not None:
        row["permanent_residence"] = {"text": "Số 1", "province": province}
    return row | more


PEOPLE = [
    person("001190000001", "Nguyễn Thị Hoà", "1990-05-17", "01", phone="+84900000001"),
    person("001190000002", "Nguyễn Thị Hoa", "1990-05-17", "01", old_id_numbers=["012345678"]),
    person("079190000003", "Nguyễn Thị Hoa", "1990", "79", old_id_numbers=["012345678"]),
    person("079190000004", "Nguyễn Thị Hoa", "1990-06", "79"),
    person("001090000005", "H'Hen Niê", "1990-01-01"),
]


@pytest.fixture(scope="module")
async def world(
    database: Database,
    owner_database: Database,
    database_urls: EmbeddedUrls,
    tmp_path_factory: pytest.TempPathFactory,
) -> RegistryWorld:
    folder: Path = tmp_path_factory.mktemp("registry")
    clock = FixedClock(datetime(2026, 11, 2, 2, 0, tzinfo=UTC))
    made = await RegistryWorld.make(database, owner_database, database_urls.database_worker_url, folder, clock)
    report = await made.load(made.file(PEOPLE))
    assert report.inserted == len(PEOPLE), made.rejects()
    return made


@pytest.fixture(params=["raw", "session"])
async def door(request: pytest.FixtureRequest, tx: RawTx, session_tx: SessionTx) -> Tx:
    """Both doors, rolled back at the end."""
    return tx if request.param == "raw" else session_tx


async def found(world: RegistryWorld, tx: Tx, number: str) -> PersonRef:
    ref = await world.registry.find_by_number(tx, number)
    assert ref is not None
    return ref


async def test_a_number_finds_its_person(world: RegistryWorld, door: Tx) -> None:
    ref = await found(world, door, "001190000001")
    assert (ref.status, ref.number_status, ref.is_current_number, ref.may_sign_in) == ("alive", "active", True, True)
    assert await world.registry.find_by_number(door, Number("001190000001")) == ref
    assert await world.registry.find_by_number(door, "001 190 000 001") == ref
    assert await world.registry.ref(door, ref.person_id) == ref


@pytest.mark.parametrize("number", ["001190000009", "00119000000", "not a number", "", "٠٠١١٩٠٠٠٠٠٠١", "003190000001"])
async def test_what_is_nobodys_number_finds_nobody(world: RegistryWorld, door: Tx, number: str) -> None:
    assert await world.registry.find_by_number(door, number) is None


async def test_only_the_asked_fields_come_out(world: RegistryWorld, door: Tx) -> None:
    ref = await found(world, door, "001190000001")
    record = await world.registry.read(door, ref.person_id, ["full_name", "phone", "father", "birth_date"])
    assert {code: value.value for code, value in record.values.items()} == {
        "full_name": "Nguyễn Thị Hoà",
        "birth_date": "1990-05-17",
        "phone": "+84900000001",
    }
    assert (record.values["phone"].source, record.values["phone"].as_of) == ("self", date(2025, 8, 1))
    assert (await world.registry.read(door, ref.person_id, [])).values == {}
    assert "Hoà" not in repr(record)
    assert "+849" not in repr(record)


async def test_reading_several_people_at_once(world: RegistryWorld, door: Tx) -> None:
    refs = [await found(world, door, row["number"]) for row in PEOPLE]
    records = await world.registry.read_many(door, [*(ref.person_id for ref in refs), new_id()], ["full_name"])
    assert [records[ref.person_id].get("full_name") for ref in refs] == [row["full_name"] for row in PEOPLE]
    assert len(records) == len(PEOPLE)


async def test_unknown_people_and_fields_are_refused(world: RegistryWorld, door: Tx) -> None:
    ref = await found(world, door, "001190000001")
    with pytest.raises(NotFound):
        await world.registry.read(door, new_id(), ["full_name"])
    with pytest.raises(ValueError, match="shoe_size"):
        await world.registry.read(door, ref.person_id, ["shoe_size"])
    assert await world.registry.ref(door, new_id()) is None


async def test_only_the_needed_groups_are_read_in_one_trip(world: RegistryWorld, tx: RawTx) -> None:
    ref = await found(world, tx, "001190000002")
    asked: list[list[str]] = []

    class Counting(RawTx):
        async def rows(self, query: Any, /, **values: Any) -> Any:
            rows = await super().rows(query, **values)
            asked.append([row["group_code"] for row in rows])
            return rows

    await world.registry.read(Counting(tx.conn), ref.person_id, ["full_name", "permanent_residence"])
    assert [sorted(groups) for groups in asked] == [["civil", "residence"]]


async def test_a_sealed_value_moved_to_another_person_does_not_open(
    world: RegistryWorld, owner_database: Database
) -> None:
    async with world.web.raw() as tx:
        mine, other = await found(world, tx, "001190000001"), await found(world, tx, "001190000002")
    sql = """UPDATE population_db.person_groups g SET sealed = o.sealed FROM population_db.person_groups o
             WHERE g.person_id = $1 AND o.person_id = $2 AND g.group_code = 'civil' AND o.group_code = 'civil'"""
    transaction = owner_database.pool
    async with transaction.acquire() as conn:
        moving = conn.transaction()
        await moving.start()
        await conn.execute(sql, mine.person_id, other.person_id)
        with pytest.raises(SealBroken):
            await world.registry.read(RawTx(conn), mine.person_id, ["full_name"])
        await moving.rollback()


async def test_a_destroyed_key_erases_the_contact_and_nothing_else(
    world: RegistryWorld, owner_database: Database
) -> None:
    async with owner_database.raw() as tx:
        ref = await found(world, tx, "001190000001")
        await tx.conn.execute("SAVEPOINT before")
        await world.vault.destroy_person_key(tx, ref.person_id)
        record = await world.registry.read(tx, ref.person_id, ["full_name", "phone"])
        assert set(record.values) == {"full_name"}
        await tx.conn.execute("ROLLBACK TO before")


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        # exact accents first; who has only the year or month of birth may be meant as well, after them
        ({"full_name": "Nguyễn Thị Hoa", "birth_date": "1990-05-17"}, ["001190000002", "079190000003", "001190000001"]),
        ({"full_name": "Nguyễn Thị Hòa", "birth_date": "17/05/1990"}, ["001190000001", "001190000002", "079190000003"]),
        (
            {"full_name": "nguyen thi hoa", "birth_date": "1990-05-17", "province": "01"},
            ["001190000001", "001190000002"],
        ),
        ({"full_name": "Nguyễn Thị Hoa", "birth_date": "1990-06", "province": "79"}, ["079190000004", "079190000003"]),
        ({"full_name": "Nguyễn Thị Hoa", "birth_year": 1990, "province": "79"}, ["079190000003", "079190000004"]),
        ({"full_name": "Nguyễn Thị Hoa", "birth_year": 1990, "province": "79", "limit": 1}, ["079190000003"]),
        ({"full_name": "h hen nie", "birth_year": 1990}, []),
        ({"full_name": "H’Hen Niê", "birth_year": 1990}, ["001090000005"]),
        ({"full_name": "Nguyễn Thị Hoa", "birth_year": 1991}, []),
        ({"full_name": "Nguyễn Thị Hoa", "birth_year": 1990, "province": "48"}, []),
    ],
)
async def test_search(world: RegistryWorld, door: Tx, asked: dict[str, Any], numbers: list[str]) -> None:
    ids = await world.registry.search(door, **asked)
    known = {(await found(world, door, row["number"])).person_id: row["number"] for row in PEOPLE}
    if "nguyen thi hoa" in asked["full_name"]:
        assert sorted(known[one] for one in ids) == numbers  # without accents both rank alike
    else:
        assert [known[one] for one in ids] == numbers


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"full_name": "Nguyễn Thị Hoa"}, "birth_date"),
        ({"full_name": "Nguyễn Thị Hoa", "birth_date": "30/02/1990"}, "birth_date"),
        ({"full_name": "Nguyễn Thị Hoa", "birth_year": 12}, "birth_date"),
        ({"full_name": "=1+1", "birth_year": 1990}, "full_name"),
        ({"full_name": "", "birth_year": 1990}, "full_name"),
        ({"full_name": "Nguyễn Thị Hoa", "birth_year": 1990, "limit": 0}, "limit"),
        ({"full_name": "Nguyễn Thị Hoa", "birth_year": 1990, "limit": 101}, "limit"),
    ],
)
async def test_a_search_that_asks_too_much_is_refused(
    world: RegistryWorld, tx: RawTx, asked: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        await world.registry.search(tx, **asked)
    assert set(refused.value.fields) == {field}


async def test_old_identity_card_numbers_find_all_who_had_them(world: RegistryWorld, door: Tx) -> None:
    ids = await world.registry.find_by_old_id(door, "012345678")
    expected = [await found(world, door, number) for number in ("001190000002", "079190000003")]
    assert set(ids) == {ref.person_id for ref in expected}
    assert await world.registry.find_by_old_id(door, "012345679") == []


async def test_a_death_is_a_new_version_and_an_event(world: RegistryWorld, door: Tx) -> None:
    ref = await found(world, door, "001190000001")
    await world.registry.record_death(door, ref.person_id, date(2026, 10, 30), "civil-status")
    after = await found(world, door, "001190000001")
    assert (after.status, after.version, after.may_sign_in) == ("dead", ref.version + 1, False)
    record = await world.registry.read(door, ref.person_id, ["life_status", "death_date", "full_name"])
    assert (record.get("life_status"), record.get("death_date")) == ("dead", "2026-10-30")
    assert record.values["full_name"].as_of == date(2026, 11, 2)
    with pytest.raises(Conflict) as refused:
        await world.registry.record_death(door, ref.person_id, date(2026, 10, 30), "civil-status")
    assert refused.value.code == "already-dead"
    assert await _events(door) == [("person.died", {"person_id": str(ref.person_id)})]


async def test_a_number_change_keeps_the_old_number_as_cancelled(world: RegistryWorld, door: Tx) -> None:
    ref = await found(world, door, "001190000001")
    await world.registry.change_number(
        door, ref.person_id, Number("001190000099"), reason="duplicate", source="identity-police"
    )
    old, new = await found(world, door, "001190000001"), await found(world, door, "001190000099")
    assert old.person_id == new.person_id == ref.person_id
    assert (old.number_status, old.is_current_number, old.may_sign_in) == ("cancelled", False, False)
    assert (new.number_status, new.is_current_number, new.may_sign_in) == ("active", True, True)
    record = await world.registry.read(door, ref.person_id, ["personal_number"])
    assert record.get("personal_number") == "001190000099"
    assert await _events(door) == [("person.number_changed", {"person_id": str(ref.person_id)})]
    with pytest.raises(Conflict) as refused:
        await world.registry.change_number(
            door, ref.person_id, Number("001190000001"), reason="duplicate", source="identity-police"
        )
    assert refused.value.code == "number-taken"
    assert (await found(world, door, "001190000099")).is_current_number, "a refused act leaves nothing behind"


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        ("001190000002", Conflict, "number-taken"),
        ("001191000001", BadInput, "number"),
        ("001090000077", BadInput, "number"),
    ],
)
async def test_a_number_that_cannot_be_given_changes_nothing(
    world: RegistryWorld, door: Tx, number: str, kind: type[BadInput | Conflict], code: str
) -> None:
    ref = await found(world, door, "001190000001")
    with pytest.raises(kind) as refused:
        await world.registry.change_number(
            door, ref.person_id, Number(number), reason="duplicate", source="identity-police"
        )
    assert refused.value.code == code
    assert await found(world, door, "001190000001") == ref
    assert await _events(door) == []


@pytest.mark.parametrize("on", [date(2026, 11, 3), date(1990, 5, 16), PartialDate(1989), PartialDate(2027)])
async def test_a_day_of_death_that_cannot_be_is_refused(world: RegistryWorld, door: Tx, on: date | PartialDate) -> None:
    ref = await found(world, door, "001190000001")
    with pytest.raises(BadInput):
        await world.registry.record_death(door, ref.person_id, on, "civil-status")
    assert await found(world, door, "001190000001") == ref


async def test_an_act_on_a_record_that_has_changed_is_a_conflict(world: RegistryWorld, door: Tx) -> None:
    ref = await found(world, door, "001190000001")
    with pytest.raises(Conflict) as refused:
        await world.registry.record_death(
            door, ref.person_id, date(2026, 10, 30), "civil-status", expected_version=ref.version + 1
        )
    assert refused.value.code == "person-changed"
    with pytest.raises(NotFound):
        await world.registry.record_death(door, new_id(), date(2026, 10, 30), "civil-status")


async def _events(tx: Tx) -> list[tuple[str, Any]]:
    rows = await tx.rows(_OUTBOX)
    return [(row["topic"], row["payload"]) for row in rows]

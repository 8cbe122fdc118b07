"""The vault on a real database: making, loading, persons' keys, rotation."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from core.database import Database
from core.ids import new_id
from privacy.vault.api import (
    KeyEncryptionKeys,
    KeyMissing,
    SealBroken,
    Vault,
    VaultError,
    activate_key_version,
    add_key_version,
    drop_key_version,
    rewrap,
)

TABLE = "population_db.civil"


@pytest.fixture
async def keks(owner_database: Database, tmp_path: Path) -> KeyEncryptionKeys:
    """Keys of this test alone."""
    async with owner_database.raw() as tx:
        await tx.conn.execute("TRUNCATE privacy.vault_keys, privacy.person_keys")
        made = KeyEncryptionKeys.create(tmp_path / "kek.json")
        await Vault.create_missing_keys(tx, made)
    return made


async def loaded(database: Database, keks: KeyEncryptionKeys) -> Vault:
    async with database.raw() as tx:
        return await Vault.load(tx, keks)


async def test_keys_are_made_once(owner_database: Database, database: Database, keks: KeyEncryptionKeys) -> None:
    before = await loaded(database, keks)
    async with owner_database.page() as tx:
        assert await Vault.create_missing_keys(tx, keks) == 0
    person = new_id()
    sealed = before.seal("civil", person, TABLE, 1, b"Nguyen")
    assert (await loaded(database, keks)).unseal("civil", person, TABLE, 1, sealed) == b"Nguyen"
    assert repr(before) == "Vault(keys=hidden)"


@pytest.mark.parametrize("group", ["civil", "family", "residence", "sensitive"])
async def test_each_group_and_bucket_has_its_own_key(database: Database, keks: KeyEncryptionKeys, group: str) -> None:
    vault = await loaded(database, keks)
    person = new_id()
    sealed = vault.seal(group, person, TABLE, 1, b"x")
    assert vault.unseal(group, person, TABLE, 1, sealed) == b"x"
    for other in {"civil", "family", "residence", "sensitive"} - {group}:
        with pytest.raises(SealBroken):
            vault.unseal(other, person, TABLE, 1, sealed)


async def test_an_unknown_group_is_no_group(database: Database, keks: KeyEncryptionKeys) -> None:
    vault = await loaded(database, keks)
    for group in ("", "index", "person", "system"):
        with pytest.raises(VaultError):
            vault.seal(group, new_id(), TABLE, 1, b"x")


async def test_contacts_are_sealed_by_the_persons_key(database: Database, keks: KeyEncryptionKeys) -> None:
    vault = await loaded(database, keks)
    person = new_id()
    with pytest.raises(KeyMissing):
        vault.seal("contact", person, TABLE, 1, b"+84")
    wrapped = vault.new_person_key(person)
    sealed = vault.seal("contact", person, TABLE, 1, b"+84")
    async with database.page() as tx:
        await vault.add_person_keys(tx, [(person, wrapped)])
    other_process = await loaded(database, keks)
    async with database.raw() as raw:
        key = await other_process.person_key(raw, person)
        assert other_process.unseal("contact", person, TABLE, 1, sealed, key=key) == b"+84"
        assert other_process.unseal("contact", person, TABLE, 1, sealed) == b"+84"
        with pytest.raises(VaultError):
            other_process.seal("contact", new_id(), TABLE, 1, b"+84", key=key)


async def test_a_destroyed_key_erases(database: Database, worker_database: Database, keks: KeyEncryptionKeys) -> None:
    vault = await loaded(database, keks)
    person = new_id()
    async with database.raw() as tx:
        key = await vault.person_key(tx, person)
        sealed = key.seal(b"here", b"secret")
    async with worker_database.raw() as tx:
        assert await vault.destroy_person_key(tx, person)
        assert not await vault.destroy_person_key(tx, person)
    async with database.raw() as tx:
        assert not await vault.find_person_keys(tx, [person])
        fresh = await vault.person_key(tx, person)
        with pytest.raises(KeyMissing):
            fresh.unseal(b"here", sealed)


async def test_web_may_not_destroy_keys(database: Database, keks: KeyEncryptionKeys) -> None:
    vault = await loaded(database, keks)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.raw() as tx:
            await vault.destroy_person_key(tx, new_id())


async def test_a_key_that_was_rolled_back_is_not_kept(database: Database, keks: KeyEncryptionKeys) -> None:
    vault = await loaded(database, keks)
    person = new_id()

    async def rolled_back() -> None:
        async with database.raw() as tx:
            async with tx.savepoint():
                await vault.person_key(tx, person)
            await vault.person_key(tx, person)  # found in its own transaction: must not be kept either
            raise LookupError

    with pytest.raises(LookupError):
        await rolled_back()
    async with database.raw() as tx:
        assert not await vault.find_person_keys(tx, [person])
        key = await vault.person_key(tx, person)
    async with database.raw() as tx:
        found = (await (await loaded(database, keks)).find_person_keys(tx, [person]))[person]
    assert found.unseal(b"c", key.seal(b"c", b"x")) == b"x"


async def test_two_makers_at_once_end_with_one_key(database: Database, keks: KeyEncryptionKeys) -> None:
    vaults = [await loaded(database, keks) for _ in range(4)]
    people = [new_id() for _ in range(20)]

    async def make(vault: Vault, order: list[int]) -> dict[int, bytes]:
        async with database.raw() as tx:
            keys = await vault.make_person_keys(tx, [people[at] for at in order])
        return {at: keys[people[at]].seal(b"c", b"x") for at in order}

    orders = [list(range(20)), list(reversed(range(20))), list(range(10, 20)), list(range(10))]
    made = await asyncio.gather(*(make(vault, order) for vault, order in zip(vaults, orders, strict=True)))
    async with database.raw() as tx:
        keys = await (await loaded(database, keks)).find_person_keys(tx, people)
    for sealed_by in made:
        for at, sealed in sealed_by.items():
            assert keys[people[at]].unseal(b"c", sealed) == b"x"


async def test_a_changed_person_key_is_left_out(
    database: Database, owner_database: Database, keks: KeyEncryptionKeys
) -> None:
    vault = await loaded(database, keks)
    good, bad = new_id(), new_id()
    async with database.raw() as tx:
        await vault.make_person_keys(tx, [good, bad])
    async with owner_database.raw() as tx:
        await tx.conn.execute(
            "UPDATE privacy.person_keys SET sealed = set_byte(sealed, 20, 0) WHERE person_id = $1", bad
        )
        await tx.conn.execute(
            "UPDATE privacy.person_keys SET sealed = set_byte(sealed, 21, 0) WHERE person_id = $1", bad
        )
    other_process = await loaded(database, keks)
    async with database.raw() as tx:
        assert list(await other_process.find_person_keys(tx, [good, bad])) == [good]
        with pytest.raises(SealBroken):
            await other_process.person_key(tx, bad)


async def test_system_secrets_open_under_their_label_only(database: Database, keks: KeyEncryptionKeys) -> None:
    vault = await loaded(database, keks)
    sealed = vault.seal_system("totp/a", b"seed")
    assert vault.unseal_system("totp/a", sealed) == b"seed"
    with pytest.raises(SealBroken):
        vault.unseal_system("totp/b", sealed)
    assert len(vault.secret("pseudonyms")) == 32
    assert vault.secret("pseudonyms") == (await loaded(database, keks)).secret("pseudonyms")
    for name in ("index", "system", "civil"):
        with pytest.raises(VaultError):
            vault.secret(name)


async def test_blind_indexes_are_keyed_by_kind(database: Database, keks: KeyEncryptionKeys) -> None:
    vault = await loaded(database, keks)
    blind = vault.blind("number", "001203004567")
    assert (
        blind
        == vault.blind("number", b"001203004567")
        == (await loaded(database, keks)).blind("number", "001203004567")
    )
    assert blind.key_version == 1
    assert len(blind.mac) == 32
    assert blind.mac != vault.blind("former", "001203004567").mac
    assert vault.blinds("number", "001203004567") == [blind]
    assert "mac" not in repr(blind)


async def test_the_wrong_key_file_is_noticed_at_load(
    database: Database, keks: KeyEncryptionKeys, tmp_path: Path
) -> None:
    other = KeyEncryptionKeys.create(tmp_path / "other.json")
    with pytest.raises(VaultError):
        await loaded(database, other)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM privacy.vault_keys WHERE purpose = 'civil' AND bucket = 7",
        "UPDATE privacy.vault_keys SET wrapped = (SELECT wrapped FROM privacy.vault_keys"
        " WHERE purpose = 'civil' AND bucket = 8) WHERE purpose = 'civil' AND bucket = 7",
        "UPDATE privacy.vault_keys SET state = 'previous' WHERE purpose = 'system'",
    ],
)
async def test_missing_or_exchanged_data_keys_are_noticed_at_load(
    database: Database, owner_database: Database, keks: KeyEncryptionKeys, sql: str
) -> None:
    async with owner_database.raw() as tx:
        await tx.conn.execute(sql)
    with pytest.raises(VaultError):
        await loaded(database, keks)


async def test_a_new_key_encryption_key_rewraps_everything(
    database: Database, owner_database: Database, keks: KeyEncryptionKeys, tmp_path: Path
) -> None:
    person = new_id()
    sealed = (await loaded(database, keks)).seal("civil", person, TABLE, 1, b"Nguyen")
    both = KeyEncryptionKeys.add(tmp_path / "kek.json")
    async with owner_database.raw() as tx:
        assert await rewrap(tx, both) == 5 * 256 + 3
        assert await rewrap(tx, both) == 0
    with pytest.raises(VaultError):
        await loaded(database, keks)  # knows the old key only
    assert (await loaded(database, both)).unseal("civil", person, TABLE, 1, sealed) == b"Nguyen"


async def test_a_data_key_rotates_without_a_new_format(
    database: Database, owner_database: Database, keks: KeyEncryptionKeys
) -> None:
    person = new_id()
    old = (await loaded(database, keks)).seal("civil", person, TABLE, 1, b"Nguyen")
    async with owner_database.raw() as tx:
        version = await add_key_version(tx, keks, "civil")
        with pytest.raises(VaultError):
            await add_key_version(tx, keks, "civil")
    waiting = await loaded(database, keks)
    assert waiting.seal("civil", person, TABLE, 1, b"x")[1:5] == b"\x00\x00\x00\x01"
    async with owner_database.raw() as tx:
        await activate_key_version(tx, "civil", version)
    rotated = await loaded(database, keks)
    new = rotated.seal("civil", person, TABLE, 1, b"Nguyen")
    assert new[1:5] == b"\x00\x00\x00\x02"
    assert rotated.unseal("civil", person, TABLE, 1, old) == rotated.unseal("civil", person, TABLE, 1, new)
    assert waiting.unseal("civil", person, TABLE, 1, new) == b"Nguyen"  # knew it before it was used
    async with owner_database.raw() as tx:
        assert await drop_key_version(tx, "civil", 1) == 256
    with pytest.raises(KeyMissing):
        (await loaded(database, keks)).unseal("civil", person, TABLE, 1, old)


async def test_both_index_versions_are_written_while_one_is_searched(
    database: Database, owner_database: Database, keks: KeyEncryptionKeys
) -> None:
    async with owner_database.raw() as tx:
        version = await add_key_version(tx, keks, "index")
    vault = await loaded(database, keks)
    assert [blind.key_version for blind in vault.blinds("number", "1")] == [1, 2]
    assert vault.blind("number", "1").key_version == 1
    async with owner_database.raw() as tx:
        await activate_key_version(tx, "index", version)
    assert (await loaded(database, keks)).blind("number", "1") == vault.blinds("number", "1")[1]


async def test_impossible_rotations_are_refused(owner_database: Database, keks: KeyEncryptionKeys) -> None:
    for purpose in ("pseudonyms", "nothing"):
        with pytest.raises(VaultError):
            async with owner_database.raw() as tx:
                await add_key_version(tx, keks, purpose)
    with pytest.raises(VaultError):
        async with owner_database.raw() as tx:
            await activate_key_version(tx, "civil", 2)

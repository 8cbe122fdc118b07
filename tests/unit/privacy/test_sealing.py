"""The sealed format and the key file, without a database."""

import pickle
from pathlib import Path
from uuid import UUID

import pytest

from privacy.vault.aead import OVERHEAD_BYTES, SealingKey, key_id_of, label_context, record_context
from privacy.vault.api import KeyEncryptionKeys, KeyMissing, SealBroken, VaultError

KEY = bytes(range(32))
PERSON, OTHER = UUID(int=0x0190_0000_0000_7000_8000_0000_0000_0001), UUID(int=2)
CONTEXT = record_context("population_db.civil", PERSON, "civil", 3)


def test_what_is_sealed_opens() -> None:
    key = SealingKey(KEY, 7)
    sealed = key.seal(CONTEXT, b"Nguyen")
    assert key.unseal(CONTEXT, sealed) == b"Nguyen"
    assert len(sealed) == len(b"Nguyen") + OVERHEAD_BYTES
    assert sealed[:5] == b"\x01\x00\x00\x00\x07"
    assert key_id_of(sealed) == 7


def test_equal_plaintexts_give_different_ciphertexts() -> None:
    key = SealingKey(KEY, 7)
    assert len({key.seal(CONTEXT, b"x") for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "elsewhere",
    [
        record_context("population_db.civil", PERSON, "civil", 4),
        record_context("population_db.civil", OTHER, "civil", 3),
        record_context("population_db.civil", PERSON, "family", 3),
        record_context("population_db.family", PERSON, "civil", 3),
        label_context("population_db.civil"),
    ],
)
def test_a_value_moved_to_another_place_does_not_open(elsewhere: bytes) -> None:
    key = SealingKey(KEY, 7)
    with pytest.raises(SealBroken):
        key.unseal(elsewhere, key.seal(CONTEXT, b"Nguyen"))


def test_names_of_a_place_do_not_run_together() -> None:
    assert record_context("ab", PERSON, "c", 1) != record_context("a", PERSON, "bc", 1)


def test_every_changed_bit_and_every_cut_is_noticed() -> None:
    key = SealingKey(KEY, 7)
    sealed = key.seal(CONTEXT, b"abc")
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            key.unseal(CONTEXT, bytes(changed))
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            key.unseal(CONTEXT, sealed[:length])
    with pytest.raises(SealBroken):
        key.unseal(CONTEXT, sealed + b"\x00")


def test_another_key_is_named_as_missing() -> None:
    with pytest.raises(KeyMissing):
        SealingKey(KEY, 8).unseal(CONTEXT, SealingKey(KEY, 7).seal(CONTEXT, b"x"))


def test_keys_are_neither_shown_nor_pickled(tmp_path: Path) -> None:
    keks = KeyEncryptionKeys.create(tmp_path / "kek.json")
    for secret in (SealingKey(KEY, 7), keks):
        assert "hidden" in repr(secret)
        assert "\\x" not in repr(secret)
        with pytest.raises(TypeError):
            pickle.dumps(secret)


def test_the_key_file_is_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "kek.json"
    KeyEncryptionKeys.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(VaultError, match=r"kek\.json: exists"):
        KeyEncryptionKeys.create(path)
    path.chmod(0o640)
    with pytest.raises(VaultError, match="0600"):
        KeyEncryptionKeys.from_file(path)


@pytest.mark.parametrize("text", ["", "{}", '{"active": "1", "keys": {"1": "AAAA"}}', '{"active": 1, "keys": []}'])
def test_a_wrong_key_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kek.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(VaultError):
        KeyEncryptionKeys.from_file(path)
    with pytest.raises(VaultError, match=r"none\.json"):
        KeyEncryptionKeys.from_file(tmp_path / "none.json")


def test_a_wrapped_key_opens_in_its_own_row_only(tmp_path: Path) -> None:
    keks = KeyEncryptionKeys.create(tmp_path / "kek.json")
    kek_id, wrapped = keks.wrap(b"civil/1", KEY)
    assert keks.unwrap(kek_id, b"civil/1", wrapped) == KEY
    for wrong in ((kek_id, b"civil/2", wrapped), ("2", b"civil/1", wrapped), (kek_id, b"civil/1", wrapped[:-1])):
        with pytest.raises(VaultError):
            keks.unwrap(*wrong)


def test_an_added_key_wraps_and_the_old_one_still_unwraps(tmp_path: Path) -> None:
    path = tmp_path / "kek.json"
    old = KeyEncryptionKeys.create(path)
    kek_id, wrapped = old.wrap(b"place", KEY)
    both = KeyEncryptionKeys.add(path)
    assert both.active == "2"
    assert path.stat().st_mode & 0o777 == 0o600
    assert both.unwrap(kek_id, b"place", wrapped) == KEY
    assert both.wrap(b"place", KEY)[0] == "2"

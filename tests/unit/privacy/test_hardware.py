"""Keys in a hardware token, on a real PKCS #11 module (SoftHSM)."""

import base64
import os
import pickle
from dataclasses import replace
from pathlib import Path

import pkcs11
import pytest
from cryptography.exceptions import InvalidTag
from pkcs11 import Attribute, ObjectClass

from core.database import Database
from core.jose import JoseRefused, SigningKey, sign_jwt, verify_signature
from privacy.vault.api import HardwarePlace, KeyEncryptionKeys, Vault, VaultError, rewrap
from privacy.vault.hardware import HardwareToken
from tests.support.hardware_token import PIN, make_token


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> HardwarePlace:
    return make_token(tmp_path_factory.mktemp("token"))


@pytest.fixture
def token(place: HardwarePlace) -> HardwareToken:
    opened = place.open()
    opened.close()  # no test rests on the session of another
    opened.kek_ids()
    return opened


def test_a_kek_wraps_and_stays_in_the_token(token: HardwareToken) -> None:
    label = token.add_kek()
    assert token.kek_ids()[-1] == label
    kek, nonce = token.kek(label), os.urandom(12)
    wrapped = kek.encrypt(nonce, b"k" * 32, b"place")
    assert len(wrapped) == 48
    assert kek.decrypt(nonce, wrapped, b"place") == b"k" * 32
    for bent in ((nonce, wrapped, b"other"), (os.urandom(12), wrapped, b"place"), (nonce, wrapped[:-1] + b"\0", b"")):
        with pytest.raises(InvalidTag):
            kek.decrypt(*bent)
    token.kek_ids()  # after a refusal the session is a fresh one
    key = token._session.get_key(object_class=ObjectClass.SECRET_KEY, label=label)
    assert key[Attribute.SENSITIVE]
    assert not key[Attribute.EXTRACTABLE]
    with pytest.raises(pkcs11.PKCS11Error):
        key[Attribute.VALUE]


def test_a_token_that_is_gone_is_no_tampering(
    token: HardwareToken, place: HardwarePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    token.add_kek()
    keks = KeyEncryptionKeys.in_hardware(token)
    kek_id, wrapped = keks.wrap(b"place", b"k" * 32)
    with pytest.raises(VaultError, match="does not unwrap"):
        keks.unwrap(kek_id, b"other", wrapped)
    with pytest.raises(VaultError, match="refuses"):
        token.kek("dinhdanh-kek-999999").decrypt(wrapped[:12], wrapped[12:], b"place")
    with monkeypatch.context() as gone:
        token.close()
        gone.setattr(token, "_place", replace(place, token="gone"))
        with pytest.raises(VaultError, match="'gone' refuses"):
            keks.unwrap(kek_id, b"place", wrapped)
    assert keks.unwrap(kek_id, b"place", wrapped) == b"k" * 32


def test_keks_are_numbered(token: HardwareToken) -> None:
    before = token.kek_ids()
    made = [token.add_kek() for _ in range(11)]
    assert token.kek_ids() == before + made  # by number: 10 comes after 9


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA", "RS256"])
def test_a_signing_key_signs_in_the_token(token: HardwareToken, alg: str) -> None:
    label, members = token.make_signing_key(alg)
    key = SigningKey.held({**members, "alg": alg}, lambda octets: token.sign(label, alg, octets))
    assert key.held_elsewhere
    signed = sign_jwt(key, {"sub": "x"}, typ="JWT")
    assert verify_signature(signed, key.public(), typ={"JWT"}).claims == {"sub": "x"}
    head, _, tail = signed.rpartition(".")
    bent = base64.urlsafe_b64decode(tail + "==")
    bent = bytes((bent[0] ^ 1,)) + bent[1:]
    with pytest.raises(JoseRefused):
        verify_signature(f"{head}.{base64.urlsafe_b64encode(bent).rstrip(b'=').decode()}", key.public(), typ=None)
    with pytest.raises(JoseRefused):
        key.private_jwk()
    assert key.public().public_jwk().keys().isdisjoint({"d", "p", "q"})
    assert token.destroy_signing_key(label)
    assert not token.destroy_signing_key(label)
    with pytest.raises(VaultError):
        token.sign(label, alg, b"x")


def test_only_signing_keys_are_destroyed(token: HardwareToken) -> None:
    label = token.add_kek()
    assert not token.destroy_signing_key(label)
    assert label in token.kek_ids()


# The library's search object complains when it is dropped with its session gone.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_lost_session_is_opened_anew(token: HardwareToken) -> None:
    label = token.add_kek()
    token.close()
    assert label in token.kek_ids()
    token._session.close()  # as when the token was restarted beneath us
    assert label in token.kek_ids()


def test_what_is_wrong_is_told_without_the_pin(place: HardwarePlace, tmp_path: Path) -> None:
    wrong = tmp_path / "pin"
    wrong.touch(mode=0o600)
    wrong.write_text("0000")
    open_to_all = tmp_path / "open"
    open_to_all.write_text(PIN)
    open_to_all.chmod(0o644)
    for bad, told in (
        (replace(place, pin_file=wrong), "refuses"),
        (replace(place, token="no-such-token"), "no-such-token"),
        (replace(place, pin_file=tmp_path / "none"), "cannot be read"),
        (replace(place, pin_file=open_to_all), "0600"),
    ):
        with pytest.raises(VaultError, match=told) as raised:
            bad.open()
        assert "0000" not in str(raised.value)
        assert PIN not in str(raised.value)


def test_an_open_token_is_not_pickled(token: HardwareToken) -> None:
    assert PIN not in repr(token)
    with pytest.raises(TypeError):
        pickle.dumps(token)
    # The place is: the processes of an import open their own.
    assert pickle.loads(pickle.dumps(token._place)) == token._place  # noqa: S301  # our own bytes


def test_key_encryption_keys_of_a_token(place: HardwarePlace) -> None:
    keks = KeyEncryptionKeys.in_hardware(place.open())
    assert keks.active == place.open().kek_ids()[-1]
    kek_id, wrapped = keks.wrap(b"place", b"k" * 32)
    assert keks.unwrap(kek_id, b"place", wrapped) == b"k" * 32
    with pytest.raises(VaultError, match="does not unwrap"):
        keks.unwrap(kek_id, b"elsewhere", wrapped)


async def test_a_vault_moves_into_the_token(
    owner_database: Database, database: Database, place: HardwarePlace, tmp_path: Path
) -> None:
    """From a file to the token: what was wrapped by the file still opens, and after `rewrap` needs it no more."""
    file = tmp_path / "kek.json"
    async with owner_database.raw() as tx:
        await tx.conn.execute("TRUNCATE privacy.vault_keys, privacy.person_keys")
        before = KeyEncryptionKeys.create(file)
        await Vault.create_missing_keys(tx, before)
    async with database.raw() as tx:
        sealed = (await Vault.load(tx, before)).seal_system("label", b"secret")
    both = KeyEncryptionKeys.in_hardware(place.open(), file)
    async with database.raw() as tx:
        assert (await Vault.load(tx, both)).unseal_system("label", sealed) == b"secret"
    async with owner_database.raw() as tx:
        assert await rewrap(tx, both) > 1_000
        assert await rewrap(tx, both) == 0
    file.unlink()
    async with database.raw() as tx:
        alone = await Vault.load(tx, KeyEncryptionKeys.in_hardware(place.open()))
    assert alone.unseal_system("label", sealed) == b"secret"

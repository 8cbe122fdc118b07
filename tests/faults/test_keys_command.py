"""`dinhdanh keys …` beside a running sandbox whose keys are in a hardware token: other processes hear of each act."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.commands import START_SECONDS, Command, free_port, run, start
from tests.support.hardware_token import PIN, make_token
from tests.support.holders import eventually

PATIENCE_SECONDS = 3 * START_SECONDS
"""Each process asks the token for more than a thousand data keys at its start."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    place = make_token(tmp_path_factory.mktemp("token"), "dinhdanh-command")
    return {
        "DINHDANH_DATA_DIR": str(tmp_path_factory.mktemp("keys") / "data"),
        "DINHDANH_PORT": str(free_port()),
        "DINHDANH_PORTAL_PORT": str(free_port()),
        "DINHDANH_WORKERS": "2",
        "DINHDANH_KEK_IN": "pkcs11",
        "DINHDANH_SIGNING_KEYS_IN": "pkcs11",
        "DINHDANH_PKCS11_MODULE": str(place.module),
        "DINHDANH_PKCS11_TOKEN": place.token,
        "DINHDANH_PKCS11_PIN_FILE": str(place.pin_file),
        "SOFTHSM2_CONF": os.environ["SOFTHSM2_CONF"],
    }


@pytest.fixture(scope="module")
def up(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    command = start(["up"], environment, tmp_path_factory.mktemp("log") / "up.log")
    try:
        eventually(lambda: command.process.poll() is not None or "Ctrl-C" in command.said(), PATIENCE_SECONDS)
        assert "Ctrl-C stops everything" in command.said(), command.said()
        yield command
    finally:
        if command.process.poll() is None:
            command.ends(signal.SIGINT)


def keys(environment: dict[str, str], *arguments: str) -> str:
    told = run(["keys", *arguments], environment)
    assert told.returncode == 0, told.stderr
    assert PIN not in told.stdout + told.stderr
    return told.stdout


def listed(environment: dict[str, str], alg: str) -> dict[str, dict[str, Any]]:
    found = json.loads(keys(environment, "list", "--json"))["keys"]
    return {key["kid"]: key for key in found if key["alg"] == alg}


def published(environment: dict[str, str]) -> set[str]:
    """By whichever web process answers."""
    answer = httpx.get(f"http://127.0.0.1:{environment['DINHDANH_PORT']}/jwks", trust_env=False)
    return {key["kid"] for key in answer.json()["keys"]}


def test_everything_is_in_the_token(up: Command, environment: dict[str, str]) -> None:
    (key,) = listed(environment, "ES256").values()
    assert (key["state"], key["in"]) == ("signs", "token")
    assert not (Path(environment["DINHDANH_DATA_DIR"]) / "secrets" / "kek.json").exists()


def test_rotate_and_revoke(up: Command, environment: dict[str, str]) -> None:
    (first,) = listed(environment, "ES256")
    told = keys(environment, "rotate", "--alg", "ES256")
    (new,) = set(listed(environment, "ES256")) - {first}
    assert new in told
    assert eventually(lambda: {first, new} <= published(environment), 5.0)
    again = run(["keys", "rotate", "--alg", "ES256"], environment)
    assert again.returncode == 1
    assert "published already" in again.stderr

    keys(environment, "revoke", first, "--reason", "a drill")
    # Both web processes: asked often enough that each has answered.
    assert eventually(lambda: all(first not in published(environment) for _ in range(20)), 5.0)
    states = {kid: key["state"] for kid, key in listed(environment, "ES256").items()}
    assert states == {first: "revoked", new: "signs"}
    assert listed(environment, "ES256")[first]["in"] is None


def test_everything_can_be_revoked(up: Command, environment: dict[str, str]) -> None:
    before = published(environment)
    told = keys(environment, "revoke", "--all", "--reason", "a drill")
    assert all(kid in told for kid in before)
    assert eventually(lambda: all(not before & published(environment) for _ in range(20)), 5.0)
    assert len(published(environment)) == 4


def test_the_key_encryption_key_is_exchanged(up: Command, environment: dict[str, str]) -> None:
    assert "dinhdanh-kek-2" in keys(environment, "kek-add")
    told = keys(environment, "kek-rewrap")
    assert told.endswith("all are under dinhdanh-kek-2.\n")
    assert not told.startswith("0 ")
    assert keys(environment, "kek-rewrap").startswith("0 data keys")


def test_wrong_use_is_told(up: Command, environment: dict[str, str]) -> None:
    for arguments, told in (
        (["revoke", "--reason", "x"], "name the keys to revoke, or say --all"),
        (["revoke", "abc", "--all", "--reason", "x"], "name the keys to revoke, or say --all"),
        (["revoke", "no-such-key", "--reason", "x"], "There is no such key."),
        (["revoke", "-vno-such-key", "--reason", "x"], "There is no such key."),  # base64url may begin with a dash
        (["rotate", "--alg", "HS256"], "There are no keys for HS256."),
    ):
        wrong = run(["keys", *arguments], environment)
        assert wrong.returncode == 1
        assert wrong.stderr == f"dinhdanh: {told}\n"


def test_the_journal_holds_it(up: Command, environment: dict[str, str]) -> None:
    verified = run(["journal", "verify"], environment)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_it_starts_again_from_the_token(up: Command, environment: dict[str, str], tmp_path: Path) -> None:
    """Last: it ends the sandbox. Keys made before still sign; without the token nothing starts."""
    before = published(environment)
    assert up.ends(signal.SIGINT) == 0
    without = run(["keys", "list"], environment | {"DINHDANH_PKCS11_TOKEN": "another"})
    assert without.returncode == 1
    assert "another" in without.stderr
    again = start(["up"], environment, tmp_path / "again.log")
    try:
        assert again.serves(f"http://127.0.0.1:{environment['DINHDANH_PORT']}/health/ready"), again.said()
        assert published(environment) == before
    finally:
        again.ends(signal.SIGINT)

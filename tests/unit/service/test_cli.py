"""The command line: one sentence and an exit code, whatever goes wrong."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from service.embedded import EmbeddedUrls
from tests.support.commands import free_port, run


@pytest.fixture
def sandbox(tmp_path: Path) -> dict[str, str]:
    # A port of its own: a service that runs on this machine already must not change what is told.
    return {"DINHDANH_DATA_DIR": str(tmp_path / "data"), "DINHDANH_PORT": str(free_port())}


def test_version(sandbox: dict[str, str]) -> None:
    done = run(["version"], sandbox)
    assert (done.returncode, done.stdout.strip()) == (0, version("dinhdanh"))


@pytest.mark.parametrize("arguments", [["serve"], ["worker"]])
def test_servers_are_never_embedded_for_serve_and_worker(arguments: list[str], sandbox: dict[str, str]) -> None:
    done = run(arguments, sandbox)
    assert done.returncode == 1
    assert done.stderr.startswith("dinhdanh: DATABASE_")
    assert done.stderr.endswith("URL is not set\n")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("up", "is the sandbox"),
        ("serve", "DATABASE_URL"),
        ("worker", "DATABASE_WORKER_URL"),
        ("migrate", "DATABASE_OWNER_URL"),
        ("sandbox", "outside sandbox mode"),
    ],
)
def test_outside_the_sandbox_nothing_embedded_starts(command: str, told: str, tmp_path: Path) -> None:
    environment = {
        "DINHDANH_MODE": "production",
        "DINHDANH_ISSUER": "https://id.example",
        "DINHDANH_DATA_DIR": str(tmp_path / "data"),
    }
    done = run([command], environment)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert told in done.stderr
    assert not (tmp_path / "data").exists()


def test_half_an_address_book_is_refused(sandbox: dict[str, str]) -> None:
    done = run(["migrate"], sandbox | {"REDIS_URL": "redis://127.0.0.1:1/0"})
    assert done.returncode == 1
    assert done.stderr == (
        "dinhdanh: REDIS_URL is set but DATABASE_URL is not: set both, or neither for embedded servers\n"
    )


def test_wrong_use_has_its_own_exit_code(sandbox: dict[str, str]) -> None:
    done = run(["migrate", "--nonsense"], sandbox)
    assert done.returncode == 2
    assert "--nonsense" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_setting_is_named_without_its_value(sandbox: dict[str, str]) -> None:
    done = run(["serve"], sandbox | {"DINHDANH_PORT": "canary"})
    assert done.returncode == 1
    assert "DINHDANH_PORT" in done.stderr
    assert "canary" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_migrate_works_with_embedded_servers_and_again(sandbox: dict[str, str]) -> None:
    for _ in range(2):
        done = run(["migrate"], sandbox)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("The database is at revision 0")


def test_migrate_works_with_servers_of_others(database_urls: EmbeddedUrls, tmp_path: Path) -> None:
    environment = database_urls.environment() | {"DINHDANH_DATA_DIR": str(tmp_path / "data")}
    done = run(["migrate"], environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"secrets"}  # keys, and no server of ours


def test_generate_writes_the_same_bytes_for_the_same_seed(sandbox: dict[str, str], tmp_path: Path) -> None:
    for name in ("one", "two"):
        done = run(["registry", "generate", "--people", "50", "--seed", "7", "--out", str(tmp_path / name)], sandbox)
        assert done.returncode == 0
        assert done.stdout.startswith(f"50 people written to {tmp_path / name} in ")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_import_twice_changes_nothing_and_explains_what_it_refuses(sandbox: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    assert run(["registry", "generate", "--people", "60", "--out", str(file)], sandbox).returncode == 0
    with file.open("a", encoding="utf-8") as rows:
        rows.write('{"number": "not a number"}\n')
    first = run(["registry", "import", str(file)], sandbox)
    assert (first.returncode, first.stdout.split("; ")[0]) == (
        0,
        "61 rows read: 60 new, 0 changed, 0 unchanged, 1 refused",
    )
    [refused] = (tmp_path / "people.jsonl.rejects.jsonl").read_text().splitlines()
    assert json.loads(refused)["line"] == 61
    second = run(["registry", "import", str(file)], sandbox)
    assert second.stdout.startswith("61 rows read: 0 new, 0 changed, 60 unchanged, 1 refused; ")


def test_a_file_that_is_not_there_is_wrong_use(sandbox: dict[str, str], tmp_path: Path) -> None:
    done = run(["registry", "import", str(tmp_path / "none.jsonl")], sandbox)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_an_unexpected_failure_is_a_sentence_and_its_details_can_be_kept(sandbox: dict[str, str]) -> None:
    data_dir = Path(sandbox["DINHDANH_DATA_DIR"])
    data_dir.mkdir(mode=0o700)
    (data_dir / "secrets").write_text("a file where a directory belongs")
    done = run(["migrate"], sandbox | {"DINHDANH_DEBUG": "1"})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert "Traceback" in (data_dir / "log" / "debug.log").read_text()

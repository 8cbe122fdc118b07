"""Settings: each fault is a sentence that names the setting; outside the sandbox nothing has a default."""

from pathlib import Path
from typing import Literal

import pytest

from core.settings import SettingsError, load_settings, require_for


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("DINHDANH_") or name.endswith(("DATABASE_URL", "_OWNER_URL")) or name == "REDIS_URL":
            monkeypatch.delenv(name)


def _key(folder: Path, name: str, mode: int = 0o600) -> Path:
    file = folder / name
    file.write_text("x" * 40)
    file.chmod(mode)
    return file


def production(folder: Path, **changes: object) -> dict[str, object]:
    complete: dict[str, object] = {
        "mode": "production",
        "issuer": "https://id.example",
        "database_url": "postgresql://web@db/x",
        "database_worker_url": "postgresql://worker@db/x",
        "redis_url": "redis://cache",
        "kek_file": _key(folder, "kek"),
        "log_key_file": _key(folder, "log"),
        "web_secret_file": _key(folder, "web"),
    }
    return {**complete, **changes}


def test_the_sandbox_needs_nothing() -> None:
    settings = load_settings(port=8123)
    assert settings.sandbox
    assert settings.issuer == "http://localhost:8123"


@pytest.mark.parametrize("issuer", ["https://id.example", "http://10.0.0.1:8000", "http://localhost.evil.test"])
def test_a_sandbox_that_others_reach_has_to_be_asked_for(issuer: str) -> None:
    """Production that forgot to say so must not become a sandbox with printed passwords."""
    with pytest.raises(SettingsError, match="DINHDANH_MODE must be said"):
        load_settings(issuer=issuer)
    assert load_settings(issuer=issuer, mode="sandbox").sandbox


@pytest.mark.parametrize(
    "issuer", ["http://localhost:9000", "http://127.0.0.1:1", "http://[::1]:1", "http://a.localhost"]
)
def test_a_sandbox_of_this_machine_needs_no_word(issuer: str) -> None:
    assert load_settings(issuer=issuer).sandbox
    assert load_settings(issuer="https://host.example:9443", tls=True).sandbox


def test_production_is_complete(tmp_path: Path) -> None:
    settings = load_settings(**production(tmp_path))
    assert settings.https
    assert not settings.sandbox


@pytest.mark.parametrize(
    ("process", "name", "named"),
    [
        ("web", "database_url", "DATABASE_URL"),
        ("web", "redis_url", "REDIS_URL"),
        ("web", "kek_file", "DINHDANH_KEK_FILE"),
        ("web", "web_secret_file", "DINHDANH_WEB_SECRET_FILE"),
        ("worker", "database_worker_url", "DATABASE_WORKER_URL"),
        ("worker", "redis_url", "REDIS_URL"),
        ("worker", "kek_file", "DINHDANH_KEK_FILE"),
        ("worker", "log_key_file", "DINHDANH_LOG_KEY_FILE"),
        ("migrate", "database_owner_url", "DATABASE_OWNER_URL"),
        ("migrate", "kek_file", "DINHDANH_KEK_FILE"),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, process: Literal["web", "worker", "migrate"], name: str, named: str
) -> None:
    complete = {"database_owner_url": "postgresql://owner@db/x", **production(tmp_path)}
    require_for(load_settings(**complete), process)
    with pytest.raises(SettingsError, match=named):
        require_for(load_settings(**{**complete, name: None}), process)


def test_a_web_process_needs_neither_the_workers_password_nor_the_log_key(tmp_path: Path) -> None:
    """A server taken over through its pages must not hold what would let it rewrite and sign the journal."""
    alone = load_settings(**production(tmp_path, database_worker_url=None, log_key_file=None))
    require_for(alone, "web")


def test_plain_http_stops_production(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="DINHDANH_ISSUER must be https"):
        load_settings(**production(tmp_path, issuer="http://id.example"))


def test_an_open_key_file_stops_production(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"DINHDANH_KEK_FILE.*0600"):
        load_settings(**production(tmp_path, kek_file=_key(tmp_path, "open", 0o644)))


def test_a_missing_key_file_stops_production(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="DINHDANH_LOG_KEY_FILE"):
        load_settings(**production(tmp_path, log_key_file=tmp_path / "nowhere"))


@pytest.mark.parametrize("issuer", ["ftp://x", "https://x/", "https://x?y", "https://x#y", "localhost"])
def test_an_unfit_issuer_is_refused(issuer: str) -> None:
    with pytest.raises(SettingsError, match="ISSUER"):
        load_settings(issuer=issuer)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trusted_proxies", ("unix:",)),
        ("trusted_proxies", ("proxy.example",)),
        ("client_certificate_header", "Client Cert"),
        ("client_certificate_header", "X:Y"),
        ("client_ca_file", Path("nowhere.pem")),
        ("mtls_base", "https://mtls.example/"),
        ("mtls_base", "mtls.example"),
    ],
)
def test_what_trusts_a_proxy_is_written_exactly(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=f"DINHDANH_{name.upper()}"):
        load_settings(**{name: value})


def test_the_unix_socket_is_a_proxy_too() -> None:
    settings = load_settings(trusted_proxies=("unix", "10.0.0.0/8"), client_certificate_header="Client-Cert")
    assert settings.trusted_proxies == ("unix", "10.0.0.0/8")


def test_weak_password_hashing_cannot_be_set() -> None:
    with pytest.raises(SettingsError, match="ARGON2_MEMORY_KIB"):
        load_settings(argon2_memory_kib=1024)


def test_secrets_do_not_show(tmp_path: Path) -> None:
    settings = load_settings(**production(tmp_path, database_url="postgresql://web:hunter2@db/x"))
    assert "hunter2" not in repr(settings)
    with pytest.raises(SettingsError) as caught:
        load_settings(**production(tmp_path, port="hunter2"))
    assert "hunter2" not in str(caught.value)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1  # type: ignore[misc]

"""The service's key files: named by settings in production, made at first run below `.data/secrets` in the sandbox."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from core.settings import Settings
from core.web.browser import WebSecret
from privacy.journal.api import LogKey
from privacy.vault.api import HardwarePlace, KeyEncryptionKeys
from service.errors import CommandError
from service.secret_files import write_private

WEB_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Where the keys lie."""

    kek: Path
    log_key: Path
    web_secret: Path


def key_files(settings: Settings) -> KeyFiles:
    """The paths; they need not exist yet."""
    folder = settings.secrets_dir
    return KeyFiles(
        kek=settings.kek_file or folder / "kek.json",
        log_key=settings.log_key_file or folder / "log_key.pem",
        web_secret=settings.web_secret_file or folder / "web_secret",
    )


def hardware_place(settings: Settings) -> HardwarePlace | None:
    """The hardware token of the settings, if there is one."""
    if settings.pkcs11_module is None or settings.pkcs11_pin_file is None:
        return None
    return HardwarePlace(settings.pkcs11_module, settings.pkcs11_token, settings.pkcs11_pin_file)


def open_keks(settings: Settings) -> KeyEncryptionKeys:
    """The key-encryption keys, from where the settings say. Raises VaultError."""
    place, file = hardware_place(settings), key_files(settings).kek
    if settings.kek_in == "file" or place is None:
        return KeyEncryptionKeys.from_file(file)
    return KeyEncryptionKeys.in_hardware(place.open(), file if file.exists() else None)


def make_sandbox_keys(settings: Settings) -> None:
    """Makes what is missing, sandbox only. Raises CommandError outside it."""
    if not settings.sandbox:
        raise CommandError("outside sandbox mode keys are made by their keeper, not by the service")
    files = key_files(settings)
    settings.secrets_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_sandbox_kek(settings, files.kek)
    if not files.log_key.exists():
        LogKey.create(files.log_key)
    if not files.web_secret.exists():
        write_private(files.web_secret, secrets.token_urlsafe(WEB_SECRET_BYTES) + "\n")


def _make_sandbox_kek(settings: Settings, file: Path) -> None:
    place = hardware_place(settings)
    if settings.kek_in == "file" or place is None:
        if not file.exists():
            KeyEncryptionKeys.create(file)
        return
    token = place.open()
    if not token.kek_ids():
        token.add_kek()
    token.close()


def read_web_secret(settings: Settings) -> WebSecret:
    """Raises CommandError when the file is missing or too short."""
    try:
        key = key_files(settings).web_secret.read_bytes().strip()
    except OSError:
        raise CommandError("DINHDANH_WEB_SECRET_FILE: the file cannot be read") from None
    if len(key) < WEB_SECRET_BYTES:
        raise CommandError(f"DINHDANH_WEB_SECRET_FILE: needs at least {WEB_SECRET_BYTES} bytes")
    return WebSecret(key)

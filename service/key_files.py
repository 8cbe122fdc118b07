"""The service's key files: named by settings in production, made at first run below `.data/secrets` in the sandbox."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from core.settings import Settings
from core.web.browser import WebSecret
from privacy.journal.api import LogKey
from privacy.vault.api import KeyEncryptionKeys
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


def make_sandbox_keys(settings: Settings) -> None:
    """Makes what is missing, sandbox only. Raises CommandError outside it."""
    if not settings.sandbox:
        raise CommandError("outside sandbox mode keys are made by their keeper, not by the service")
    files = key_files(settings)
    settings.secrets_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not files.kek.exists():
        KeyEncryptionKeys.create(files.kek)
    if not files.log_key.exists():
        LogKey.create(files.log_key)
    if not files.web_secret.exists():
        write_private(files.web_secret, secrets.token_urlsafe(WEB_SECRET_BYTES) + "\n")


def read_web_secret(settings: Settings) -> WebSecret:
    """Raises CommandError when the file is missing or too short."""
    try:
        key = key_files(settings).web_secret.read_bytes().strip()
    except OSError:
        raise CommandError("DINHDANH_WEB_SECRET_FILE: the file cannot be read") from None
    if len(key) < WEB_SECRET_BYTES:
        raise CommandError(f"DINHDANH_WEB_SECRET_FILE: needs at least {WEB_SECRET_BYTES} bytes")
    return WebSecret(key)

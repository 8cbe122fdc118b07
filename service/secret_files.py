"""Secrets of the sandbox: random, made at first use, one file each, mode 0600."""

import os
import secrets
from pathlib import Path

SECRET_BYTES = 32


def kept_secret(folder: Path, name: str) -> str:
    """Read the secret `name`, or make it (43 characters, safe in URLs). Raises OSError when neither works."""
    path = folder / name
    if not path.exists():
        write_private(path, secrets.token_urlsafe(SECRET_BYTES) + "\n")
    return path.read_text("ascii").strip()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)  # the umask may have taken more, an older draft may have had more
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)

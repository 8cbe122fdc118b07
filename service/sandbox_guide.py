"""What a newcomer needs to know of a sandbox: whom to sign in as, and which clients are registered.

Made by `service.sandbox`, shown by `dinhdanh up` and `dinhdanh sandbox`. The people are synthetic, so their
numbers, passwords and code secrets may be printed; nothing of the kind exists outside the sandbox.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class PersonaGuide:
    """One person to sign in as. totp_secret: base32 for an authenticator, None when there is no second factor."""

    key: str
    name: str
    number: str
    password: str | None
    totp_secret: str | None
    note: str


@dataclass(frozen=True, slots=True)
class ClientGuide:
    """One registered client. settings_file: where its own credentials lie (mode 0600)."""

    client_id: str
    name: str
    note: str
    settings_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The whole guide. portal_settings_file: what the demo portal is started with."""

    personas: tuple[PersonaGuide, ...]
    clients: tuple[ClientGuide, ...]
    portal_settings_file: Path

    def as_json(self) -> dict[str, Any]:
        """For `dinhdanh sandbox --json`: paths as text."""
        told = asdict(self)
        told["portal_settings_file"] = str(self.portal_settings_file)
        for client in told["clients"]:
            client["settings_file"] = None if client["settings_file"] is None else str(client["settings_file"])
        return told

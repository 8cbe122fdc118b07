"""Where a hardware security module is found. Apart from its use, so that only who has one loads the library."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from privacy.vault.hardware import HardwareToken


@dataclass(frozen=True, slots=True)
class HardwarePlace:
    """Which token: the library of its PKCS #11 module, its label, a file of mode 0600 that holds the user PIN."""

    module: Path
    token: str
    pin_file: Path

    def open(self) -> "HardwareToken":
        """The token, one per process: PKCS #11 keeps one login for all sessions of a process.

        Raises VaultError that names what is missing, never the PIN.
        """
        from privacy.vault.hardware import opened_token

        return opened_token(self)

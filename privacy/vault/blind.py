"""Blind indexes: keyed fingerprints by which a sealed value is found without being opened.

    subkey = HMAC-SHA256(index key of the version, "blind index" ‖ kind)
    mac    = HMAC-SHA256(subkey, value)

The kind is in the subkey, so equal values of different kinds (a number, a former number) do not meet.
During a rotation several versions live: all are written, the active one is searched.
"""

import hmac
from dataclasses import dataclass, field

from privacy.vault.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Blind:
    """key_version: 1 and up. mac: 32 bytes."""

    key_version: int
    mac: bytes = field(repr=False)


class BlindIndexes:
    """Computes blind indexes; kinds are constants of the code, so the subkeys are kept."""

    __slots__ = ("_active", "_keys", "_subkeys")

    def __init__(self, ring: Keyring) -> None:
        self._keys = ring.raw("index")
        self._active = ring.active_index
        self._subkeys: dict[tuple[int, str], bytes] = {}

    def __repr__(self) -> str:
        return f"BlindIndexes(versions={sorted(self._keys)}, active={self._active}, keys=hidden)"

    def blind(self, kind: str, value: str | bytes) -> Blind:
        """The index to search by. The value must already be folded by its owner."""
        return self._at(self._active, kind, value)

    def blinds(self, kind: str, value: str | bytes) -> list[Blind]:
        """Every live version, to be written."""
        return [self._at(version, kind, value) for version in self._keys]

    def _at(self, version: int, kind: str, value: str | bytes) -> Blind:
        subkey = self._subkeys.get((version, kind))
        if subkey is None:
            subkey = hmac.digest(self._keys[version], b"blind index\x00" + kind.encode(), "sha256")
            self._subkeys[version, kind] = subkey
        octets = value.encode() if isinstance(value, str) else value
        return Blind(version, hmac.digest(subkey, octets, "sha256"))

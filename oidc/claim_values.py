"""Values that a request compares a person's claims with (`value`, `values`), kept so that nobody can read them.

A request that says "his birth date is …" is personal data, and it is kept until its grant ends. So only a
keyed fingerprint of each value is kept, bound to the client and to the place in the request; it is compared
with the fingerprint of what the record holds.
"""

import hmac
import re
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from core import base64url
from privacy.vault.api import Vault

KIND = "oidc.claim-value"
_FINGERPRINT = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)

Conceal = Callable[[str, Any], str]
"""Place in the request and a JSON value → the fingerprint to keep."""
Matches = Callable[[str, Any, Iterable[str]], bool]
"""Place, held value, kept fingerprints → whether it is one of the values asked for."""


class ClaimValues:
    """One per process."""

    __slots__ = ("_vault",)

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def concealing(self, client_id: str) -> Conceal:
        """The function for the requests of one client."""

        def conceal(place: str, value: Any) -> str:
            return _text(self._vault.blind(KIND, _message(client_id, place, value)).mac)

        return conceal

    def matching(self, client_id: str) -> Matches:
        """The function for the grants of one client. Fingerprints of every live key version count."""

        def matches(place: str, value: Any, kept: Iterable[str]) -> bool:
            held = [_text(blind.mac) for blind in self._vault.blinds(KIND, _message(client_id, place, value))]
            return any(hmac.compare_digest(one, each) for one in held for each in kept)

        return matches


def is_fingerprint(text: object) -> bool:
    """Whether it looks like one; a client can write into our short form of a request what it likes."""
    return isinstance(text, str) and _FINGERPRINT.fullmatch(text) is not None


def _message(client_id: str, place: str, value: Any) -> bytes:
    """JSON with sorted keys: one value has one form, and a number is not the text of it."""
    return orjson.dumps([client_id, place, value], option=orjson.OPT_SORT_KEYS)


def _text(mac: bytes) -> str:
    return base64url.encode(mac)

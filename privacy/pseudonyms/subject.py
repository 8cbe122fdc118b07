"""OpenID Connect Core 1.0 §8.1, with HMAC-SHA256 in place of the plain hash given there as an example."""

import hmac
from uuid import UUID

from core import base64url

SUBJECT_LENGTH = 43


class Pseudonyms:
    """Makes pairwise subjects from a 32-byte key out of the vault. The key is never rotated."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise ValueError("the pseudonym key has 32 bytes")
        self._key = key

    def __repr__(self) -> str:
        return "Pseudonyms(key=hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a key is not copied or pickled")

    def subject(self, sector: str, person_id: UUID) -> str:
        """The `sub` of a person for a sector: base64url without padding, 43 characters.

        sector: the sector identifier (a host, or the host of the sector document), not empty.
        """
        if not sector:
            raise ValueError("a sector is needed")
        # The id has a fixed length and comes first: no sector can be chosen to meet another person's.
        mac = hmac.digest(self._key, b"pairwise\x00" + person_id.bytes + sector.encode(), "sha256")
        return base64url.encode(mac)

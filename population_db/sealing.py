"""How contents of the registry are written, sealed, recognised and indexed.

Content of a group: a JSON object {field code: value} with sorted keys, in UTF-8. Indexed values are folded
first, so that what looks the same to people has one digest. Everything that writes an index goes through
`index_entries`, everything that searches through the functions below it.
"""

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from population_db.names import fold
from privacy.vault.api import Blind, PersonKey, Vault

GROUPS_TABLE = "population_db.person_groups"
NUMBERS_TABLE = "population_db.person_numbers"

NUMBER = "number"
NAME_DATE = "name-date"
NAME_YEAR_PROVINCE = "name-year-province"
OLD_ID = "old-id"
HOUSEHOLD = "household"
_CONTENT = "group-content"
ABROAD = "00"
"""Stands where the residence is in no province."""


class IndexEntry(NamedTuple):
    """A row of the search index, without its person."""

    kind: str
    blind: Blind


def encode(content: Mapping[str, Any]) -> bytes:
    """The one way a group's content is written: equal contents are equal bytes."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def decode(plaintext: bytes) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads(plaintext)
    return content


class ContentMacs:
    """Digests of one person's contents: equal only for the same person, group and content.

    A key per person, derived from the index key, so that two people of the same faith or with the same
    blood group do not show as equal in the table.
    """

    __slots__ = ("_key", "_person_id", "_vault", "_version")

    def __init__(self, vault: Vault, person_id: uuid.UUID) -> None:
        blind = vault.blind(_CONTENT, person_id.bytes)
        self._vault, self._person_id = vault, person_id
        self._version, self._key = blind.key_version.to_bytes(2, "big"), blind.mac

    def mac(self, group: str, encoded: bytes) -> bytes:
        """18 bytes: key version and BLAKE2b, keyed, of group and content."""
        return self._version + _keyed(self._key, group, encoded)

    def same(self, stored: bytes, group: str, encoded: bytes) -> bool:
        """Whether a stored digest, perhaps of another live key version, is of this content."""
        if stored[:2] == self._version:
            return stored[2:] == _keyed(self._key, group, encoded)
        return any(
            stored == blind.key_version.to_bytes(2, "big") + _keyed(blind.mac, group, encoded)
            for blind in self._vault.blinds(_CONTENT, self._person_id.bytes)
        )


def _keyed(key: bytes, group: str, encoded: bytes) -> bytes:
    return hashlib.blake2b(encoded, digest_size=16, key=key, person=group.encode()).digest()


def seal_group(
    vault: Vault,
    person_id: uuid.UUID,
    group: str,
    version: int,
    encoded: bytes,
    key: PersonKey | None = None,
) -> bytes:
    """Seals one version of a group; key: of the person, for `contact`."""
    return vault.seal(group, person_id, GROUPS_TABLE, version, encoded, key=key)


def open_group(
    vault: Vault,
    person_id: uuid.UUID,
    group: str,
    version: int,
    sealed: bytes,
    key: PersonKey | None = None,
) -> dict[str, Any]:
    """Opens what `seal_group` made. Raises SealBroken, KeyMissing."""
    return decode(vault.unseal(group, person_id, GROUPS_TABLE, version, sealed, key=key))


def seal_number(vault: Vault, person_id: uuid.UUID, ordinal: int, digits: str) -> bytes:
    """Seals one of a person's numbers."""
    return vault.seal("civil", person_id, NUMBERS_TABLE, ordinal, digits.encode())


def open_number(vault: Vault, person_id: uuid.UUID, ordinal: int, sealed: bytes) -> str:
    """Opens what `seal_number` made. Raises SealBroken, KeyMissing."""
    return vault.unseal("civil", person_id, NUMBERS_TABLE, ordinal, sealed).decode()


def province_of(residence: Mapping[str, Any]) -> str:
    """The province a person is searched in: of the permanent, else the present, else the temporary residence."""
    for code in ("permanent_residence", "current_residence", "temporary_residence"):
        found = residence.get(code, {}).get("province")
        if found:
            return str(found)
    return ABROAD


def index_entries(vault: Vault, civil: Mapping[str, Any], residence: Mapping[str, Any]) -> set[IndexEntry]:
    """All rows of the search index that belong to these contents, in every live key version."""
    folded = fold(civil["full_name"])
    birth: str = civil["birth_date"]
    values = [
        (NAME_DATE, name_date(folded, birth)),
        (NAME_YEAR_PROVINCE, name_year_province(folded, birth[:4], province_of(residence))),
        *((OLD_ID, number) for number in civil.get("old_id_numbers", ())),
    ]
    return {IndexEntry(kind, blind) for kind, value in values for blind in vault.blinds(kind, value)}


def name_date(folded: str, birth_date: str) -> str:
    return f"{folded}|{birth_date}"


def name_year_province(folded: str, birth_year: str, province: str) -> str:
    return f"{folded}|{birth_year}|{province}"

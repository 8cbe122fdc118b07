"""How contents of the registry are written, sealed, recognised and indexed.

Content of a group: a JSON object {field code: value} with sorted keys, in UTF-8. Indexed values are folded
first, so that what looks the same to people has one digest. Everything that writes an index goes through
`index_entries`, everything that searches through the functions below it.
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from population_db.fields import GROUPS
from population_db.names import fold
from population_db.spelling import plain
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
    """Digests of contents: equal only for the same person, group and content. Made once, used often.

    The person is in them, so that two people of one faith or one blood group do not show as equal.
    """

    __slots__ = ("_active", "_live")

    def __init__(self, vault: Vault) -> None:
        # The digest of the group's name is the key: derived from the index key, one per group and version.
        self._active = {group: _head_and_key(vault.blind(_CONTENT, group)) for group in GROUPS}
        self._live = {group: [_head_and_key(one) for one in vault.blinds(_CONTENT, group)] for group in GROUPS}

    def mac(self, person_id: uuid.UUID, group: str, encoded: bytes) -> bytes:
        """18 bytes: key version, then BLAKE2b keyed and salted with the person."""
        head, key = self._active[group]
        return head + hashlib.blake2b(encoded, digest_size=16, key=key, salt=person_id.bytes).digest()

    def same(self, stored: bytes, person_id: uuid.UUID, group: str, encoded: bytes) -> bool:
        """Whether a stored digest, of any live key version, is of this content."""
        return any(
            stored == head + hashlib.blake2b(encoded, digest_size=16, key=key, salt=person_id.bytes).digest()
            for head, key in self._live[group]
        )


def _head_and_key(blind: Blind) -> tuple[bytes, bytes]:
    return blind.key_version.to_bytes(2, "big"), blind.mac


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


def index_values(civil: Mapping[str, Any], residence: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What these contents are found by, as (kind, value)."""
    folded = fold_stored(civil["full_name"])
    birth: str = civil["birth_date"]
    return [
        (NAME_DATE, name_date(folded, birth)),
        (NAME_YEAR_PROVINCE, name_year_province(folded, birth[:4], province_of(residence))),
        *((OLD_ID, number) for number in dict.fromkeys(civil.get("old_id_numbers", ()))),
    ]


def index_entries(vault: Vault, values: Iterable[tuple[str, str]]) -> list[IndexEntry]:
    """All rows of the search index for these values, in every live key version."""
    return [IndexEntry(kind, blind) for kind, value in values for blind in vault.blinds(kind, value)]


def fold_stored(name: str) -> str:
    """`names.fold` of a name that is stored, hence normalised; most need no second normalising."""
    if name.replace(" ", "").isalpha():
        return " ".join([plain(word) for word in name.split(" ")])
    return fold(name)


def name_date(folded: str, birth_date: str) -> str:
    return f"{folded}|{birth_date}"


def name_year_province(folded: str, birth_year: str, province: str) -> str:
    return f"{folded}|{birth_year}|{province}"

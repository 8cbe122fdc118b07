"""Writing to a person who is there: one step of his version, new versions of groups, search rows that follow.

Every act on a person first takes the step (`advance`): of two acts at once the second finds the version
gone and is told so. Nothing is reworded: the old version of a group stays, marked as superseded.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, Text, bindparam, case, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_leave

from core.database import Query, Tx
from core.errors import Conflict
from population_db.sealing import ContentMacs, encode, index_entries, index_values, open_group, seal_group
from population_db.tables import Person, PersonGroup, SearchIndex
from privacy.vault.api import Vault

_Person = Person.__table__  # type: ignore[attr-defined]
_P = _Person.c
_PersonGroup = PersonGroup.__table__  # type: ignore[attr-defined]
_G = _PersonGroup.c
_SearchIndex = SearchIndex.__table__  # type: ignore[attr-defined]
_S = _SearchIndex.c

# Names that begin with b_ : an UPDATE keeps the bare column names for the values it sets.
_ADVANCE = Query(
    update(_Person)
    .where(_P.person_id == bindparam("b_person_id"), _P.version == bindparam("b_version"))
    .values(
        version=_P.version + 1,
        status=bindparam("b_status"),
        status_since=case(
            (_P.status == bindparam("b_status"), _P.status_since),
            else_=bindparam("b_at", type_=_P.status_since.type),
        ),
    )
)
_CURRENT = Query(
    select(_G.group_code, _G.version, _G.sealed, _G.source, _G.as_of).where(
        _G.person_id == bindparam("person_id"),
        _G.group_code == func.any(bindparam("groups", type_=ARRAY(Text))),
        _G.superseded_at.is_(None),
    )
)
_SUPERSEDE = Query(
    update(_PersonGroup)
    .where(
        _G.person_id == bindparam("b_person_id"),
        _G.group_code == bindparam("b_group"),
        _G.version == bindparam("b_version"),
        _G.superseded_at.is_(None),
    )
    # A clock that was set back must not make a version end before it began.
    .values(superseded_at=func.greatest(_G.recorded_at, bindparam("b_at", type_=_G.recorded_at.type)))
)
_ADD = Query(insert(_PersonGroup))
_INDEX = Query(insert_or_leave(_SearchIndex).on_conflict_do_nothing())
_UNINDEX = Query(
    delete(_SearchIndex).where(
        _S.mac == bindparam("mac"), _S.key_version == bindparam("key_version"), _S.person_id == bindparam("person_id")
    )
)


@dataclass(frozen=True, slots=True)
class Content:
    """The current version of one group, opened."""

    group: str
    version: int
    values: dict[str, Any] = field(repr=False)
    source: str
    as_of: date


def changed_meanwhile() -> Conflict:
    """What the loser of two acts at once is told."""
    return Conflict("person-changed", "The person's record was changed meanwhile. Please look again.")


async def advance(tx: Tx, person_id: uuid.UUID, version: int, status: str, at: datetime) -> None:
    """Takes the step from `version` to the next. Raises Conflict when somebody else took it."""
    if await tx.run(_ADVANCE, b_person_id=person_id, b_version=version, b_status=status, b_at=at) != 1:
        raise changed_meanwhile()


async def current(tx: Tx, vault: Vault, person_id: uuid.UUID, *groups: str) -> dict[str, Content]:
    """The current contents of these groups; what was never recorded is not in the answer."""
    found = {}
    for row in await tx.rows(_CURRENT, person_id=person_id, groups=list(groups)):
        group = row["group_code"]
        key = await vault.person_key(tx, person_id) if group == "contact" else None
        values = open_group(vault, person_id, group, row["version"], row["sealed"], key)
        found[group] = Content(group, row["version"], values, row["source"], row["as_of"])
    return found


async def write_version(
    tx: Tx,
    vault: Vault,
    person_id: uuid.UUID,
    old: Content | None,
    new: Content,
    at: datetime,
) -> None:
    """Supersedes `old` and writes `new` under the next version number. Raises Conflict.

    new.version is not looked at: it follows from the old one's.
    """
    version = 1
    if old is not None:
        version = old.version + 1
        if (await tx.run(_SUPERSEDE, b_person_id=person_id, b_group=old.group, b_version=old.version, b_at=at)) != 1:
            raise changed_meanwhile()
    encoded = encode(new.values)
    key = await vault.person_key(tx, person_id) if new.group == "contact" else None
    await tx.run(
        _ADD,
        person_id=person_id,
        group_code=new.group,
        version=version,
        sealed=seal_group(vault, person_id, new.group, version, encoded, key),
        content_mac=ContentMacs(vault).mac(person_id, new.group, encoded),
        source=new.source,
        as_of=new.as_of,
        valid_from=new.as_of,
        recorded_at=at,
        superseded_at=None,
    )


async def reindex(
    tx: Tx,
    vault: Vault,
    person_id: uuid.UUID,
    before: tuple[Mapping[str, Any], Mapping[str, Any]],
    after: tuple[Mapping[str, Any], Mapping[str, Any]],
) -> None:
    """Makes the search rows follow a change; before and after: civil and residence contents."""
    old, new = set(index_values(*before)), set(index_values(*after))
    for entry in index_entries(vault, old - new):
        await tx.run(_UNINDEX, mac=entry.blind.mac, key_version=entry.blind.key_version, person_id=person_id)
    for entry in index_entries(vault, new - old):
        await tx.run(
            _INDEX, mac=entry.blind.mac, key_version=entry.blind.key_version, person_id=person_id, kind=entry.kind
        )

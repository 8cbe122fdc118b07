"""Finding a person by number, and reading fields: one trip to the database, only the needed groups opened."""

import uuid
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ARRAY, LargeBinary, Text, Uuid, and_, bindparam, func, select

from core.database import Query, Reads, Row
from core.errors import NotFound
from population_db.fields import FIELDS, groups_of
from population_db.numbers import Number, parse_number
from population_db.record import FieldValue, PersonRef, Record
from population_db.sealing import NUMBER, open_group
from population_db.tables import NumberIndex, Person, PersonGroup, PersonNumber
from privacy.vault.api import PersonKey, Vault

_P = Person.__table__.c  # type: ignore[attr-defined]
_N = NumberIndex.__table__.c  # type: ignore[attr-defined]
_G = PersonGroup.__table__.c  # type: ignore[attr-defined]
_H = PersonNumber.__table__.c  # type: ignore[attr-defined]

_BY_NUMBER = Query(
    select(_P.person_id, _P.status, _P.version, _N.status.label("number_status"))
    .join_from(NumberIndex, Person, _P.person_id == _N.person_id)
    .where(_N.mac == bindparam("mac"), _N.key_version == bindparam("key_version"))
)
_HOLDERS = Query(
    select(_N.mac, _N.person_id).where(
        _N.mac == func.any(bindparam("macs", type_=ARRAY(LargeBinary))), _N.key_version == bindparam("key_version")
    )
)
_BY_ID = Query(
    select(_P.person_id, _P.status, _P.version, _H.status.label("number_status"))
    .join_from(Person, PersonNumber, and_(_H.person_id == _P.person_id, _H.status == "active"), isouter=True)
    .where(_P.person_id == bindparam("person_id"))
)
READ = Query(
    select(
        _P.person_id,
        _P.status,
        _P.version,
        _G.group_code,
        _G.version.label("group_version"),
        _G.sealed,
        _G.source,
        _G.as_of,
    )
    .join_from(
        Person,
        PersonGroup,
        and_(
            _G.person_id == _P.person_id,
            _G.group_code == func.any(bindparam("groups", type_=ARRAY(Text))),
            _G.superseded_at.is_(None),
        ),
        isouter=True,
    )
    .where(_P.person_id == func.any(bindparam("ids", type_=ARRAY(Uuid))))
)


async def find_by_number(tx: Reads, vault: Vault, number: Number | str) -> PersonRef | None:
    """The person who has or had a number; None when nobody, or when it is no number at all."""
    if isinstance(number, str):
        try:
            number = parse_number(number)
        except ValueError:
            return None
    blind = vault.blind(NUMBER, number.digits)
    return _ref(await tx.row(_BY_NUMBER, mac=blind.mac, key_version=blind.key_version))


async def holders_of(tx: Reads, vault: Vault, numbers: Iterable[str]) -> dict[str, uuid.UUID]:
    """Who has or had each of these 12-digit numbers; one that is nobody's is not in the answer."""
    blinds = {number: vault.blind(NUMBER, number) for number in set(numbers)}
    key_version = next((blind.key_version for blind in blinds.values()), 0)
    macs = [blind.mac for blind in blinds.values()]
    found = {bytes(row["mac"]): row["person_id"] for row in await tx.rows(_HOLDERS, macs=macs, key_version=key_version)}
    return {number: found[blind.mac] for number, blind in blinds.items() if blind.mac in found}


async def ref(tx: Reads, person_id: uuid.UUID) -> PersonRef | None:
    """A person by internal identifier, with the status of his present number."""
    return _ref(await tx.row(_BY_ID, person_id=person_id))


def _ref(row: Row | None) -> PersonRef | None:
    if row is None:
        return None
    number_status = row["number_status"] or "cancelled"
    return PersonRef(row["person_id"], row["status"], number_status, number_status == "active", row["version"])


async def read(tx: Reads, vault: Vault, person_id: uuid.UUID, fields: Iterable[str]) -> Record:
    """Fields of one person. Raises NotFound, ValueError for an unknown field, SealBroken."""
    found = await read_many(tx, vault, [person_id], fields)
    if person_id not in found:
        raise NotFound("person-unknown", "There is no such person.")
    return found[person_id]


async def read_many(
    tx: Reads, vault: Vault, person_ids: Sequence[uuid.UUID], fields: Iterable[str]
) -> dict[uuid.UUID, Record]:
    """Fields of several persons in one trip; who is not there is not in the answer.

    A contact sealed by a key that was destroyed is erased: its fields are not in the record.
    """
    wanted = frozenset(fields)
    groups = groups_of(wanted)
    rows = await tx.rows(READ, ids=list(person_ids), groups=list(groups))
    keys: Mapping[uuid.UUID, PersonKey] = {}
    if "contact" in groups:
        keys = await vault.find_person_keys(tx, [row["person_id"] for row in rows if row["group_code"] == "contact"])
    values: dict[uuid.UUID, dict[str, FieldValue]] = {}
    heads: dict[uuid.UUID, Row] = {}
    for row in rows:
        person_id = row["person_id"]
        heads[person_id] = row
        of_person = values.setdefault(person_id, {})
        if row["group_code"] is not None:
            of_person.update(_opened(vault, row, wanted, keys))
    return {
        person_id: Record(person_id, row["status"], row["version"], values[person_id])
        for person_id, row in heads.items()
    }


def _opened(
    vault: Vault, row: Row, wanted: frozenset[str], keys: Mapping[uuid.UUID, PersonKey]
) -> dict[str, FieldValue]:
    group, key = row["group_code"], None
    if group == "contact":
        key = keys.get(row["person_id"])
        if key is None:
            return {}
    content = open_group(vault, row["person_id"], group, row["group_version"], row["sealed"], key)
    source, as_of = row["source"], row["as_of"]
    return {
        code: FieldValue(value, source, as_of) for code, value in content.items() if code in wanted and code in FIELDS
    }

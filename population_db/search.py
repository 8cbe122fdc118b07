"""Search by name and birth, on keyed digests.

A name alone finds nobody: thousands share one. Names are found folded (no accents) and ranked: exact
accents first, then exact dates. What is opened for ranking is the civil group of at most CANDIDATES people.
"""

import uuid
from collections.abc import Iterable

from sqlalchemy import ARRAY, LargeBinary, bindparam, func, select

from core.database import Query, Tx
from core.errors import BadInput
from population_db.names import fold, same_name
from population_db.partial_dates import PartialDate, may_be_same_date, same_date
from population_db.read import read_many
from population_db.record import Record
from population_db.sealing import ABROAD, NAME_DATE, NAME_YEAR_PROVINCE, OLD_ID, name_date, name_year_province
from population_db.tables import SearchIndex
from population_db.units import units
from privacy.vault.api import Vault

CANDIDATES = 200
MAX_LIMIT = 100

_S = SearchIndex.__table__.c  # type: ignore[attr-defined]
_FIND = Query(
    select(_S.person_id)
    .where(_S.mac == func.any(bindparam("macs", type_=ARRAY(LargeBinary))), _S.key_version == bindparam("version"))
    .order_by(_S.person_id)
    .limit(CANDIDATES)
)


async def search(
    tx: Tx,
    vault: Vault,
    *,
    full_name: str,
    birth_date: PartialDate | str | None = None,
    birth_year: int | None = None,
    province: str | None = None,
    limit: int = 20,
) -> list[uuid.UUID]:
    """Persons who may be meant, likeliest first; at most `limit` (1..100).

    Needs a birth date (partial ones are fine) or a birth year. province: two-digit code of the residence.
    Raises BadInput, naming the field, without repeating its value.
    """
    folded, birth = _folded(full_name), _birth(birth_date, birth_year)
    if not 1 <= limit <= MAX_LIMIT:
        raise BadInput("search", "The search cannot be done so.", fields={"limit": f"1 to {MAX_LIMIT}"})
    kind, values = _questions(folded, birth, province)
    blinds = [vault.blind(kind, value) for value in values]
    rows = await tx.rows(_FIND, macs=[blind.mac for blind in blinds], version=blinds[0].key_version)
    ids = [row["person_id"] for row in rows]
    if not ids:
        return []
    records = await read_many(tx, vault, ids, ("full_name", "birth_date"))
    return _ranked(records.values(), full_name, birth)[:limit]


async def find_by_old_id(tx: Tx, vault: Vault, old_id: str) -> list[uuid.UUID]:
    """Persons who had a 9-digit identity card number; several, since those were not unique."""
    blind = vault.blind(OLD_ID, old_id)
    rows = await tx.rows(_FIND, macs=[blind.mac], version=blind.key_version)
    return [row["person_id"] for row in rows]


def _folded(full_name: str) -> str:
    try:
        return fold(full_name)
    except ValueError as error:
        raise BadInput("search", "The search cannot be done so.", fields={"full_name": str(error)}) from None


def _birth(birth_date: PartialDate | str | None, birth_year: int | None) -> PartialDate:
    try:
        if isinstance(birth_date, str):
            return PartialDate.parse(birth_date)
        if birth_date is not None:
            return birth_date
        if birth_year is not None:
            return PartialDate(birth_year)
    except ValueError as error:
        raise BadInput("search", "The search cannot be done so.", fields={"birth_date": str(error)}) from None
    raise BadInput("search", "The search cannot be done so.", fields={"birth_date": "a birth date or year is needed"})


def _questions(folded: str, birth: PartialDate, province: str | None) -> tuple[str, list[str]]:
    """The kind of digest and the values to ask for.

    A whole date without a province: that date, and the month and the year alone, as some records have it.
    Otherwise year and province; without a province every one of them, some 35 digests in one question.
    """
    if birth.complete and province is None:
        less = (birth, PartialDate(birth.year, birth.month), PartialDate(birth.year))
        return NAME_DATE, [name_date(folded, one.iso) for one in less]
    provinces = [province] if province else [ABROAD, *(one.code for one in units().provinces)]
    return NAME_YEAR_PROVINCE, [name_year_province(folded, str(birth.year), code) for code in provinces]


def _ranked(records: Iterable[Record], full_name: str, birth: PartialDate) -> list[uuid.UUID]:
    ranked = []
    for record in records:
        name, born = record.get("full_name"), record.get("birth_date")
        if name is None or born is None:
            continue
        date = PartialDate.parse(born)
        if may_be_same_date(date, birth):
            ranked.append((not same_name(name, full_name), not same_date(date, birth), record.person_id))
    return [person_id for _, _, person_id in sorted(ranked)]

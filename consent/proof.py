"""Whether the particulars that came with a number belong to the person behind it. Pure.

Somebody unknown is compared as well, with values that never match: the work is the same.
"""

from collections.abc import Mapping
from datetime import date

from consent.disclosure import PersonProof
from population_db.api import FieldValue, PartialDate, same_date, same_name

PROOF_FIELDS = ("full_name", "birth_date")

_DAY = date(2000, 1, 1)
NOBODYS_VALUES: Mapping[str, FieldValue] = {
    "full_name": FieldValue("Không Có Ai", "none", _DAY),
    "birth_date": FieldValue("1900-01-01", "none", _DAY),
}


def is_enough(full_name: str | None, birth_date: PartialDate | None) -> bool:
    """A name, or a birth date to the day. The year alone stands in the number and proves nothing."""
    return bool(full_name) or (birth_date is not None and birth_date.complete)


def proves(proof: PersonProof, held: Mapping[str, FieldValue] | None) -> bool:
    """held: the person's name and birth date; None when the number is nobody's.

    Strict: every given value matches. Otherwise: at least one that is enough by itself.
    """
    values = NOBODYS_VALUES if held is None else held
    results = []
    if proof.full_name is not None:
        name = values.get("full_name")
        results.append(name is not None and same_name(str(name.value), proof.full_name))
    if proof.birth_date is not None:
        birth, given = values.get("birth_date"), PartialDate.parse(proof.birth_date)
        same = birth is not None and same_date(PartialDate.parse(str(birth.value)), given)
        results.append(same and (proof.strict or given.complete))
    proven = bool(results) and (all(results) if proof.strict else any(results))
    return proven and held is not None

"""What can be asked for: the registry's fields, and what people say of themselves as one more. Pure.

The self-declared profile is agreed to and disclosed by the same rule as a field of the record, and is never
one: it is asked for by name only, it stands on consent alone, and no lookup and no official gets it.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from identity.api import SELF_DECLARED, SELF_DECLARED_SPEC, part_codes
from population_db.api import FIELDS, FieldSpec

CATALOGUE: Mapping[str, FieldSpec] = MappingProxyType({**FIELDS, SELF_DECLARED: SELF_DECLARED_SPEC})
POSITIONS: Mapping[str, int] = MappingProxyType({code: position for position, code in enumerate(CATALOGUE)})
"""The order in which fields are named."""


def of_registry(codes: Iterable[str]) -> frozenset[str]:
    """Those that the registry holds."""
    return frozenset(codes) - {SELF_DECLARED}


def named_in_line(values: Mapping[str, Any]) -> tuple[str, ...]:
    """How a journal line names what goes out: fields by code, the self-declared profile member by member."""
    names: list[str] = []
    for code, held in values.items():
        names.extend(part_codes(held.value) if code == SELF_DECLARED else (code,))
    return tuple(names)

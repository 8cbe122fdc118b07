"""What the registry hands out: who a number belongs to, and the fields that were asked for.

None of these shows a value when it is printed or logged.
"""

import uuid
from collections.abc import Mapping
from dataclasses import field
from datetime import date
from typing import Any

from core.record import record


@record
class PersonRef:
    """A person of the registry, without any personal data.

    status: alive, dead, missing or renounced. number_status: of the number asked by (of the present one when
    no number was asked): active or cancelled. A cancelled number still finds its person, so that papers that
    bear it can be understood, but `is_current_number` is then false and it opens nothing: no sign-in, no
    lookup by number alone may accept it.
    """

    person_id: uuid.UUID
    status: str
    number_status: str
    is_current_number: bool
    version: int

    @property
    def may_sign_in(self) -> bool:
        """Whether a living person stands behind the number that is his today."""
        return self.status == "alive" and self.is_current_number


@record
class FieldValue:
    """One field. value: as in the catalogue (text, object or list). source and as_of: of its group."""

    value: Any = field(repr=False)
    source: str
    as_of: date


@record
class Record:
    """Fields of one person, at one version; a field the registry does not hold is not in `values`."""

    person_id: uuid.UUID
    status: str
    version: int
    values: Mapping[str, FieldValue]

    def get(self, code: str) -> Any:
        """The bare value of a field, or None."""
        found = self.values.get(code)
        return None if found is None else found.value

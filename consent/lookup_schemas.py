"""What the lookup API reads: strict JSON, known members only, every text bounded.

A body that two readers could read differently (a member twice, a lone surrogate, NaN) is refused before it
is looked at. Faults name the place and never repeat what stood there.
"""

import json
from typing import Annotated, Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from consent.minimise import match_fault
from consent.proof import is_enough
from core.errors import BadInput, Refusal
from population_db.api import FIELDS, PartialDate, normalise_name

MAX_BODY_BYTES = 16 * 1024
MAX_FIELDS = 40

_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$"
Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$")]
Text = Annotated[str, Field(min_length=1, max_length=100, pattern=_PRINTABLE)]

T = TypeVar("T", bound="LookupIn")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class OfficialIn(_Strict):
    """The official at whose desk the dossier lies, as the agency's own system knows him."""

    id: Text
    unit: Text | None = None


class PersonIn(_Strict):
    """Who is meant: the number, and the full name or the birth date to the day (or both)."""

    number: Annotated[str, Field(pattern=r"^[0-9]{12}$")] = Field(repr=False)
    full_name: Annotated[str, Field(min_length=1, max_length=150)] | None = Field(default=None, repr=False)
    birth_date: Annotated[str, Field(pattern=r"^[0-9]{4}(-[0-9]{2}){0,2}$")] | None = Field(default=None, repr=False)

    @field_validator("full_name")
    @classmethod
    def _is_a_name(cls, value: str | None) -> str | None:
        return None if value is None else _valid(normalise_name, value)

    @field_validator("birth_date")
    @classmethod
    def _is_a_date(cls, value: str | None) -> str | None:
        return None if value is None else _valid(lambda text: PartialDate.parse(text).iso, value)

    @property
    def enough(self) -> bool:
        """False for a number alone, or with a year that stands in the number anyway."""
        return is_enough(self.full_name, PartialDate.parse(self.birth_date) if self.birth_date else None)


class LookupIn(_Strict):
    """What both kinds of lookup have in common. request_id: the caller's, comes back in the answer. person: left
    out with a token that the person himself gave."""

    request_id: Code
    person: PersonIn | None = None
    purpose: Annotated[str, Field(max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")]
    legal_basis: Annotated[str, Field(max_length=40, pattern=r"^[a-z][a-z-]*$")]
    procedure: Code | None = None
    dossier: Annotated[str, Field(min_length=1, max_length=100, pattern=_PRINTABLE)] | None = Field(
        default=None, repr=False
    )
    official: OfficialIn | None = None


class MatchesIn(LookupIn):
    """match: the values to compare, by field."""

    match: dict[str, Any] = Field(min_length=1, max_length=MAX_FIELDS, repr=False)

    @model_validator(mode="after")
    def _values_fit(self) -> "MatchesIn":
        for code, value in self.match.items():
            fault = match_fault(code, value) if code in FIELDS else "There is no such field."
            if fault is not None:
                raise PydanticCustomError("match", "{where}: {fault}", {"where": code[:64], "fault": fault})
        return self


class RecordsIn(LookupIn):
    """fields: the codes wanted. replaces: the paper that need not be asked for because of this answer."""

    fields: list[str] = Field(min_length=1, max_length=MAX_FIELDS)
    replaces: Text | None = None

    @field_validator("fields")
    @classmethod
    def _known_and_once(cls, value: list[str]) -> list[str]:
        if len(set(value)) != len(value):
            raise PydanticCustomError("repeated", "A field is named twice.")
        if not set(value) <= FIELDS.keys():
            raise PydanticCustomError("unknown_field", "There is no such field.")
        return value


class BodyReader(Generic[T]):
    """Reads one kind of request body."""

    def __init__(self, kind: type[T]) -> None:
        self._adapter: TypeAdapter[T] = TypeAdapter(kind)

    def read(self, body: bytes) -> T:
        """Raises Refusal 400 `malformed-json`, BadInput 422 `invalid-input` with the places to mend."""
        try:
            return self._adapter.validate_python(parse_json(body))
        except ValidationError as error:
            faults = {
                "/".join(str(place) for place in fault["loc"])[:100] or "match": fault["msg"]
                for fault in error.errors(include_input=False, include_url=False, include_context=False)
            }
            raise BadInput("invalid-input", "The request has members to mend.", fields=faults) from None


def parse_json(body: bytes) -> Any:
    """One JSON text that has one meaning. Raises Refusal 400."""
    try:
        orjson.loads(body)  # strict UTF-8, no NaN, no lone surrogate, bounded depth
        return json.loads(body, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        raise Refusal(
            "malformed-json", "The body must be one JSON object, each member of it named once.", status=400
        ) from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is named twice")
    return found


def _valid(read: Any, value: str) -> str:
    try:
        made: str = read(value)
        return made
    except ValueError as error:
        raise PydanticCustomError("unfit", "{fault}.", {"fault": str(error).capitalize()}) from None

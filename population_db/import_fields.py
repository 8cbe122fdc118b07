"""Checks of single values in import files: one function per kind of value.

Each takes what the file says and gives what is stored, or raises Bad with a reason code from
`import_reasons`. They run some forty times per person, so they are plain functions over cached parts.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from population_db.names import normalise
from population_db.partial_dates import PartialDate
from population_db.units import UnknownUnit, units

Check = Callable[[Any], Any]

FORMULA_STARTS = frozenset("=+-@|%")
"""A value that begins so runs as a formula when somebody opens an export in a spreadsheet (CWE-1236)."""

_VIETNAMESE_NAME = re.compile(
    "[A-Za-zÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝàáâãèéêìíòóôõùúýĂăĐđĨĩŨũƠơƯưẠ-ỹ]+"
    "(?: [A-Za-zÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝàáâãèéêìíòóôõùúýĂăĐđĨĩŨũƠơƯưẠ-ỹ]+)*"
)
"""Names that `normalise` would leave as they are; nearly all. The others take the long way."""

_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")
_CODE = re.compile(r"[a-z][a-z-]{0,39}")
MAX_NAME = 150
MAX_TEXT = 300
COUNTRY_PREFIXES = "[1-9][0-9]{2}"
"""From 100 on the first three digits are countries (annex 2 of Circular 07/2016), of which any is taken."""
MAX_PEOPLE = 60
"""Relatives or household members in one list."""


class Bad(Exception):
    """A value is refused. code: see import_reasons. field: where, once known."""

    def __init__(self, code: str, field: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.field = field


def name(value: Any) -> str:
    """A person's name in its legal form."""
    if type(value) is not str:
        raise Bad("not-text")
    if len(value) <= MAX_NAME and _VIETNAMESE_NAME.fullmatch(value):
        return value
    if value[:1] in FORMULA_STARTS or value.lstrip()[:1] in FORMULA_STARTS:
        raise Bad("formula")
    try:
        return normalise(value)
    except ValueError:
        raise Bad("name") from None


def text(value: Any) -> str:
    """One line of text such as an address: no control or invisible characters, no formula."""
    if type(value) is not str:
        raise Bad("not-text")
    if not value or value.isspace():
        raise Bad("empty")
    if value[0] in FORMULA_STARTS or value.lstrip()[0] in FORMULA_STARTS:
        raise Bad("formula")
    if len(value) > MAX_TEXT:
        raise Bad("too-long")
    if not value.isprintable() or "\ufffd" in value:
        raise Bad("control-character")
    return value if value.isascii() else unicodedata.normalize("NFC", value)


@lru_cache(maxsize=16_384)
def _known_text(value: str) -> str:
    return text(value)


def short_text(value: Any) -> str:
    """Text that repeats from row to row (a unit's name, a relation, an ethnicity)."""
    if type(value) is not str:
        raise Bad("not-text")
    return _known_text(value) if len(value) <= 80 else text(value)


@lru_cache(maxsize=131_072)
def _partial(value: str) -> str:
    try:
        return PartialDate.parse(value).iso
    except ValueError:
        raise Bad("date") from None


def partial_date(value: Any) -> str:
    """A date to the day, month or year, in ISO form."""
    if type(value) is not str:
        raise Bad("not-text")
    return _partial(value)


def whole_date(value: Any) -> str:
    """A date known to the day, in ISO form."""
    iso = partial_date(value)
    if len(iso) != 10:
        raise Bad("date")
    return iso


@lru_cache(maxsize=65_536)
def calendar_day(value: str) -> date:
    """A day as a date object. Raises Bad."""
    return date.fromisoformat(whole_date(value))


def one_of(*allowed: str) -> Check:
    """A check for a fixed list of codes."""
    codes = frozenset(allowed)

    def check(value: Any) -> str:
        if type(value) is not str or value not in codes:
            raise Bad("not-in-list")
        return value

    return check


def number(value: Any) -> str:
    """A 12-digit number with a known prefix. The same rule as `numbers.Number` (a test compares them)."""
    if type(value) is not str or len(value) != 12 or not value.isdecimal() or not value.isascii():
        raise Bad("number")
    if value[0] == "0" and value[:3] not in units().number_prefixes:
        raise Bad("number-province")
    return value


def old_id(value: Any) -> str:
    """A 9-digit number of an old identity card."""
    if type(value) is not str or len(value) != 9 or not value.isdecimal() or not value.isascii():
        raise Bad("old-id")
    return value


def nationality(value: Any) -> str:
    """A country, by the two letters of ISO 3166."""
    if type(value) is not str or len(value) != 2 or not (value.isascii() and value.isalpha() and value.isupper()):
        raise Bad("nationality")
    return value


@lru_cache(maxsize=256)
def _province_exists(code: str) -> bool:
    try:
        units().province(code)
    except UnknownUnit:
        return False
    return True


def province(value: Any) -> str:
    """The two-digit code of a province of today."""
    if type(value) is not str or not _province_exists(value):
        raise Bad("province")
    return value


@lru_cache(maxsize=8_192)
def province_of_commune(code: str) -> str:
    """The province a commune of today lies in. Raises Bad."""
    try:
        return units().commune(code).province_code
    except UnknownUnit:
        raise Bad("commune") from None


def commune(value: Any) -> str:
    """The five-digit code of a commune of today."""
    if type(value) is not str:
        raise Bad("commune")
    province_of_commune(value)
    return value


def phone(value: Any) -> str:
    """A phone number in E.164 form."""
    if type(value) is not str or not _PHONE.fullmatch(value):
        raise Bad("phone")
    return value


def email(value: Any) -> str:
    if type(value) is not str or len(value) > 254 or not _EMAIL.fullmatch(value):
        raise Bad("email")
    return value


@lru_cache(maxsize=1_024)
def _is_code(value: str) -> bool:
    return _CODE.fullmatch(value) is not None


def code(value: Any) -> str:
    """A code of ours or of a source: lower-case letters and hyphens, at most 40."""
    if type(value) is not str or len(value) > 40 or not _is_code(value):
        raise Bad("code")
    return value


def record(checks: Mapping[str, Check], *, needs: tuple[str, ...] = ()) -> Check:
    """A check for an object with these members; null members count as absent."""

    def check(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Bad("not-object")
        checked = {}
        for member, given in value.items():
            one = checks.get(member)
            if one is None:
                raise Bad("unknown-member")
            if given is not None:
                checked[member] = one(given)
        for member in needs:
            if member not in checked:
                raise Bad("member-missing")
        return checked

    return check


def list_of(one: Check, most: int = MAX_PEOPLE) -> Check:
    """A check for a list."""

    def check(value: Any) -> list[Any]:
        if type(value) is not list:
            raise Bad("not-list")
        if len(value) > most:
            raise Bad("too-long")
        return [one(item) for item in value]

    return check


address = record(
    {
        "text": text,
        "commune": commune,
        "commune_name": short_text,
        "province": province,
        "province_name": short_text,
        "since": partial_date,
    },
    needs=("text",),
)


place = record({"text": text, "province": province})
"""Where something was: old places keep their old names in `text`."""

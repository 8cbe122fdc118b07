"""Values of the record as people read them: one or more lines per field, in words.

Pure: takes the JSON value and a translator, gives plain text (never HTML). Numbers of other people are shown
masked; the reader's own full number is the caller's choice.
"""

from collections.abc import Callable, Mapping
from typing import Any

from core.web.pages import format_date, format_phone
from population_db.numbers import parse_number
from population_db.relations import RELATIONS

Translate = Callable[[str], str]

WORDS: Mapping[str, Mapping[str, str]] = {
    "sex": {"male": "Male", "female": "Female"},
    "marital_status": {
        "single": "Single",
        "married": "Married",
        "divorced": "Divorced",
        "widowed": "Widowed",
    },
    "life_status": {
        "alive": "Alive",
        "dead": "Dead",
        "missing": "Missing",
        "renounced": "Nationality renounced",
    },
}
"""Coded values → English msgid."""

DATES = frozenset({"birth_date", "death_date"})


def present(code: str, value: Any, translate: Translate) -> list[str]:
    """Lines of text for a field's value; empty when there is no value."""
    if value is None or value in ("", [], {}):
        return []
    if code in DATES:
        return [format_date(str(value))]
    if code == "phone":
        return [format_phone(str(value))]
    if code == "relation_to_head":
        return [_relation(str(value), translate)]
    if code in WORDS:
        return [translate(WORDS[code].get(str(value), str(value)))]
    if code == "nationality" and value == "VN":
        return [translate("Viet Nam")]
    if isinstance(value, list):
        return [line for item in value for line in _item(item, translate)]
    return _item(value, translate)


def _item(value: Any, translate: Translate) -> list[str]:
    if not isinstance(value, dict):
        return [str(value)]
    if "full_name" in value:
        return [_person(value, translate)]
    if "issued_on" in value:
        expires = value.get("expires_on")
        until = format_date(expires) if expires else translate("no expiry")
        return [f"{format_date(value['issued_on'])} · {value.get('issued_by', '')} · {until}"]
    return [_place(value)] if "text" in value or "province" in value else [", ".join(map(str, value.values()))]


def _person(value: Mapping[str, Any], translate: Translate) -> str:
    parts = [str(value["full_name"])]
    relation = value.get("relation") or value.get("relation_to_head")
    if relation:
        parts.append(_relation(str(relation), translate))
    if value.get("birth_date"):
        parts.append(format_date(str(value["birth_date"])))
    if value.get("number"):
        parts.append(masked(str(value["number"])))
    return " · ".join(parts)


def _relation(code: str, translate: Translate) -> str:
    return translate(RELATIONS[code][1]) if code in RELATIONS else code


def _place(value: Mapping[str, Any]) -> str:
    text = str(value.get("text", ""))
    places = [str(value[name]) for name in ("commune_name", "province_name") if value.get(name)]
    return ", ".join(part for part in (text, *(place for place in places if place not in text)) if part)


def masked(number: str) -> str:
    """`0790*****123`, or stars alone when it is no number of ours."""
    try:
        return parse_number(number).masked
    except ValueError:
        return "*" * len(number)

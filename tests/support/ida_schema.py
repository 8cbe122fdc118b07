"""What an answer with `verified_claims` must look like, written down from the OpenID Identity Assurance Schema
Definition 1.0 §5: members, their types and formats, what is required, nothing else.

`faults` gives every place that does not fit, so that a test can show them all.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Check = Callable[[Any, str], Iterator[str]]

DATE = re.compile(r"\d{4}-[01]\d-[0-3]\d")
INSTANT = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d(:[0-5]\d)?(Z|[+-]\d\d:\d\d)")
COUNTRY = re.compile(r"[A-Za-z]{2,3}")


def faults(verified_claims: Any) -> list[str]:
    """Places that do not fit; empty when the answer is one of the schema."""
    if isinstance(verified_claims, list):
        each = [fault for at, one in enumerate(verified_claims) for fault in _SET(one, f"[{at}]")]
        return each or ([] if verified_claims else ["an array without a member"])
    return list(_SET(verified_claims, ""))


def _text(value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, str) or not value:
        yield f"{at}: a text is needed"


def _like(pattern: re.Pattern[str]) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            yield f"{at}: not of the form {pattern.pattern}"

    return check


def _object(members: Mapping[str, Check], *, required: tuple[str, ...] = (), other: bool = False) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{at}: an object is needed"
            return
        for name in required:
            if name not in value:
                yield f"{at}/{name}: missing"
        for name, inner in value.items():
            if inner is None:
                yield f"{at}/{name}: null"
            elif name in members:
                yield from members[name](inner, f"{at}/{name}")
            elif not other:
                yield f"{at}/{name}: not in the schema"

    return check


def _array(inner: Check) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, list) or not value:
            yield f"{at}: an array with a member is needed"
            return
        for number, one in enumerate(value):
            yield from inner(one, f"{at}[{number}]")

    return check


_ADDRESS: dict[str, Check] = dict.fromkeys(
    ("formatted", "street_address", "locality", "region", "postal_code", "country"), _text
)
_ORIGIN = _object({**_ADDRESS, "name": _text, "jurisdiction": _text, "country_code": _like(COUNTRY)})
_CHECKS = _array(
    _object(
        {"check_method": _text, "organization": _text, "check_id": _text, "time": _like(INSTANT)},
        required=("check_method",),
    )
)
_RECORD = _object(
    {"type": _text, "created_at": _like(INSTANT), "date_of_expiry": _like(DATE), "source": _ORIGIN},
    required=("type",),
)
_DOCUMENT = _object(
    {
        "type": _text,
        "document_number": _text,
        "serial_number": _text,
        "date_of_issuance": _like(DATE),
        "date_of_expiry": _like(DATE),
        "issuer": _ORIGIN,
    },
    required=("type",),
)
_KINDS: dict[str, Check] = {
    "electronic_record": _object({"type": _text, "check_details": _CHECKS, "record": _RECORD}, required=("type",)),
    "document": _object({"type": _text, "check_details": _CHECKS, "document_details": _DOCUMENT}, required=("type",)),
}


def _evidence(value: Any, at: str) -> Iterator[str]:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in _KINDS:
        yield f"{at}/type: not a type of evidence that this provider has"
    else:
        yield from _KINDS[kind](value, at)


def _countries(value: Any, at: str) -> Iterator[str]:
    yield from _array(_like(COUNTRY))(value, at)


_CLAIMS = _object(
    {
        "name": _text,
        "birthdate": _like(re.compile(r"\d{4}(-[01]\d-[0-3]\d)?")),
        "gender": _text,
        "address": _object({**_ADDRESS, "country_code": _like(COUNTRY)}),
        "place_of_birth": _object({"country": _like(COUNTRY), "region": _text, "locality": _text}),
        "nationalities": _countries,
        "also_known_as": _text,
    },
    other=True,
)
_SET = _object(
    {
        "claims": _CLAIMS,
        "verification": _object(
            {
                "trust_framework": _text,
                "assurance_level": _text,
                "time": _like(INSTANT),
                "verification_process": _text,
                "evidence": _array(_evidence),
            },
            required=("trust_framework",),
        ),
    },
    required=("verification", "claims"),
)

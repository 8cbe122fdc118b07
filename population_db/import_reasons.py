"""Why a row of an import file is refused: stable codes, and sentences for the operator.

Neither ever holds a value of the row: a rejects file is read by more people than the registry is.
"""

from collections.abc import Mapping
from types import MappingProxyType

REASONS: Mapping[str, str] = MappingProxyType(
    {
        # the row as a whole
        "row-too-long": "the row is longer than 64 KiB",
        "encoding": "the row is not UTF-8",
        "syntax": "the row cannot be read",
        "repeated-field": "a field stands in the row twice",
        "columns": "the row does not have as many cells as the header",
        "unknown-field": "there is no such field",
        "empty-row": "the row holds nothing but the number",
        # values
        "not-text": "must be text",
        "not-object": "must be an object",
        "not-list": "must be a list",
        "empty": "is empty",
        "too-long": "is too long",
        "control-character": "holds a control or invisible character",
        "formula": "begins like a formula",
        "name": "is not a name: letters, spaces, apostrophe, hyphen and dot only",
        "date": "is not a date such as 1960, 1960-05 or 1960-05-17",
        "not-in-list": "is not one of the allowed codes",
        "code": "is not a code: lower-case letters and hyphens",
        "number": "is not twelve digits",
        "number-province": "begins with no known province or country",
        "old-id": "is not nine digits",
        "nationality": "is not a country code of two capital letters",
        "province": "is not the code of a province",
        "commune": "is not the code of a commune",
        "commune-province": "names a commune that does not lie in the province",
        "phone": "is not a phone number such as +84912345678",
        "email": "is not an e-mail address",
        "unknown-member": "holds a member that is not known",
        "member-missing": "lacks a member that is needed",
        # the row against itself
        "missing": "is missing",
        "source-missing": "a group of fields has no source and as-of date",
        "as-of-future": "the as-of date lies in the future",
        "birth-future": "the birth date lies in the future",
        "death-date": "the day of death lies before birth or in the future, or does not fit the life status",
        "number-birth-year": "the number's birth year is not the row's",
        "number-sex": "the number's sex is not the row's",
        "personal-number": "is not the row's number",
        "former-number": "a former number is the present one, or stands there twice",
        # the row against file and registry
        "repeated-number": "the number stands in the file before",
        "two-persons": "the row's numbers belong to different persons of the registry",
        "other-active": "the person has another active number that the row does not name as former",
        "number-cancelled": "the number is cancelled in the registry",
        "older": "the registry knows better: it has other content with a later as-of date",
        "civil-missing": "a person new to the registry needs name, birth date and sex",
        "dead-alive": "the registry records the person as dead, the row as alive",
    }
)


def reason_text(code: str, field: str) -> str:
    """The sentence, with the field it is about in front."""
    return f"{field}: {REASONS[code]}" if field else REASONS[code]
